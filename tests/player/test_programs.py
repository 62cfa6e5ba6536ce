"""A program computes what JAX computes, special values included; what it cannot say it refuses by name."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qlr_core.programs import trace
from tests.programs import run_programs

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.5, 3.5, 1e-8, 1e8, np.inf, -np.inf, np.nan, 0.25, 1e-300, 1e300]
ULPS = 64 * np.finfo(float).eps

UNARY: dict[str, Callable[[Any], Any]] = {
    "abs": jnp.abs,
    "atan": jnp.arctan,
    "cbrt": jnp.cbrt,
    "ceil": jnp.ceil,
    "cos": jnp.cos,
    "cosh": jnp.cosh,
    "cube": lambda a: a**3,
    "exp": jnp.exp,
    "expm1": jnp.expm1,
    "finite": lambda a: jnp.where(jnp.isfinite(a), a, 7.0),
    "floor": jnp.floor,
    "int": lambda a: a.astype(jnp.int32) + 1.0,
    "inverse": lambda a: a**-2,
    "log": jnp.log,
    "log1p": jnp.log1p,
    "neg": jnp.negative,
    "round": jnp.round,
    "rsqrt": jax.lax.rsqrt,
    "sigmoid": jax.nn.sigmoid,
    "sign": jnp.sign,
    "sin": jnp.sin,
    "sinh": jnp.sinh,
    "sqrt": jnp.sqrt,
    "square": jnp.square,
    "tan": jnp.tan,
    "tanh": jnp.tanh,
    "truth": lambda a: a.astype(bool) * 2.0,
}
BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": jnp.add,
    "atan2": jnp.arctan2,
    "both": lambda a, b: jnp.where((a > 0) & (b > 0), a, b),
    "div": jnp.divide,
    "eq": lambda a, b: jnp.where(a == b, 1.0, a),
    "either": lambda a, b: jnp.where((a > 0) | ~(b >= 0), a, 2 * b),
    "le": lambda a, b: jnp.where(a <= b, a, 3.0),
    "max": jnp.maximum,
    "min": jnp.minimum,
    "mul": jnp.multiply,
    "ne": lambda a, b: jnp.where(a != b, a + b, 0.0),
    "pow": jnp.power,
    "rem": jax.lax.rem,
    "sub": jnp.subtract,
}


def outputs(function: Callable[..., Any], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the program of a function of numbers gives for rows of inputs, and what JAX gives."""
    with jax.enable_x64(True):
        truth = np.asarray(jax.jit(jax.vmap(lambda row: function(*row)))(jnp.asarray(rows)))
    (found,), _ = run_programs([(trace(function, *rows[0]), rows)])
    return found.reshape(truth.shape), truth


