"""The models of the full tasks, made of the data to fit. What a model needs, JAX too, is imported when it is made."""

from typing import TYPE_CHECKING

from qlr_core.tasks.data import TaskData

if TYPE_CHECKING:
    from qlr_core.models import Model


def rosenbrock_residuals(data: TaskData) -> "Model":
    """The two numbers of the surface, with its residuals as the outputs."""
    from qlr_core.surfaces.functions import rosenbrock
    from qlr_core.surfaces.model import surface_model

    return surface_model(rosenbrock)


def one_hidden_layer(hidden: int, outputs: int, data: TaskData) -> "Model":
    """A multilayer perceptron."""
    from qlr_core.models import mlp

    return mlp((hidden,), outputs)


def resnet_18(augments: bool, data: TaskData) -> "Model":
    """ResNet-18 for ten classes; the pixels that a crop adds are of the mean color."""
    from qlr_core.models import resnet
    from qlr_core.models.augmented import augmented
    from qlr_core.models.normalized import normalized

    model = resnet(10)
    return normalized(augmented(model) if augments else model, data.pixel_mean, data.pixel_scale)


def small_transformer(data: TaskData) -> "Model":
    """A GPT-2 of a few layers, over the vocabulary of the text."""
    from qlr_core.models import transformer

    return transformer(len(data.vocabulary))
