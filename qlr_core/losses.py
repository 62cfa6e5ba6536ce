"""The losses of one example, as functions of a model's outputs: their values, and how they bend."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


@dataclass(frozen=True)
class Loss:
    """A loss of one example, as a function of the model's outputs z.

    ``value(z, targets)`` gives one number an example: it reduces the trailing axes of z. ``output_product(z, targets, t)``
    gives H_out t, the Hessian of that number with respect to z, applied to t; by default it is found by
    differentiating ``value`` at the outputs, which is right for any loss. ``has_fisher`` says that H_out is positive
    semidefinite and tells something: the generalized Gauss-Newton matrix JᵀH_outJ is then the Fisher for the losses
    that are negative log-likelihoods of an exponential family (Martens 2020, "New insights and perspectives on the
    natural gradient method", section 9).
    """

    name: str
    label: str
    value: Callable[[Any, Any], Float[Array, "..."]]
    analytic_output_product: Callable[[Any, Any, Any], Any] | None = None
    has_fisher: bool = True

    def total(self, outputs: Any, targets: Any) -> Float[Array, ""]:
        """The sum of the examples' losses."""
        return jnp.sum(self.value(outputs, targets))

    def output_product(self, outputs: Any, targets: Any, tangent: Any) -> Any:
        """H_out t for every example, in the shape of the outputs."""
        if self.analytic_output_product is not None:
            return self.analytic_output_product(outputs, targets, tangent)
        return jax.jvp(lambda z: jax.grad(self.total)(z, targets), (outputs,), (tangent,))[1]


def softmax_cross_entropy(outputs: Float[Any, "... classes"], labels: Int[Any, "..."]) -> Float[Array, "..."]:
    """−ln of the label's softmax probability, in nats, as log1p(Σ exp(zₖ − z_y)) over the other classes; NaN for no class.

    The textbook's logsumexp(z) − z_y is a difference of numbers of the size of the logits: in float32 it rounds a loss
    below 1e-6 to 0. This form keeps a small loss to its own last digits, and so Δf, a difference of two such losses.
    """
    # Differs from the paper: its program uses the textbook's form.
    classes = outputs.shape[-1]
    is_label = labels[..., None] == jnp.arange(classes)
    others: Any = jax.nn.logsumexp(outputs, axis=-1, where=~is_label)
    loss = jax.nn.softplus(others - jnp.sum(outputs, axis=-1, where=is_label))
    return jnp.where((labels >= 0) & (labels < classes), loss, jnp.nan)


def _softmax_product(outputs: Any, targets: Any, tangent: Any) -> Any:
    # diag(p) − ppᵀ does not depend on the label, and does not see a tangent that is the same for all classes. Measured
    # from the likeliest class, the tangent cancels nothing where the model is sure: p (1 − p) keeps its digits.
    probabilities = jax.nn.softmax(outputs)
    likeliest = jnp.argmax(outputs, axis=-1, keepdims=True)
    relative = tangent - jnp.take_along_axis(tangent, likeliest, axis=-1)
    return probabilities * (relative - jnp.sum(probabilities * relative, axis=-1, keepdims=True))


SOFTMAX_CROSS_ENTROPY = Loss(
    "softmax_cross_entropy",
    "Softmax cross-entropy (nats)",
    softmax_cross_entropy,
    _softmax_product,
)
SQUARED_ERROR = Loss(
    "squared_error",
    "Squared error, ½ Σ (z − y)²",
    lambda outputs, targets: 0.5 * jnp.sum(jnp.square(outputs - targets), axis=-1),
    lambda outputs, targets, tangent: tangent,
)
# A surface with residuals r is one example with loss ½‖r‖²; one without is one example whose output is the loss itself.
RESIDUALS = Loss(
    "residuals",
    "½ ‖r‖²",
    lambda outputs, targets: 0.5 * jnp.sum(jnp.square(outputs), axis=-1),
    lambda outputs, targets, tangent: tangent,
)
PLAIN_VALUE = Loss("plain_value", "The function itself", lambda outputs, targets: outputs, has_fisher=False)

LOSSES = (SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, RESIDUALS, PLAIN_VALUE)
