"""Models as pure functions: ``init(key, inputs) -> (params, model_state)`` and ``apply``, by Flax; and their registry."""

from qlr_core.models.base import Model, ModelSpec, parameter_count
from qlr_core.models.half_precision import half_precision, objective_of
from qlr_core.models.memory import check_memory
from qlr_core.models.mlp import MLP_50, mlp
from qlr_core.models.resnet import RESNET_18, resnet
from qlr_core.models.transformer import TRANSFORMER_GPT2, TRANSFORMER_SMALL, transformer
from qlr_core.registry import named

MODELS: tuple[ModelSpec, ...] = (MLP_50, RESNET_18, TRANSFORMER_SMALL, TRANSFORMER_GPT2)

__all__ = [
    "MODELS",
    "Model",
    "ModelSpec",
    "check_memory",
    "half_precision",
    "mlp",
    "model_named",
    "objective_of",
    "parameter_count",
    "resnet",
    "transformer",
]


def model_named(name: str) -> ModelSpec:
    """The model of that name; ValueError with the nearest names there are."""
    return named(MODELS, name, "model")
