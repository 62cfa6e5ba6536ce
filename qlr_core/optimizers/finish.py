"""What follows −αd in every optimizer: weight decay, the clip of the update, and the envelope of warm-up and decay."""

from typing import Annotated, Any, NamedTuple

import jax.numpy as jnp
import optax

from qlr_core.inner import clip_by_norm
from qlr_core.ranges import Range, Scalar


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


class FinishKnobs(NamedTuple):
    """The numbers of what every optimizer does with the gradient before its direction, and with the move after it."""

    max_gradient_norm: Annotated[
        Scalar,
        Range(jnp.inf, 1e-3, 1e3, "‖g‖ₘₐₓ", "Gradient-norm clip",
              "A longer gradient is shortened to this norm before all else.",
              log=True, neutral=jnp.inf, minimum=1e-30, advanced=True, source="Pascanu et al. 2013"),
    ]  # fmt: skip
    weight_decay: Annotated[
        Scalar,
        Range(0.0, 1e-6, 1e-1, "w", "Weight decay", "The share of θ that every step takes away, apart from the gradient.",
              log=True, neutral=0.0, minimum=0.0, maximum=1.0, advanced=True, source="Loshchilov & Hutter 2019, eq. 4"),
    ]  # fmt: skip
    max_update_norm: Annotated[
        Scalar,
        Range(jnp.inf, 1e-3, 1e3, "‖Δθ‖ₘₐₓ", "Update-norm clip", "A longer move is shortened to this norm.",
              log=True, neutral=jnp.inf, minimum=1e-30, advanced=True, source="Pascanu et al. 2013, applied to the update"),
    ]  # fmt: skip
    warmup_steps: Annotated[
        Scalar,
        Range(0.0, 1.0, 500.0, "T↑", "Warm-up steps", "The move grows linearly to its full length over this many steps.",
              integer=True, neutral=0.0, minimum=0.0, maximum=1e9, advanced=True, source="Loshchilov & Hutter 2017"),
    ]  # fmt: skip
    decay_steps: Annotated[
        Scalar,
        Range(jnp.inf, 10.0, 2000.0, "T↓", "Cosine decay steps",
              "After the warm-up the move falls to nothing over this many steps.",
              integer=True, log=True, neutral=jnp.inf, minimum=1.0, advanced=True, source="Loshchilov & Hutter 2017, eq. 5"),
    ]  # fmt: skip


def finish(knobs: Any) -> optax.GradientTransformation:
    """What follows −αd: decoupled weight decay, update-norm clip, envelope, in this order.

    The decay is a share of θ itself, so that only the envelope scales it (Loshchilov & Hutter 2019, algorithm 2). Alone it
    can lead away from the line along d: the move stays on it where ``weight_decay`` is 0.
    """
    return optax.chain(
        optax.add_decayed_weights(-knobs.weight_decay),
        optax.stateless(lambda move, params: clip_by_norm(move, knobs.max_update_norm)[0]),
        optax.scale_by_schedule(envelope(knobs.warmup_steps, knobs.decay_steps)),
    )
