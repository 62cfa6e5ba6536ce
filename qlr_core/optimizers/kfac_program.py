"""What kfac_jax is told about an objective: the loss, what its parameters are, how to estimate the curvature.

kfac_jax keeps its numbers in a constructor and compiles its own step. Here a kfac_jax.Optimizer is made anew inside each
trace and run in its staging context, which means "do not compile or donate, the caller does": so every number may be
traced, the step lives in scan and vmap like any other, and nothing outlives the trace. kfac_jax is imported where it is
used, never with qlr_core. Source: kfac_jax 0.0.8, ``optimizer.py`` and ``loss_functions.py``.
"""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from qlr_core.losses import RESIDUALS, SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
from qlr_core.objective import Batch, ModelState, Objective, Params, example_weights
from qlr_core.optimizers.base import BACKWARD, FORWARD, GRADIENT
from qlr_core.optimizers.step_info import scalar_dtype

_PUSHFORWARD = 2 * FORWARD
# The first release of jax that kfac-jax 0.0.8 fails with.
_TOO_NEW = (0, 9, 2)


class Inputs(NamedTuple):
    """All that f depends on beside the parameters, as the one argument that kfac_jax calls the batch."""

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


def check(loss: Loss) -> None:
    """ImportError where K-FAC cannot run here, ValueError where it does not know the loss; both with the remedy."""
    if sentence := unavailable():
        raise ImportError(sentence)
    if loss.name not in _REGISTER:
        raise ValueError(
            f"K-FAC needs a Fisher that kfac_jax knows, and has none for the loss {loss.name!r}; choose an objective with "
            f"one of {', '.join(_REGISTER)}, on a surface one with residuals."
        )


def _register_softmax(outputs: Any, batch: Batch, weight: Any) -> None:
    import kfac_jax

    kfac_jax.register_softmax_cross_entropy_loss(outputs, batch.targets, mask=batch.mask, weight=weight)


def _register_squared_error(outputs: Any, batch: Batch, weight: Any) -> None:
    import kfac_jax

    targets = batch.targets
    if batch.mask is not None:
        shown = batch.mask.astype(outputs.dtype)[..., None]
        outputs, targets = shown * outputs, shown * targets
    # Its squared error is ‖z − y‖², without the ½.
    kfac_jax.register_squared_error_loss(outputs, targets, weight=0.5 * weight)


def _register_residuals(outputs: Any, batch: Batch, weight: Any) -> None:
    _register_squared_error(outputs, batch._replace(targets=jnp.zeros_like(outputs)), weight)


_REGISTER: dict[str, Callable[[Any, Batch, Any], None]] = {
    SOFTMAX_CROSS_ENTROPY.name: _register_softmax,
    SQUARED_ERROR.name: _register_squared_error,
    RESIDUALS.name: _register_residuals,
}


def _value_and_gradient(objective: Objective, params: Params, inputs: Inputs) -> tuple[tuple[Any, Any], Params]:
    """((f, (model state, ∇f)), ∇f) in the form that kfac_jax asks for: it hands the inner pair through to its caller."""

    def value(params: Params) -> tuple[Float[Array, ""], ModelState]:
        batch = inputs.batch
        outputs, model_state = objective.apply(
            params, inputs.model_state, batch.inputs, train=True, key=inputs.key, mask=batch.mask
        )
        losses = objective.loss.value(outputs, batch.targets)
        weights = example_weights(losses, batch.mask)
        # kfac_jax divides the sum of the losses by the number of rows; f by the number of examples that count.
        _REGISTER[objective.loss.name](outputs, batch, outputs.shape[0] * jnp.max(weights))
        return jnp.sum(weights * losses), model_state

    (loss, model_state), gradient = jax.value_and_grad(value, has_aux=True)(params)
    return (loss, (model_state, gradient)), gradient


def _output_shape(objective: Objective, params: Params, inputs: Inputs) -> tuple[int, ...]:
    def model(params: Params) -> Any:
        batch = inputs.batch
        return objective.apply(params, inputs.model_state, batch.inputs, train=True, key=inputs.key, mask=batch.mask)[0]

    return jax.eval_shape(model, params).shape


