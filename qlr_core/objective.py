"""The objective f(θ) = mean over the examples of loss(model(θ)), and everything first order about it from ONE linearization.

``linearize`` runs the model forward once and keeps its Jacobian J as a pair of linear maps. The gradient is one pullback
Jᵀ(∂ℓ/∂z); a quadratic form of the Fisher is one pushforward Jv. So a whole AdamQLR step costs a forward pass (1 unit), a
backward pass (2), a pushforward (2) and the loss at the new parameters (1), and nothing more.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key, PyTree

from qlr_core.inner import inner
from qlr_core.losses import Loss
from qlr_core.precision import FLOAT32, Precision

Params = PyTree[Float[Array, "..."]]
ModelState = PyTree


class Batch(NamedTuple):
    """What one step works on: rows of inputs and targets, and which examples count.

    ``mask`` has the shape of the per-example losses, 1 where an example counts and 0 for padding; None counts all. Where
    an example is a token, a mask of the rows alone counts or leaves out whole rows. Padding may hold anything, NaN and
    labels that are no class included. A surface has no rows: its parameters are the inputs.
    """

    inputs: Any = None
    targets: Any = None
    mask: Float[Array, "..."] | None = None


@dataclass(frozen=True)
class Objective:
    """A loss of a model.

    ``model(params, model_state, inputs, train=, key=, mask=) -> (outputs, model_state)`` is the model; the running
    statistics it returns come from the pass at the parameters it is given.
    """

    model: Callable[..., tuple[Any, ModelState]]
    loss: Loss
    precision: Precision = FLOAT32

    @property
    def apply(self) -> Callable[..., tuple[Any, ModelState]]:
        """The model with its products in the precision; those of its derivatives too, whoever takes them."""
        return self.precision.around(self.model)


class Linearization(NamedTuple):
    """An objective around one point θ and batch; made by ``linearize``, valid only inside the trace that made it.

    ``losses`` and ``weights`` have one entry an example, the weights sum to 1; ``value`` is f(θ) and ``gradient`` ∇f(θ).
    ``pushforward(v)`` is Jv, in the shape of the outputs; ``pullback(u)`` is Jᵀu, in the shape of the parameters.
    ``outputs_at`` is the model as a function of the parameters alone, on the same batch and key; ``precision`` is the
    objective's.
    """

    loss: Loss
    params: Params
    targets: Any
    outputs: Any
    losses: Float[Array, "..."]
    weights: Float[Array, "..."]
    value: Float[Array, ""]
    gradient: Params
    model_state: ModelState
    pushforward: Callable[[Params], Any]
    pullback: Callable[[Any], Params]
    outputs_at: Callable[[Params], Any]
    precision: Precision

    def losses_at(self, params: Params) -> Float[Array, "..."]:
        """The examples' losses at other parameters: one forward pass."""
        return self.loss.value(self.outputs_at(params), self.targets)

    def value_at(self, params: Params) -> Float[Array, ""]:
        """f at other parameters, on the same batch: one forward pass."""
        return jnp.sum(self.weights * self.losses_at(params))

    def change_to(self, params: Params) -> Float[Array, ""]:
        """Δf = f(other) − f(θ) as the mean of per-example differences, which rounds less than a difference of means."""
        return jnp.sum(self.weights * (self.losses_at(params) - self.losses))

    def output_gradient(self) -> Any:
        """∂ℓᵢ/∂zᵢ of every example, in the shape of the outputs, without the weights."""
        return jax.grad(self.loss.total)(self.outputs, self.targets)

    def rounding(self) -> Float[Array, ""]:
        """What rounding may do to ``change_to`` of a small move, as a standard deviation in the units of the loss.

        A loss is right to its own last digit and carries what is wrong with its outputs, |∂ℓ/∂z| · eps |z|; so a
        confident cross-entropy, which keeps its digits, is still blurred by large logits. θ' is rounded too, which
        |g| · eps |θ| tells. The errors of the examples, and of the parameters, are independent and add as squares.
        """
        spacing = float(jnp.finfo(self.losses.dtype).eps)
        in_passes = max(spacing, self.precision.spacing)
        carried = per_example_sum(jnp.abs(self.output_gradient() * self.outputs), self.losses)
        errors = self.weights * (spacing * jnp.abs(self.losses) + in_passes * carried)
        moved = jax.tree.map(lambda g, p: in_passes * g * p, self.gradient, self.params)
        return jnp.sqrt(jnp.sum(jnp.square(errors)) + inner(moved, moved))


