"""The recorded cases: their numbers from the files, and their inputs made anew with NumPy and scikit-learn."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import load_digits


class Inputs(NamedTuple):
    """What a case starts from; a case on Rosenbrock has no rows. ``schedule`` names the rows of each step."""

    sizes: tuple[int, ...]
    rows: np.ndarray | None
    targets: np.ndarray | None
    params: np.ndarray
    schedule: np.ndarray | None


def network_params(sizes: tuple[int, ...], seed: int) -> np.ndarray:
    """Weights of variance 1/inputs and biases 0, in one vector: W₀ by rows, b₀, W₁, and so on."""
    rng = np.random.default_rng(seed)
    parts = []
    for rows, columns in pairwise(sizes):
        weights = rng.standard_normal((rows, columns)) / np.sqrt(rows)
        parts += [weights.astype(np.float32).ravel(), np.zeros(columns, np.float32)]
    return np.concatenate(parts)


def regression(sizes: tuple[int, ...], data_seed: int, params_seed: int) -> Inputs:
    """A smooth function of 8 normal inputs with noise; every step sees all 512 rows."""
    rng = np.random.default_rng(data_seed)
    x = rng.standard_normal((512, 8))
    noise = rng.standard_normal((512, sizes[-1]))
    columns = [
        x[:, 0] * x[:, 1] + 0.5 * x[:, 2] ** 2 - x[:, 3],
        x[:, 4] - x[:, 5] * x[:, 6],
        2.0 * x[:, 7] + 0.25 * x[:, 0] ** 2,
    ]
    y = np.stack(columns[: sizes[-1]], axis=1) + 0.1 * noise
    return Inputs(sizes, x.astype(np.float32), y.astype(np.float32), network_params(sizes, params_seed), None)


def digits(sizes: tuple[int, ...], params_seed: int, steps: int) -> Inputs:
    """scikit-learn's digits in stored order, 256 rows a step, the last 5 left out."""
    found: Any = load_digits()
    schedule = np.arange(7 * 256, dtype=np.int32).reshape(7, 256)[np.arange(steps) % 7]
    images, labels = (found.data / 16.0).astype(np.float32), found.target.astype(np.int32)
    return Inputs(sizes, images, labels, network_params(sizes, params_seed), schedule)


def rosenbrock() -> Inputs:
    """The start (1, −1)."""
    return Inputs((), None, None, np.array([1.0, -1.0], np.float32), None)


CASES: dict[str, Callable[[], Inputs]] = {
    "rosenbrock_fisher": rosenbrock,
    "rosenbrock_hessian_decreasing_loss": rosenbrock,
    "mlp_mse_k1_fisher": lambda: regression((8, 50, 1), data_seed=101, params_seed=202),
    "mlp_mse_k3_fisher": lambda: regression((8, 20, 3), data_seed=103, params_seed=204),
    "digits_fisher": lambda: digits((64, 32, 10), params_seed=303, steps=70),
}


@cache
def recorded(name: str) -> dict[str, Any]:
    """The numbers of a case."""
    return json.loads(Path(__file__).with_name(f"{name}.json").read_text())


def checksum(array: np.ndarray) -> str:
    """The first 16 hex digits of SHA-256 over an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def checksums(inputs: Inputs) -> dict[str, str]:
    """The checksums of a case's inputs, by the names in its file."""
    found = {}
    if inputs.rows is not None and inputs.targets is not None:
        found |= {"X": checksum(inputs.rows), "Y": checksum(inputs.targets)}
    at = 0
    for index, (rows, columns) in enumerate(pairwise(inputs.sizes)):
        end = at + rows * columns
        found[f"w{index}"] = checksum(inputs.params[at:end])
        found[f"b{index}"] = checksum(inputs.params[end : end + columns])
        at = end + columns
    return found
