"""Models as pure functions: ``init(key) -> (params, model_state)`` and ``apply``, by Flax."""

from qlr_core.models.base import Model
from qlr_core.models.mlp import mlp

__all__ = ["Model", "mlp"]
