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
    """ΔM = −α gᵀd + ½ α² q, the change of the loss that the damped model promises for −αd; q with its sign."""
    return -learning_rate * slope + 0.5 * learning_rate * learning_rate * damped


def made_learning_rate(learning_rate: Number, move_norm: Number, direction_norm: Number) -> Any:
    """The α of a move along d that a clip or a schedule has shortened: ‖m‖ / ‖d‖ with the sign of ``learning_rate``."""
    still = move_norm == 0
    return jnp.where(still, 0.0, jnp.sign(learning_rate) * move_norm / jnp.where(still, 1.0, direction_norm))


def reduction_ratio(actual: Number, predicted: Number, undefined: Number = jnp.nan) -> Any:
    """ρ = Δf / ΔM: 1 where the model keeps its promise; ``undefined`` where nothing moves (0/0)."""
    still = (jnp.asarray(actual) == 0) & (jnp.asarray(predicted) == 0)
    return jnp.where(still, undefined, actual / jnp.where(still, 1.0, predicted))


def is_reliable(predicted: Number, rounding: Number, rounding_multiple: Number) -> Any:
    """Whether ρ is more than rounding noise: |ΔM| ≥ c · (the rounding of Δf); c = 0 calls everything reliable.

    ``rounding`` is ``Linearization.rounding``, or eps |f| where no more is known of the loss.
    """
    # Differs from the paper: it has no such test; c = 0 switches it off.
    return ~(jnp.abs(predicted) < rounding_multiple * rounding)


def hides_promise(slope: Number, curvature: Number, damped: Number, rounding: Number, rounding_multiple: Number) -> Any:
    """Whether λ alone is why nothing can be told: the undamped model's promise stands out of the rounding, its own not.

    The promises are −½ (gᵀd)² / κ, for κ > 0, and −½ (gᵀd)² / q. Such a λ may fall without a ρ to ask for it, or it
    would hold for ever.
    """
    # Differs from the paper: without the rounding guard it needs no way back; c = 0 switches it off.
    undamped = 0.5 * slope * slope / jnp.where(curvature > 0, curvature, jnp.inf)
    its_own = 0.5 * slope * best_learning_rate(slope, damped)
    return is_reliable(undamped, rounding, rounding_multiple) & ~is_reliable(its_own, rounding, rounding_multiple)


def adapt_damping(
    damping: Number,
    ratio: Number,
    decrease: Number,
    increase: Number,
    minimum: Number,
    reliable: Truth = True,
    hides: Truth = False,
) -> Any:
    """The damping of the next step: × ``decrease`` where ρ > ¾, × ``increase`` where ρ < ¼, else (and for NaN) as it is.

    An unreliable ρ leaves it alone too, unless λ ``hides`` what there is to gain: then × ``decrease``. At last the floor
    ``minimum``. Algorithm 1 of the paper, lines on λ.
    """
    told = jnp.where(ratio > HIGH_RATIO, decrease, jnp.where(ratio < LOW_RATIO, increase, 1.0))
    factor = jnp.where(reliable, told, jnp.where(hides, decrease, 1.0))
    return jnp.maximum(damping * factor, minimum)
