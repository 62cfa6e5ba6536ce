"""K-FAC by kfac_jax as an Optimizer: with its adaptive learning rate, momentum and damping, and with all three fixed.

kfac_jax keeps its numbers in a constructor and compiles its own step. Here a kfac_jax.Optimizer is made anew inside each
trace and run in its staging context, which means "do not compile or donate, the caller does": so every number may be
traced, the step lives in scan and vmap like any other, and nothing outlives the trace. kfac_jax is imported where an
optimizer is built, never with qlr_core. Source: Martens & Grosse 2015; kfac_jax 0.0.8, optimizer.py, ``_step``.
"""

import math
import re
from dataclasses import replace
from functools import partial
from importlib import metadata
from typing import Annotated, Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from qlr_core.objective import Batch, ModelState, Objective, Params, example_weights
from qlr_core.optimizers.adam_qlr import (
    DampingDecrease,
    DampingIncrease,
    InitialDamping,
    MinDamping,
    RoundingMultiple,
)
from qlr_core.optimizers.base import (
    BACKWARD,
    FORWARD,
    GRADIENT,
    Optimizer,
    StepInfo,
    scalar_dtype,
    typed,
)
from qlr_core.ranges import Range, Scalar

_SOURCE = "Martens & Grosse 2015"
_PUSHFORWARD = 2 * FORWARD
# The first release of jax that kfac-jax 0.0.8 fails with.
_TOO_NEW = (0, 9, 2)

CurvatureMemory = Annotated[
    Scalar,
    Range(0.95, 0.0, 0.99, "ε_ema", "Curvature memory", "The share of the old curvature estimate that stays in the next.",
          neutral=0.0, minimum=0.0, maximum=0.9999, advanced=True, source="kfac_jax 0.0.8; " + _SOURCE + ", section 5"),
]  # fmt: skip


class KFACHyper(NamedTuple):
    """The numbers of adaptive K-FAC."""

    initial_damping: InitialDamping
    damping_decrease: DampingDecrease
    damping_increase: DampingIncrease
    min_damping: MinDamping
    curvature_memory: CurvatureMemory
    rounding_multiple: RoundingMultiple


class FixedKFACHyper(NamedTuple):
    """The numbers of K-FAC without its heuristics."""

    learning_rate: Annotated[
        Scalar,
        Range(0.1, 1e-6, 1.0, "α", "Learning rate", "The share of the damped K-FAC step that is taken.", log=True,
              minimum=1e-30, source="search range of Clarke & Hernández-Lobato 2024 for Adam"),
    ]  # fmt: skip
    momentum: Annotated[
        Scalar,
        Range(0.9, 0.0, 0.99, "β", "Momentum", "The share of the last move that is made again.", neutral=0.0,
              minimum=0.0, maximum=1.0, source=_SOURCE + ", section 7"),
    ]  # fmt: skip
    damping: Annotated[
        Scalar,
        Range(1e-3, 1e-8, 1.0, "λ", "Damping", "Added to the curvature's diagonal: larger means shorter steps.", log=True,
              neutral=0.0, minimum=0.0, source=_SOURCE + ", section 6"),
    ]  # fmt: skip
    curvature_memory: CurvatureMemory


class KFACState(NamedTuple):
    """λ of the next step, and all that kfac_jax keeps: the last move, its estimate of the curvature and its counters."""

    damping: Float[Array, ""]
    kfac_jax: Any


class _Inputs(NamedTuple):
    """All that f depends on beside the parameters: kfac_jax follows the parameters alone through a program."""

    batch: Batch
    model_state: ModelState
    key: Key[Array, ""] | None


def unavailable() -> str:
    """A sentence with the remedy where this installation cannot run K-FAC, else ""; imports neither package."""
    try:
        metadata.version("kfac-jax")
    except metadata.PackageNotFoundError:
        return "K-FAC needs the package kfac-jax: pip install kfac-jax==0.0.8."
    jax_version = metadata.version("jax")
    if tuple(int(part) for part in re.findall(r"\d+", jax_version)[:3]) >= _TOO_NEW:
        return f"kfac-jax 0.0.8 fails with jax 0.9.2 and later, and this is {jax_version}: pip install jax==0.9.1."
    return ""


def _register(objective: Objective, outputs: Any, batch: Batch, losses: Float[Array, "..."]) -> None:
    """Tells kfac_jax which loss the outputs go into; it takes ``weight`` · Σ ℓ / rows for f, and the curvature to match.

    kfac_jax's squared error is ‖z − y‖² without our ½.
    """
    import kfac_jax

    counting = losses.size if batch.mask is None else jnp.maximum(jnp.sum(batch.mask.astype(losses.dtype)), 1)
    weight = jnp.asarray(outputs.shape[0] / counting, losses.dtype)
    if objective.loss.name == "softmax_cross_entropy":
        kfac_jax.register_softmax_cross_entropy_loss(outputs, batch.targets, mask=batch.mask, weight=weight)
        return
    targets = jnp.zeros_like(outputs) if objective.loss.name == "residuals" else batch.targets
    shown = 1.0 if batch.mask is None else batch.mask.astype(outputs.dtype)[..., None]
    kfac_jax.register_squared_error_loss(shown * outputs, shown * targets, weight=0.5 * weight)


def _value_and_gradient(objective: Objective, params: Params, inputs: _Inputs) -> tuple[tuple[Any, Any], Params]:
    """((f, (model state, ∇f)), ∇f) in the form that kfac_jax asks for: it hands the second pair through to its caller."""

    def value(params: Params) -> tuple[Float[Array, ""], ModelState]:
        batch = inputs.batch
        outputs, model_state = objective.apply(
            params, inputs.model_state, batch.inputs, train=True, key=inputs.key, mask=batch.mask
        )
        losses = objective.loss.value(outputs, batch.targets)
        _register(objective, outputs, batch, losses)
        return jnp.sum(example_weights(losses, batch.mask) * losses), model_state

    (loss, model_state), gradient = jax.value_and_grad(value, has_aux=True)(params)
    return (loss, (model_state, gradient)), gradient


