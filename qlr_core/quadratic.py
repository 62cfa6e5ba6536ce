"""The damped quadratic model of the loss along one direction, and the rule that adapts its damping.

Symbols, as in Clarke & Hernández-Lobato 2024 (arXiv 2310.14963), section 3 and algorithm 1, after Martens & Grosse 2015:

    d   direction, to be subtracted       g   gradient of f at θ           α   learning rate
    κ   dᵀCd, the curvature along d       λ   damping                      q   κ + λ dᵀd, the damped curvature
    M(α) = f − α gᵀd + ½ α² q             ρ   (f(θ − αd) − f) / (M(α) − f), the reduction ratio

Every function maps scalars to a scalar, works under jit and vmap, and lets NaN travel.
"""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

Number = Float[Array, ""] | float
Truth = Bool[Array, ""] | bool

# Below ρ = ¼ the damping grows, above ¾ it shrinks (Martens & Grosse 2015, section 6.5).
LOW_RATIO, HIGH_RATIO = 0.25, 0.75


def damped_curvature(curvature: Number, damping: Number, squared_norm: Number) -> Any:
    """q = dᵀCd + λ dᵀd."""
    return curvature + damping * squared_norm


def best_learning_rate(slope: Number, damped: Number, absolute: Number = 0.0) -> Any:
    """α* = gᵀd / q, the stationary point of the model: its minimum where q > 0, its maximum where q < 0.

    With ``absolute`` = 1 ("saddle-free"; Dauphin et al. 2014) it is gᵀd / |q|. A slope of exactly 0 gives 0, so nothing
    moves at a stationary point, where q may be 0 too.
    """
    # Differs from the paper: its program divides 0 by 0 at an exactly zero gradient and turns into NaN.
    denominator = jnp.where(jnp.asarray(absolute) > 0, jnp.abs(damped), damped)
    still = slope == 0
    return jnp.where(still, jnp.zeros_like(slope), slope / jnp.where(still, jnp.ones_like(denominator), denominator))


def predicted_change(learning_rate: Number, slope: Number, damped: Number) -> Any:
    """ΔM = −α gᵀd + ½ α² q, the change of the loss that the damped model promises; q with its sign."""
    return -learning_rate * slope + 0.5 * learning_rate * learning_rate * damped


def reduction_ratio(actual: Number, predicted: Number) -> Any:
    """ρ = Δf / ΔM: 1 where the model keeps its promise; NaN where nothing moves (0/0)."""
    return actual / predicted


def is_reliable(predicted: Number, value: Number, new_value: Number, rounding_multiple: Number) -> Any:
    """Whether ρ is more than rounding noise: |ΔM| ≥ c · eps · max(|f|, |f'|).

    eps is the spacing of the loss's own floating-point type at 1; c = 0 calls everything reliable.
    """
    # Differs from the paper: it has no such test; c = 0 switches it off.
    spacing = jnp.finfo(jnp.asarray(value).dtype).eps
    scale = jnp.maximum(jnp.abs(value), jnp.abs(new_value))
    return ~(jnp.abs(predicted) < rounding_multiple * spacing * scale)


def adapt_damping(
    damping: Number, ratio: Number, decrease: Number, increase: Number, minimum: Number, reliable: Truth = True
) -> Any:
    """The damping of the next step: × ``decrease`` where ρ > ¾, × ``increase`` where ρ < ¼, else (and for NaN) as it is.

    An unreliable ρ leaves it alone too; then the floor ``minimum``. Algorithm 1 of the paper, lines on λ.
    """
    factor = jnp.where(ratio > HIGH_RATIO, decrease, jnp.where(ratio < LOW_RATIO, increase, 1.0))
    return jnp.maximum(jnp.where(reliable, damping * factor, damping), minimum)