def program(objective: Objective, params: Params, inputs: Inputs, curvature_memory: Any, adaptive: bool) -> Any:
    """A kfac_jax.Optimizer for one trace; ``adaptive`` turns its three heuristics on.

    A surface has no layers: there one full block, estimated exactly (a backward pass for each residual), so that C = JᵀJ
    and a run is deterministic. Elsewhere kfac_jax's own choices: Kronecker-factored dense and convolutional layers, a
    diagonal for parameters that it cannot place, and one backward pass of random signs a step. Padding counts in neither
    f nor the quadratic model, but in the layers' input factors, of which kfac_jax has no mask. ValueError where a row has
    several examples, as a text has: attention is no layer of kfac_jax's.
    """
    import kfac_jax

    surface = objective.loss is RESIDUALS
    rows, *outputs = _output_shape(objective, params, inputs)
    if len(outputs) > 1:
        raise ValueError("K-FAC has no blocks for the attention of a transformer; choose another optimizer, as adam_qlr.")
    return kfac_jax.Optimizer(
        partial(_value_and_gradient, objective),
        l2_reg=0.0,
        value_func_has_aux=True,
        use_adaptive_learning_rate=adaptive,
        use_adaptive_momentum=adaptive,
        # Makes it evaluate f(θ') and ρ. The λ that it derives from them goes unused: its factors are one number.
        use_adaptive_damping=adaptive,
        initial_damping=1.0,
        damping_adaptation_interval=1,
        inverse_update_period=1,
        num_burnin_steps=0,
        curvature_ema=curvature_memory,
        estimation_mode="ggn_exact" if surface else "ggn_curvature_prop",
        register_only_generic=surface,  # or a residual such as a − x would pass for a layer
        layer_tag_to_block_ctor={"generic": kfac_jax.NaiveFull} if surface else None,
        batch_size_extractor=lambda inputs: rows,
        multi_device=False,
    )


@contextmanager
def staged(optimizer: Any, params: Params) -> Iterator[None]:
    """Where kfac_jax's init and step belong: it does not compile, and its numbers have the type of the parameters.

    It makes them in JAX's default type, which with x64 is not that of a float32 network.
    """
    with jax.enable_x64(scalar_dtype(params) == jnp.float64), optimizer.staging_context():
        yield


def check_layers(optimizer: Any, params: Params) -> None:
    """ValueError, with the remedy, where kfac_jax recognizes no layer of a model that has weight matrices.

    It then falls back to a diagonal without a word, as where the weights are cast to another type on their way.
    """
    blocks = {type(block).__name__ for block in optimizer._estimator.blocks}
    if blocks == {"NaiveDiagonal"} and any(leaf.ndim >= 2 for leaf in jax.tree.leaves(params)):
        raise ValueError(
            "K-FAC recognizes no layer of this model, of which it would keep a mere diagonal. Take float32 instead of bf16, "
            "layers that are neither jitted nor cast, or another optimizer, as adam_qlr."
        )


def curvature_blocks(
    objective: Objective, params: Params, model_state: ModelState, batch: Batch, key: Key[Array, ""] | None = None
) -> tuple[str, ...]:
    """The names of the kfac_jax blocks that the parameters fall into, to see that no layer went unrecognized."""
    inputs = Inputs(batch, model_state, key)
    optimizer = program(objective, params, inputs, 0.0, adaptive=False)
    with staged(optimizer, params):
        jax.eval_shape(optimizer.init, params, jax.random.key(0), inputs)
    return tuple(type(block).__name__ for block in optimizer._estimator.blocks)


def cost(objective: Objective, params: Params, inputs: Inputs, adaptive: bool) -> float:
    """A step's operations in gradient-equivalents; inverting the factors, whose price no batch shares, is not among them.

    The gradient; a backward pass for the estimate (on a surface one for each residual) and the factors themselves; if
    adaptive, pushforwards of the step and of the last move for the exact quadratic model, and f at the new parameters.
    """
    surface = objective.loss is RESIDUALS
    estimates = math.prod(_output_shape(objective, params, inputs)[1:]) if surface else 1
    factors = 0.0 if surface else _factors(params)
    heuristics = 2 * _PUSHFORWARD + FORWARD if adaptive else 0.0
    return (GRADIENT + estimates * BACKWARD + factors + heuristics) / GRADIENT


def _factors(params: Params) -> float:
    """The outer products of a layer's inputs and of its output gradients, in forward passes: (m² + n²) / mn."""
    shapes = [leaf.shape for leaf in jax.tree.leaves(params) if leaf.ndim >= 2]
    sides = [(math.prod(shape[:-1]), shape[-1]) for shape in shapes]
    return sum(m**2 + n**2 for m, n in sides) / max(sum(m * n for m, n in sides), 1)
