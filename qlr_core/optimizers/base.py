"""What every optimizer is here: two pure functions, the numbers and choices they take, and what a step tells of itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Array, Key

from qlr_core.objective import Batch, ModelState, Params
from qlr_core.optimizers.step_info import StepInfo
from qlr_core.registry import nearest

# Prices in forward passes of the model (DESIGN: one gradient-equivalent is a forward and a backward pass).
FORWARD, BACKWARD = 1.0, 2.0
GRADIENT = FORWARD + BACKWARD

# What to do where an optimizer of a kind diverges.
_REMEDIES = {
    "first_order": "Lower its learning rate or clip its gradient norm.",
    "qlr": "Raise the initial damping, or set the learning-rate clip α_max.",
    "kfac": "Raise the damping.",
    "newton": "Raise the initial damping, or use the decreasing-loss rule.",
}


@runtime_checkable
class Step(Protocol):
    """One step on one batch; returns the new parameters, model state and optimizer state, and what happened."""

    def __call__(  # noqa: D102
        self,
        params: Params,
        model_state: ModelState,
        opt_state: Any,
        batch: Batch,
        hyper: Any,
        key: Key[Array, ""] | None,
        /,
    ) -> tuple[Params, ModelState, Any, StepInfo]: ...


@dataclass(frozen=True)
class Optimizer:
    """Everything that runs is this.

    ``init(params, model_state, batch, hyper, key)`` makes the optimizer's state, ``step`` is a ``Step``. Both are pure and
    work under jit, vmap and scan.
    """

    init: Callable[[Params, ModelState, Batch, Any, Any], Any]
    step: Step


@dataclass(frozen=True)
class Choice:
    """A structural choice of an optimizer: it changes the program, so a new value compiles once."""

    name: str
    label: str
    options: tuple[str, ...]
    default: str
    help: str


@dataclass(frozen=True)
class OptimizerSpec:
    """What an optimizer says of itself; the registry is made of these.

    ``hyper`` is a NamedTuple of numbers with Ranges, ``build(objective, **choices)`` makes the Optimizer. ``direction`` is
    the formula of d, ``choose`` says in a sentence or two when to choose it and what speaks against it. ``kind`` says what
    there is to show of a step: "first_order", "qlr" (predicted and actual change, damping), "kfac" (a ratio of its own) or
    "newton". ``unavailable()`` is a sentence where this installation cannot run it, else "".
    """

    name: str
    label: str
    kind: str
    direction: str
    description: str
    choose: str
    source: str
    hyper: type[Any]
    build: Callable[..., Optimizer]
    choices: tuple[Choice, ...] = ()
    note: str = ""
    unavailable: Callable[[], str] = lambda: ""
    # The number that the optimizer goes on changing in its state, λ or a learning rate, by the name of where it starts.
    carried: str = ""
    # The optimizer's state with another value of it for the next step.
    set_carried: Callable[[Any, float], Any] = lambda state, value: state
    # Where the objective must have a Fisher of its own, as a surface without residuals has not.
    needs_fisher: bool = False
    # The rule that moves λ where it is no choice: the name of a damping rule, or "none".
    damping_rule: str = "none"

    @property
    def remedy(self) -> str:
        """A sentence that says what to do where a run diverges."""
        return _REMEDIES[self.kind]

    def resolved(self, asked: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
        """Every choice with its option, as asked or by default; ValueError for a choice or an option that there is not."""
        known, given = {choice.name: choice for choice in self.choices}, dict(asked)
        for name, option in given.items():
            if name not in known:
                raise ValueError(f"{self.label} has no choice {name!r}; {nearest(name, list(known))}")
            if option not in known[name].options:
                raise ValueError(f"{name} = {option!r} is unknown; {nearest(option, known[name].options)}")
        return tuple((name, given.get(name, choice.default)) for name, choice in known.items())
