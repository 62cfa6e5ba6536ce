"""The Fisher of a model of one's own, with all else that the optax form's ``update`` asks for, from one linearization."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jaxtyping import Array, Float

from qlr_core.curvature import fisher
from qlr_core.losses import Loss
from qlr_core.objective import Batch, Linearization, Objective, Params, linearize


@dataclass(frozen=True)
class FisherForm:
    """vᵀFv at θ as a function of v, to be passed as ``quadratic_form``; valid only inside the trace that made it.

    ``value`` is f(θ), ``grad`` its gradient, ``aux`` what the model returned beside its outputs; ``value_fn`` and
    ``change_fn`` are f and its change at other parameters, on the same batch.
    """

    linearization: Linearization

    def __call__(self, v: Params) -> Float[Array, ""]:
        """vᵀFv, for one pushforward through the model."""
        return fisher.quadratic_form(self.linearization, v)

    @property
    def value(self) -> Float[Array, ""]:
        """f(θ)."""
        return self.linearization.value

    @property
    def grad(self) -> Params:
        """∇f(θ)."""
        return self.linearization.gradient

    @property
    def aux(self) -> Any:
        """What ``model_fn`` returned beside the outputs, such as running statistics; None without ``has_aux``."""
        return self.linearization.model_state

    def value_fn(self, params: Params) -> Float[Array, ""]:
        """f at other parameters."""
        return self.linearization.value_at(params)

    def change_fn(self, new_params: Params) -> Float[Array, ""]:
        """f(new) − f(θ), the mean of the examples' differences, which rounds less than the difference of the means."""
        return self.linearization.change_to(new_params)

    def arguments(self) -> dict[str, Any]:
        """All keyword arguments of ``update``."""
        return {
            "value": self.value,
            "grad": self.grad,
            "value_fn": self.value_fn,
            "quadratic_form": self,
            "change_fn": self.change_fn,
            "rounding": self.linearization.rounding(),
        }


def fisher_form(
    model_fn: Callable[[Params, Any], Any],
    loss: Loss | Callable[[Any, Any], Float[Array, "..."]],
    params: Params,
    batch: Batch | tuple[Any, ...],
    *,
    has_aux: bool = False,
) -> FisherForm:
    """The Fisher of a model at ``params`` on a batch; a whole step of AdamQLR then costs two values and gradients.

    ``model_fn(params, inputs)`` gives the outputs, with ``has_aux`` (outputs, aux). Whatever else it works with, such as
    running statistics or the key of dropout, it closes over, so that f(θ), Jd and f(θ') see the same. ``loss`` is one of
    ``LOSSES``, or a function (outputs, targets) of the outputs that gives one number an example, convex in the outputs:
    for such a one the Fisher is the generalized Gauss-Newton matrix. ``batch`` is (inputs, targets) or (inputs, targets,
    mask), as of ``Batch``.

        form = qlr.fisher_form(model_fn, qlr.SOFTMAX_CROSS_ENTROPY, params, (inputs, labels))
        updates, state = optimizer.update(form.grad, state, params, **form.arguments())

    Raises:
        ValueError: for a loss that has no Fisher.
    """
    if not isinstance(loss, Loss):
        loss = Loss(getattr(loss, "__name__", "loss"), "A loss of one's own", loss)
    if not fisher.defined_for(loss):
        raise ValueError(f"{loss.label} has no Fisher; leave quadratic_form out for the Hessian.")

    def apply(params: Params, model_state: Any, inputs: Any, *, train: bool, key: Any, mask: Any) -> tuple[Any, Any]:
        return model_fn(params, inputs) if has_aux else (model_fn(params, inputs), None)

    return FisherForm(linearize(Objective(apply, loss), params, None, Batch(*batch)))