def same(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Equal to some ulps: two libraries' sines and powers; NaN and ∞ are what they are. XLA takes subnormals for 0."""
    with np.errstate(invalid="ignore"):
        close = np.abs(found - truth) <= ULPS * np.abs(truth) + 1e-300
    return close | (found == truth) | (np.isnan(found) & np.isnan(truth))


@pytest.mark.parametrize("name", UNARY)
def test_an_operation_on_special_values_is_xlas(name: str) -> None:
    rows = np.array(SPECIAL)[:, None]
    found, truth = outputs(UNARY[name], rows)
    assert same(found, truth).all(), list(zip(rows[:, 0], found, truth, strict=True))


@pytest.mark.parametrize("name", BINARY)
def test_an_operation_on_pairs_of_special_values_is_xlas(name: str) -> None:
    rows = np.array([(a, b) for a in SPECIAL for b in SPECIAL])
    found, truth = outputs(BINARY[name], rows)
    wrong = ~same(found, truth)
    assert not wrong.any(), [(tuple(row), f, t) for row, f, t in zip(rows[wrong], found[wrong], truth[wrong], strict=True)][:8]


def test_signed_zeros_survive() -> None:
    found, truth = outputs(lambda a, b: 1 / (a * b), np.array([(0.0, -1.0), (-0.0, -1.0), (0.0, 1.0)]))
    assert found.tolist() == truth.tolist() == [-np.inf, np.inf, np.inf]


TREES = st.recursive(
    st.sampled_from(["x", "y", "2", "0.3"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(sorted(UNARY)), inner), st.tuples(st.sampled_from(sorted(BINARY)), inner, inner)
    ),
    max_leaves=12,
)
# At whose edges one ulp decides, or that magnify it: a tree of them says nothing of the interpreter.
STEEP = {"int", "truth", "round", "floor", "ceil", "rem", "eq", "ne", "tan"}


def value(tree: Any, x: Any, y: Any) -> Any:
    if isinstance(tree, str):
        return {"x": x, "y": y}.get(tree, jnp.asarray(float(tree) if tree not in "xy" else 0.0, jnp.result_type(x)))
    name, *operands = tree
    return {**UNARY, **BINARY}[name](*(value(operand, x, y) for operand in operands))


def is_steep(tree: Any) -> bool:
    return not isinstance(tree, str) and (tree[0] in STEEP or any(map(is_steep, tree[1:])))


@given(TREES, st.lists(st.tuples(*[st.floats(-3, 3)] * 2), min_size=4, max_size=4))
@settings(max_examples=40)
def test_a_random_function_and_its_gradient_are_jaxs(tree: Any, points: list[tuple[float, float]]) -> None:
    if is_steep(tree):
        return

    def both(x: Any, y: Any) -> Any:
        of = lambda x, y: value(tree, x, y) + 0 * x  # noqa: E731
        return jnp.stack([of(x, y), *jax.grad(of, (0, 1))(x, y)])

    rows = np.array(points)
    found, truth = outputs(both, rows)
    # What one ulp of the inputs does to it, a function of ill-conditioned parts does to itself.
    near, _ = outputs(both, rows * (1 + 8 * np.finfo(float).eps))
    with np.errstate(invalid="ignore"):
        shaken = np.where(np.isnan(near - found), 0.0, np.abs(near - found))
        close = same(found, truth) | (
            np.abs(found - truth) <= 100 * shaken + 1e-9 * np.abs(truth).max(axis=1, initial=0, keepdims=True)
        )
    # A NaN or an infinity on either side is the other's overflow one ulp further on.
    finite = np.isfinite(found) & np.isfinite(truth) & np.isfinite(near)
    assert (close | ~finite).all(), (tree, rows, found, truth)


def test_arrays_are_sliced_padded_joined_and_summed_while_tracing() -> None:
    def of(v: Any, m: Any) -> Any:
        padded = jnp.pad(v, (1, 2))[1:5:2]
        return jnp.concatenate([padded, (m @ v)[::-1], m.T.reshape(-1)[1:3]]), jnp.sum(m, axis=0), jnp.max(v), jnp.all(v > 0)

    rng = np.random.default_rng(0)
    v, m = rng.normal(size=3), rng.normal(size=(3, 3))
    with jax.enable_x64(True):
        truth = np.concatenate([np.ravel(part).astype(float) for part in of(jnp.asarray(v), jnp.asarray(m))])
    program = trace(of, v, m)
    (found,), _ = run_programs([(program, [[*v, *m.ravel()]])])
    np.testing.assert_allclose(found[0], truth, rtol=1e-15)
    assert {operation for operation, *_ in program.code} <= {"add", "mul", "max", "gt", "and"}


def test_what_depends_on_no_input_is_computed_while_tracing_and_equal_operations_are_made_once() -> None:
    program = trace(lambda x: (jnp.sin(jnp.arange(3.0)).sum() * x, x * x + x * x), 1.0)
    assert [operation for operation, *_ in program.code] == ["mul", "mul", "add"]


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: jnp.sort(jnp.stack([x, 2 * x])), "sort"),
        (lambda x: jax.lax.fori_loop(0, 3, lambda _, v: v * x, x), "scan|while"),
        (jax.scipy.special.erf, "erf"),
    ],
)
def test_what_no_program_has_is_refused_by_its_name(function: Callable[..., Any], name: str) -> None:
    with pytest.raises(NotImplementedError, match=name):
        trace(function, 1.0)