def _outputs(objective: Objective, params: Params, inputs: _Inputs) -> Any:
    """The shape of the model's outputs; computes nothing."""
    batch = inputs.batch
    model = partial(objective.apply, train=True)
    return jax.eval_shape(model, params, inputs.model_state, batch.inputs, key=inputs.key, mask=batch.mask)[0]


def kfac_jax_optimizer(objective: Objective, params: Params, inputs: Any, hyper: Any, adaptive: bool) -> Any:
    """A kfac_jax.Optimizer for one trace; ``adaptive`` turns its three heuristics on.

    A surface has no layers: there one full block, estimated exactly (a backward pass for each residual), so that C = JᵀJ
    and a run is deterministic. Elsewhere kfac_jax's own choices: Kronecker-factored dense and convolutional layers, a
    diagonal for parameters it cannot place, and one random backward pass a step.
    """
    import kfac_jax

    surface = objective.loss.name == "residuals"
    rows = _outputs(objective, params, inputs).shape[0]
    return kfac_jax.Optimizer(
        partial(_value_and_gradient, objective),
        l2_reg=0.0,
        value_func_has_aux=True,
        use_adaptive_learning_rate=adaptive,
        use_adaptive_momentum=adaptive,
        # Makes it evaluate f(θ') and ρ. The λ that it derives from them is not used: its factors are one number.
        use_adaptive_damping=adaptive,
        initial_damping=1.0,
        damping_adaptation_interval=1,
        inverse_update_period=1,
        num_burnin_steps=0,
        curvature_ema=hyper.curvature_memory,
        estimation_mode="ggn_exact" if surface else "ggn_curvature_prop",
        layer_tag_to_block_ctor={"generic": kfac_jax.NaiveFull} if surface else None,
        batch_size_extractor=lambda inputs: rows,
        multi_device=False,
    )


def curvature_blocks(objective: Objective, params: Params, model_state: ModelState, batch: Batch) -> tuple[str, ...]:
    """The names of the kfac_jax blocks that a model's parameters fall into, to see that no layer went unrecognized."""
    inputs = _Inputs(batch, model_state, None)
    program = kfac_jax_optimizer(objective, params, inputs, FixedKFACHyper(1.0, 0.0, 1.0, 0.0), adaptive=False)
    jax.eval_shape(program.init, params, jax.random.key(0), inputs)
    return tuple(type(block).__name__ for block in program._estimator.blocks)


def _cost(objective: Objective, params: Params, inputs: _Inputs, adaptive: bool) -> float:
    """The passes of a step in gradient-equivalents, without factors and inverses, which do not grow with the model alone.

    The gradient, and a backward pass for the estimate (a surface: one for each residual); if adaptive, pushforwards of
    the step and the last move for the exact quadratic model, and f at the new parameters.
    """
    samples = math.prod(_outputs(objective, params, inputs).shape[1:]) if objective.loss.name == "residuals" else 1
    heuristics = 2 * _PUSHFORWARD + FORWARD if adaptive else 0.0
    return (GRADIENT + samples * BACKWARD + heuristics) / GRADIENT


def _build(objective: Objective, adaptive: bool) -> Optimizer:
    _check(objective)

    def init(params: Params, model_state: ModelState, batch: Batch, hyper: Any, key: Any) -> KFACState:
        inputs = _Inputs(batch, model_state, key)
        program = kfac_jax_optimizer(objective, params, inputs, hyper, adaptive)
        with program.staging_context():
            state = program.init(params, jax.random.key(0), inputs)
        damping = hyper.initial_damping if adaptive else hyper.damping
        return KFACState(jnp.asarray(damping, scalar_dtype(params)), state)

    def step(
        params: Params, model_state: ModelState, opt_state: KFACState, batch: Batch, hyper: Any, key: Any, /
    ) -> tuple[Params, ModelState, KFACState, StepInfo]:
        inputs = _Inputs(batch, model_state, key)
        program = kfac_jax_optimizer(objective, params, inputs, hyper, adaptive)
        before = replace(opt_state.kfac_jax, damping=opt_state.damping.astype(opt_state.kfac_jax.damping.dtype))
        # The estimate's random signs: apart from dropout's key, and without one repeatable.
        seed = jax.random.key(0) if key is None else jax.random.fold_in(key, 1)
        fixed = {} if adaptive else {"learning_rate": hyper.learning_rate, "momentum": hyper.momentum,
                                     "damping": opt_state.damping}  # fmt: skip
        with program.staging_context():
            # The step's number decides only when curvature and damping are updated, which here is always.
            new_params, after, told = program.step(
                params, before, jax.random.fold_in(seed, before.step_counter), batch=inputs, global_step_int=0, **fixed
            )
        new_model_state, gradient = told["aux"]
        info = _info(params, told, after.velocities, gradient)
        info = info._replace(
            damping=opt_state.damping,
            next_damping=_next_damping(info, opt_state.damping, hyper) if adaptive else opt_state.damping,
            cost=_cost(objective, params, inputs, adaptive),
        )
        info = typed(info, params)
        new_state = KFACState(info.next_damping, after)
        same_types = jax.tree.map(lambda new, old: new.astype(old.dtype), new_state, opt_state)
        return new_params, new_model_state, same_types, info

    return Optimizer(init, step)
