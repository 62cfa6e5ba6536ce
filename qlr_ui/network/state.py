"""The whole state of the small-network lab as one plain value, and its form in a link."""

from dataclasses import dataclass, field
from typing import Any

from qlr_core.datasets import dataset_named
from qlr_core.models.mlp import ACTIVATIONS, MAX_DEPTH
from qlr_core.networks.problem import MAX_STEPS, MIN_BATCH, NetworkLab
from qlr_core.ranges import knobs_with
from qlr_core.registry import nearest
from qlr_ui.lab import links
from qlr_ui.lab.links import LinkError
from qlr_ui.lab.run_setting import ForkSetting, RunSetting, not_installed

MAX_RUNS = 5
# The surface lab's links are of version "1"; the letter keeps one from being read as the other.
VERSION = "n1"
# A larger seed is a mistake; this one still has a button's worth of successors.
MAX_SEED = 10**6


@dataclass(frozen=True)
class NetworkState:
    """What the lab shows; equal states show the same picture."""

    lab: NetworkLab = field(default_factory=NetworkLab)
    runs: tuple[RunSetting, ...] = (RunSetting("adam_qlr"), RunSetting("adam"))
    forks: tuple[ForkSetting, ...] = ()


def to_link(state: NetworkState) -> str:
    """The state as one URL-safe word."""
    lab = state.lab
    plain = {
        "d": lab.dataset,
        "k": links.numbers_to_plain(lab.knobs),
        "m": [lab.depth, lab.width, lab.activation],
        "b": lab.batch_size,
        "n": lab.steps,
        "s": lab.seed,
    }
    return links.pack(VERSION, plain | links.runs_to_plain(state))


def from_link(word: str) -> NetworkState:
    """The state in a link; LinkError, with the remedy, where it is damaged, of another version or out of range."""
    return checked(links.unpack(VERSION, word, _from_plain))


def checked(state: NetworkState) -> NetworkState:
    """The state, every name known and every number one that a control can show; LinkError names the first that is not.

    Whether the network fits into memory and the data are there is for the lab to say, which then keeps its controls.
    """
    lab = state.lab
    try:
        knobs_with(dataset_named(lab.dataset).knobs, **dict(lab.knobs))
        links.check_runs(state, not_installed)
        links.check_forks(state, MAX_RUNS, lab.steps - 1)
    except LinkError:
        raise
    except ValueError as error:
        raise LinkError(str(error)) from error
    if lab.activation not in ACTIVATIONS:
        raise LinkError(f"There is no activation {lab.activation!r}; {nearest(lab.activation, list(ACTIVATIONS))}")
    for name, value, low, high in (
        ("depth", lab.depth, 0, MAX_DEPTH),
        ("width", lab.width, 1, 100_000),
        ("batch_size", lab.batch_size, 0, 100_000),
        ("steps", lab.steps, 1, MAX_STEPS),
        ("seed", lab.seed, 0, MAX_SEED),
    ):
        if not low <= value <= high:
            raise LinkError(f"{name} = {value} is out of range; give a whole number from {low} to {high:,}.")
    if 0 < lab.batch_size < MIN_BATCH:
        raise LinkError(f"batch_size = {lab.batch_size} is too small; give {MIN_BATCH} rows or more, or 0 for all of them.")
    return state


def _from_plain(plain: Any) -> NetworkState:
    depth, width, activation = plain["m"]
    whole = {"depth": depth, "width": width, "batch_size": plain["b"], "steps": plain["n"], "seed": plain["s"]}
    lab = NetworkLab(
        dataset=str(plain["d"]),
        knobs=links.numbers_from_plain(plain["k"]),
        activation=str(activation),
        **{name: int(links.number_from_plain(value)) for name, value in whole.items()},
    )
    return NetworkState(lab, *links.runs_from_plain(plain))
