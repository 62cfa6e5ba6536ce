"""What every optimizer is here: two pure functions, the numbers and choices they take, and what a step tells of itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Key

from qlr_core.inner import clip_by_norm, inner, norm
from qlr_core.objective import Batch, ModelState, Objective, Params, linearize
from qlr_core.ranges import Range, Scalar

# Prices in forward passes of the model (DESIGN: one gradient-equivalent is a forward and a backward pass).
FORWARD, BACKWARD = 1.0, 2.0
GRADIENT = FORWARD + BACKWARD


class StepInfo(NamedTuple):
    """What one step did, the same for every optimizer.

    Scalars in a step, arrays with the steps first in a record. A quantity that the optimizer never evaluates is None in a
    step and NaN in a record (``with_nan``): no compiled program makes a NaN on purpose, which JAX_DEBUG_NANS would report.

    ``slope`` is gᵀd, ``curvature`` dᵀCd, ``best_learning_rate`` α before clip, amplification and averaging, ``damping`` λ
    in this step and ``next_damping`` in the next. ``cost`` is in gradient-equivalents. ``reliable`` is False where ρ is
    rounding noise, ``accepted`` where the step was taken back. ``gradient`` (after clipping) and ``direction`` (to be
    subtracted) are vectors in the shape of the parameters; a record that does not keep them costs nothing.
    """

    loss: Float[Any, "..."] = None
    gradient_norm: Float[Any, "..."] = None
    direction_norm: Float[Any, "..."] = None
    slope: Float[Any, "..."] = None
    curvature: Float[Any, "..."] = None
    best_learning_rate: Float[Any, "..."] = None
    learning_rate: Float[Any, "..."] = None
    damping: Float[Any, "..."] = None
    next_damping: Float[Any, "..."] = None
    predicted_change: Float[Any, "..."] = None
    actual_change: Float[Any, "..."] = None
    reduction_ratio: Float[Any, "..."] = None
    reliable: Bool[Any, "..."] = True
    accepted: Bool[Any, "..."] = True
    update_norm: Float[Any, "..."] = None
    cost: Float[Any, "..."] = None
    gradient: Any = None
    direction: Any = None


def undefined(dtype: Any) -> Float[Array, ""]:
    """What stands for a number that there is none of: NaN, or ∞ under ``jax_debug_nans``, to which a NaN is a fault."""
    return jnp.asarray(jnp.inf if jax.debug_nans.value else jnp.nan, dtype)


def not_evaluated(dtype: Any) -> StepInfo:
    """The StepInfo of a step that was not made: all of its numbers undefined."""
    numbers = {name: undefined(dtype) for name in StepInfo._fields[:-2]}
    return StepInfo(**(numbers | {"reliable": jnp.asarray(True), "accepted": jnp.asarray(True)}))


def with_nan(record: Any) -> Any:
    """A pytree whose StepInfos have NaN where they have None, in NumPy: for the outside of a compiled program."""

    def is_info(node: Any) -> bool:
        return isinstance(node, StepInfo)

    def filled(node: Any) -> Any:
        if not is_info(node):
            return node
        numbers = {name: value for name, value in node._asdict().items() if name not in ("gradient", "direction")}
        lacking = [name for name, value in numbers.items() if value is None]
        return node._replace(**{name: np.full(node.loss.shape, np.nan, node.loss.dtype) for name in lacking})

    return jax.tree.map(filled, record, is_leaf=is_info)


def scalar_dtype(params: Params) -> Any:
    """The type in which a step keeps its scalars: that of the parameters, at least float32, which no parameters have too."""
    return jnp.result_type(jnp.float32, *jax.tree.leaves(params))


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
    the formula of d. ``kind`` says what there is to show of a step: "first_order", "qlr" (predicted and actual change,
    damping), "kfac" (a ratio of its own) or "newton". ``unavailable()`` is a sentence where this installation cannot run
    it, else "".
    """

    name: str
    label: str
    kind: str
    direction: str
    description: str
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

    def resolved(self, asked: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
        """Every choice with its option, as asked or by default; ValueError for a choice or an option that there is not."""
        known, given = {choice.name: choice for choice in self.choices}, dict(asked)
        for name, option in given.items():
            if name not in known:
                raise ValueError(f"{self.label} has no choice {name!r}; it has {', '.join(known) or 'none'}.")
            if option not in known[name].options:
                raise ValueError(f"{name} = {option!r} is unknown; choose one of {', '.join(known[name].options)}.")
        return tuple((name, given.get(name, choice.default)) for name, choice in known.items())


def envelope(warmup_steps: Any, decay_steps: Any) -> optax.Schedule:
    """A linear warm-up, then a cosine to 0, as an optax schedule whose numbers may be traced.

    Rises from 1/``warmup_steps`` to 1 over the warm-up (0 is off) and falls to 0 over the ``decay_steps`` after it (∞ is
    off). Loshchilov & Hutter 2017, "SGDR", eq. 5, with one cycle.
    """

    def schedule(count: Any) -> Any:
        progress = jnp.clip((count - warmup_steps) / decay_steps, 0.0, 1.0)
        warmup = jnp.minimum((count + 1) / jnp.maximum(warmup_steps, 1), 1.0)
        return warmup * 0.5 * (1 + jnp.cos(jnp.pi * progress))

    return schedule


MAX_GRADIENT_NORM = Range(
    jnp.inf, 1e-3, 1e3, "‖g‖ₘₐₓ", "Gradient-norm clip", "A longer gradient is shortened to this norm before all else.",
    log=True, neutral=jnp.inf, minimum=1e-30, advanced=True, source="Pascanu et al. 2013",
)  # fmt: skip
WEIGHT_DECAY = Range(
    0.0, 1e-6, 1e-1, "w", "Weight decay", "The share of θ that every step takes away, apart from the gradient.",
    log=True, neutral=0.0, minimum=0.0, maximum=1.0, advanced=True, source="Loshchilov & Hutter 2019, eq. 4",
)  # fmt: skip
MAX_UPDATE_NORM = Range(
    jnp.inf, 1e-3, 1e3, "‖Δθ‖ₘₐₓ", "Update-norm clip", "A longer move is shortened to this norm.",
    log=True, neutral=jnp.inf, minimum=1e-30, advanced=True, source="Pascanu et al. 2013, applied to the update",
)  # fmt: skip
WARMUP_STEPS = Range(
    0.0, 1.0, 500.0, "T↑", "Warm-up steps", "The move grows linearly to its full length over this many steps.",
    integer=True, neutral=0.0, minimum=0.0, maximum=1e9, advanced=True, source="Loshchilov & Hutter 2017",
)  # fmt: skip
DECAY_STEPS = Range(
    jnp.inf, 10.0, 2000.0, "T↓", "Cosine decay steps", "After the warm-up the move falls to nothing over this many steps.",
    integer=True, log=True, neutral=jnp.inf, minimum=1.0, advanced=True, source="Loshchilov & Hutter 2017, eq. 5",
)  # fmt: skip

MaxGradientNorm = Annotated[Scalar, MAX_GRADIENT_NORM]
WeightDecay = Annotated[Scalar, WEIGHT_DECAY]
MaxUpdateNorm = Annotated[Scalar, MAX_UPDATE_NORM]
WarmupSteps = Annotated[Scalar, WARMUP_STEPS]
DecaySteps = Annotated[Scalar, DECAY_STEPS]


def finish(hyper: Any) -> optax.GradientTransformation:
    """What follows −αd: decoupled weight decay, update-norm clip, envelope, in this order.

    The decay is a share of θ itself, so that only the envelope scales it (Loshchilov & Hutter 2019, algorithm 2). Alone it
    can lead away from the line along d: the move stays on it where ``weight_decay`` is 0.
    """
    return optax.chain(
        optax.add_decayed_weights(-hyper.weight_decay),
        optax.stateless(lambda move, params: clip_by_norm(move, hyper.max_update_norm)[0]),
        optax.scale_by_schedule(envelope(hyper.warmup_steps, hyper.decay_steps)),
    )


class FirstOrderState(NamedTuple):
    """The states of the direction's transformation and of what follows it."""

    direction: Any
    finish: Any


def from_optax(
    objective: Objective,
    direction: Callable[[Any], optax.GradientTransformation],
    learning_rate: Callable[[Any, Any], Any] = lambda hyper, state: hyper.learning_rate,
) -> Optimizer:
    """An Optimizer from an optax transformation that turns gradients into the direction d; the move is −learning_rate d.

    ``direction(hyper)`` is called inside the trace; hyper has ``max_gradient_norm``, ``finish``'s numbers, and the
    ``learning_rate``, unless ``learning_rate(hyper, state)`` finds it in the direction's new state.
    """

    def init(params: Params, model_state: ModelState, batch: Batch, hyper: Any, key: Any) -> FirstOrderState:
        return FirstOrderState(direction(hyper).init(params), finish(hyper).init(params))

    def step(
        params: Params, model_state: ModelState, opt_state: FirstOrderState, batch: Batch, hyper: Any, key: Any, /
    ) -> tuple[Params, ModelState, FirstOrderState, StepInfo]:
        lin = linearize(objective, params, model_state, batch, key)
        gradient, gradient_norm = clip_by_norm(lin.gradient, hyper.max_gradient_norm)
        d, direction_state = direction(hyper).update(gradient, opt_state.direction, params)
        alpha = learning_rate(hyper, direction_state)
        move, finish_state = finish(hyper).update(optax.tree.scale(-alpha, d), opt_state.finish, params)
        info = StepInfo(
            loss=lin.value,
            gradient_norm=gradient_norm,
            direction_norm=norm(d),
            slope=inner(gradient, d),
            learning_rate=alpha,
            update_norm=norm(move),
            cost=GRADIENT / GRADIENT,
            gradient=gradient,
            direction=d,
        )
        new_state = FirstOrderState(direction_state, finish_state)
        return optax.apply_updates(params, move), lin.model_state, new_state, typed(info, params)

    return Optimizer(init, step)


def typed(info: StepInfo, params: Params) -> StepInfo:
    """The info with every number in the parameters' scalar type, so that a scan's outputs never change type."""
    dtype = scalar_dtype(params)
    cast = {
        name: jnp.asarray(value, jnp.bool_ if name in ("reliable", "accepted") else dtype)
        for name, value in info._asdict().items()
        if name not in ("gradient", "direction") and value is not None
    }
    return info._replace(**cast)
