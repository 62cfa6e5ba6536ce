"""The authors' own problems and scales: their squared error, their Rosenbrock, their curvature."""

import dataclasses

import jax.numpy as jnp

from qlr_core.curvature import Curvature, curvature_named
from qlr_core.losses import Loss
from qlr_core.objective import Objective

# The authors' squared error: the mean over the outputs too.
MEAN_SQUARE = Loss("mean_square", "½ mean (z − y)²", lambda z, y: 0.5 * jnp.mean(jnp.square(z - y), axis=-1))


def rosenbrock() -> Objective:
    """½ the mean of two squared residuals, the authors' scale: a quarter of (1 − x)² + 100 (y − x²)²."""

    def apply(params, model_state, inputs, *, train, key, mask):
        x, y = params
        return jnp.stack([1 - x, 10 * (y - x**2)])[None], model_state

    return Objective(apply, MEAN_SQUARE)


def authors_curvature(name: str, factor: float) -> Curvature:
    """The curvature, scaled to the authors' C."""
    curvature = curvature_named(name)
    return dataclasses.replace(curvature, quadratic_form=lambda lin, v: factor * curvature.quadratic_form(lin, v))
