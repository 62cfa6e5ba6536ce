"""Models as pure functions: ``init(key) -> (params, model_state)`` and ``apply``, by Flax."""

from qlr_core.models.base import Model
from qlr_core.models.memory import check_memory
from qlr_core.models.mlp import mlp, parameter_count

__all__ = ["Model", "check_memory", "mlp", "parameter_count"]
