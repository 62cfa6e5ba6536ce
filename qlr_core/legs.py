"""A run's history: optimizers one after the other, each from a step on. A fork is a history with one more leg."""

from itertools import pairwise
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import check_knobs


class Leg(NamedTuple):
    """An optimizer with its choices and numbers, from a step on until the next leg; plain values, hashable.

    ``hyper`` is the optimizer's NamedTuple of floats. The first leg starts at step 0. The same optimizer and choices as in
    the leg before keep their buffers, and the number that they carry on (λ, or a learning rate that follows) unless
    ``carried`` sets it; others start afresh.
    """

    optimizer: str
    choices: tuple[tuple[str, str], ...]
    hyper: Any
    step: int = 0
    carried: float | None = None


Legs = tuple[Leg, ...]


class HasLegs:
    """What a run says of itself by its legs: its optimizer, choices and numbers are those of the last one."""

    legs: Legs

    @property
    def optimizer(self) -> str:
        """The optimizer of the last leg."""
        return self.legs[-1].optimizer

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """Its choices."""
        return self.legs[-1].choices

    @property
    def hyper(self) -> Any:
        """Its numbers, a NamedTuple of floats."""
        return self.legs[-1].hyper

    @property
    def inherited(self) -> int:
        """The steps before the last leg."""
        return self.legs[-1].step


def forked(legs: Legs, leg: Leg) -> Legs:
    """The history of a run that leaves another at a step; that of its parent's own fork or later.

    At the very step where the parent's last leg begins the new leg takes its place, and what that leg carries on where it
    sets nothing itself.
    """
    if leg.step == legs[-1].step:
        carried = legs[-1].carried if leg.carried is None and continues(legs[-1], leg) else leg.carried
        return (*legs[:-1], leg._replace(carried=carried))
    return (*legs, leg)


def continues(before: Leg, leg: Leg) -> bool:
    """Whether a leg goes on with the buffers of the one before."""
    return (before.optimizer, before.choices) == (leg.optimizer, leg.choices)


def with_carried(state: Any, leg: Leg) -> Any:
    """The optimizer's state with the number that the leg sets, if it sets one, in the types that the state has."""
    if leg.carried is None:
        return state
    changed = optimizer_named(leg.optimizer).set_carried(state, leg.carried)
    return jax.tree.map(lambda new, old: jnp.asarray(new, old.dtype), changed, state)


def check_legs(legs: Legs, steps: int) -> None:
    """ValueError, with the remedy, where the legs do not follow one another from step 0 on, or their numbers are off."""
    starts = [leg.step for leg in legs]
    if starts[:1] != [0]:
        raise ValueError(f"The legs of the run start at steps {starts}; the first one must start at step 0.")
    if any(after <= before for before, after in pairwise(starts)) or starts[-1] >= steps:
        raise ValueError(f"Legs at steps {starts} do not fit into {steps} steps; each must start later than the one before.")
    for leg in legs:
        reason = optimizer_named(leg.optimizer).unavailable()
        if reason:
            raise ValueError(f"{optimizer_named(leg.optimizer).label} is not available here: {reason}")
        check_knobs(leg.hyper)