def per_example_sum(values: Any, losses: Float[Array, "..."]) -> Float[Array, "..."]:
    """The sum over the outputs of each example: all axes after those of the per-example losses."""
    return jnp.sum(values, axis=tuple(range(losses.ndim, values.ndim)))


def example_weights(losses: Float[Array, "..."], mask: Float[Array, "..."] | None) -> Float[Array, "..."]:
    """Weights that turn a sum over examples into the mean over those that count; all 0 where none does.

    A mask with fewer axes than the losses holds for all of the axes it lacks, the last ones. ValueError where the axes it
    has are not those of the losses.
    """
    if mask is None:
        return jnp.full_like(losses, 1.0 / losses.size)
    if mask.shape != losses.shape[: mask.ndim]:
        raise ValueError(f"The mask has shape {mask.shape}, the losses {losses.shape}; give one entry an example or a row.")
    mask = jnp.broadcast_to(_with_axes(mask.astype(losses.dtype), losses.ndim), losses.shape)
    return mask / jnp.maximum(jnp.sum(mask), 1)


def without_padding(batch: Batch) -> Batch:
    """The batch with zeros where the mask leaves rows of inputs, or targets, out: 0 times NaN would be NaN.

    A row of inputs stays where any of its examples counts.
    """
    if batch.mask is None:
        return batch
    counts = batch.mask > 0
    shown = jnp.any(counts, axis=tuple(range(1, counts.ndim)))

    def kept(leaf: Any, mask: Any) -> Any:
        return jnp.where(_with_axes(mask, jnp.ndim(leaf)), leaf, jnp.zeros_like(leaf))

    inputs = jax.tree.map(lambda leaf: kept(leaf, shown), batch.inputs)
    targets = jax.tree.map(lambda leaf: kept(leaf, counts if counts.ndim <= jnp.ndim(leaf) else shown), batch.targets)
    return batch._replace(inputs=inputs, targets=targets)


def _with_axes(mask: Array, axes: int) -> Array:
    """The mask with axes of length 1 behind its own, so that it holds for all of what they stand for."""
    return jnp.expand_dims(mask, tuple(range(mask.ndim, axes)))


def linearize(
    objective: Objective,
    params: Params,
    model_state: ModelState,
    batch: Batch,
    key: Key[Array, ""] | None = None,
) -> Linearization:
    """The objective around θ: its value, gradient and Jacobian maps, for one forward and one backward pass.

    The batch's rows, mask and ``key`` (augmentation, dropout) are fixed, so that f(θ), Jd and f(θ') see the same.
    """
    batch = without_padding(batch)

    def model(p: Params) -> tuple[Any, ModelState]:
        return objective.apply(p, model_state, batch.inputs, train=True, key=key, mask=batch.mask)

    outputs, pushforward, new_state = jax.linearize(model, params, has_aux=True)
    transpose = jax.linear_transpose(pushforward, params)

    def pullback(cotangent: Any) -> Params:
        return transpose(cotangent)[0]

    losses, output_pullback = jax.vjp(lambda z: objective.loss.value(z, batch.targets), outputs)
    weights = example_weights(losses, batch.mask)
    return Linearization(
        loss=objective.loss,
        params=params,
        targets=batch.targets,
        outputs=outputs,
        losses=losses,
        weights=weights,
        value=jnp.sum(weights * losses),
        gradient=pullback(output_pullback(weights)[0]),
        model_state=new_state,
        pushforward=pushforward,
        pullback=pullback,
        outputs_at=lambda p: model(p)[0],
        precision=objective.precision,
    )
