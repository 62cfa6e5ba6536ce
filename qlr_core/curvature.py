"""Curvature matrices C of an objective, never written out: the product Cv and the quadratic form vᵀCv.

All three have the scale of the loss that is minimized: mean over the batch's examples, sum over the outputs.

    Fisher             C = Σᵢ wᵢ Jᵢᵀ H_out,ᵢ Jᵢ     form: one pushforward Jv
    Hessian            C = ∇²f                      form: the second derivative of f along v, forward over forward
    empirical Fisher   C = Σᵢ wᵢ gᵢgᵢᵀ              form: one pushforward, then gᵢᵀv = (∂ℓᵢ/∂zᵢ)ᵀ (Jv)ᵢ

For softmax cross-entropy and squared error the Fisher equals the generalized Gauss-Newton matrix (Martens 2020, section
9); for any other convex loss the name stands for the latter. References: Clarke & Hernández-Lobato 2024, section 3.2 and
appendix on curvature; Kunstner et al. 2019 on the empirical Fisher.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from qlr_core.losses import Loss
from qlr_core.objective import Linearization, Params, per_example_sum
from qlr_core.registry import named


@dataclass(frozen=True)
class Curvature:
    """One kind of curvature matrix.

    ``product(lin, v)`` is Cv in the shape of the parameters, ``quadratic_form(lin, v)`` the scalar vᵀCv; ``form_cost`` is
    the price of the form beside a linearization, in forward passes of the model, ``product_cost`` that of the product.
    """

    name: str
    label: str
    product: Callable[[Linearization, Params], Params]
    quadratic_form: Callable[[Linearization, Params], Float[Array, ""]]
    form_cost: float
    product_cost: float

    def defined_for(self, loss: Loss) -> bool:
        """Whether this matrix says anything about the loss: a function that is its own output has no Fisher."""
        return self.name != "fisher" or loss.has_fisher


def _weighted(lin: Linearization, values: Any) -> Any:
    """The per-example weights times a value in the shape of the outputs."""
    return lin.weights.reshape(lin.weights.shape + (1,) * (values.ndim - lin.weights.ndim)) * values


def _fisher_product(lin: Linearization, v: Params) -> Params:
    return lin.pullback(_weighted(lin, lin.loss.output_product(lin.outputs, lin.targets, lin.pushforward(v))))


def _fisher_form(lin: Linearization, v: Params) -> Float[Array, ""]:
    jv = lin.pushforward(v)
    return jnp.sum(lin.weights * per_example_sum(jv * lin.loss.output_product(lin.outputs, lin.targets, jv), lin.losses))


def _hessian_product(lin: Linearization, v: Params) -> Params:
    return jax.jvp(jax.grad(lin.value_at), (lin.params,), (v,))[1]


def second_derivative_along(value_fn: Callable[[Params], Any], params: Params, v: Params) -> Any:
    """vᵀ∇²f(θ)v, forward over forward: no backward pass, so no stored activations."""

    def slope(at: Params) -> Any:
        return jax.jvp(value_fn, (at,), (v,))[1]

    return jax.jvp(slope, (params,), (v,))[1]


def _hessian_form(lin: Linearization, v: Params) -> Float[Array, ""]:
    return second_derivative_along(lin.value_at, lin.params, v)


def _empirical_product(lin: Linearization, v: Params) -> Params:
    output_gradient = lin.output_gradient()
    slopes = per_example_sum(output_gradient * lin.pushforward(v), lin.losses)
    return lin.pullback(
        _weighted(lin, slopes.reshape(slopes.shape + (1,) * (output_gradient.ndim - slopes.ndim)) * output_gradient)
    )


def _empirical_form(lin: Linearization, v: Params) -> Float[Array, ""]:
    slopes = per_example_sum(lin.output_gradient() * lin.pushforward(v), lin.losses)
    return jnp.sum(lin.weights * jnp.square(slopes))


fisher = Curvature("fisher", "Fisher", _fisher_product, _fisher_form, form_cost=2.0, product_cost=4.0)
# Form: value, first and second derivative along v cost 1 + 2 + 2; the value is shared with the linearization.
hessian = Curvature("hessian", "Hessian", _hessian_product, _hessian_form, form_cost=4.0, product_cost=6.0)
empirical_fisher = Curvature(
    "empirical_fisher", "Empirical Fisher", _empirical_product, _empirical_form, form_cost=2.0, product_cost=4.0
)

CURVATURES = (fisher, hessian, empirical_fisher)


def curvature_among(choices: Iterable[tuple[str, str]]) -> str:
    """The curvature that an optimizer's resolved choices name; the Fisher, which is shown of one that looks at none."""
    return dict(choices).get("curvature", fisher.name)


def curvature_named(name: str) -> Curvature:
    """The curvature of that name; ValueError with the names there are."""
    return named(CURVATURES, name, "curvature")
