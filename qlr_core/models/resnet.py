"""A residual network for small images, with batch normalization that leaves padding rows out.

He et al. 2016, "Deep residual learning for image recognition": the blocks are those of figure 2 and of ResNet-18 in
table 1, the shortcuts identities where shapes agree and 1×1 projections where they do not (equations 1 and 2, option B of
section 4.1). For 32×32 images the stem is a 3×3 convolution with stride 1 and no pooling, as in section 4.2.
"""

from functools import lru_cache, partial
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from qlr_core.models.base import Model, ModelSpec
from qlr_core.objective import ModelState, Params

# He et al. 2015, "Delving deep into rectifiers", equation 10; a bias would only shift what the normalization centers.
_convolution = partial(nn.Conv, use_bias=False, kernel_init=nn.initializers.he_normal())
# The momentum and ε of the usual implementations (torchvision's). The variance is that of the differences from the mean:
# with Flax's default, E[x²] − E[x]², digits cancel, and Δf of a small step was 3 to 20 times as far from its float64 value.
_normalization = partial(nn.BatchNorm, momentum=0.9, epsilon=1e-5, use_fast_variance=False)


class _Block(nn.Module):
    """Two 3×3 convolutions and the shortcut around them; ``shown`` says which rows are no padding."""

    width: int
    stride: int

    @nn.compact
    def __call__(self, inputs: Any, train: bool, shown: Any) -> Any:
        normalization = partial(_normalization, use_running_average=not train)
        values = _convolution(self.width, (3, 3), self.stride, padding=1)(inputs)
        values = nn.relu(normalization()(values, mask=shown))
        values = _convolution(self.width, (3, 3), padding=1)(values)
        values = normalization()(values, mask=shown)
        if inputs.shape != values.shape:
            inputs = _convolution(self.width, (1, 1), self.stride, padding=0)(inputs)
            inputs = normalization()(inputs, mask=shown)
        return nn.relu(inputs + values)


class _ResNet(nn.Module):
    outputs: int
    width: int
    blocks: tuple[int, ...]

    @nn.compact
    def __call__(self, images: Any, train: bool, shown: Any) -> Any:
        values = _convolution(self.width, (3, 3), padding=1)(images)
        values = nn.relu(_normalization(use_running_average=not train)(values, mask=shown))
        for stage, count in enumerate(self.blocks):
            for block in range(count):
                stride = 2 if stage > 0 and block == 0 else 1
                values = _Block(self.width * 2**stage, stride)(values, train, shown)
        return nn.Dense(self.outputs)(jnp.mean(values, axis=(1, 2)))


@lru_cache(maxsize=64)
def resnet(outputs: int, width: int = 64, blocks: tuple[int, ...] = (2, 2, 2, 2)) -> Model:
    """A ResNet for images (rows, height, width, channels); by default ResNet-18. Equal arguments give the same object.

    ``blocks`` counts the blocks of each stage; the first stage has ``width`` channels, every further one twice as many at
    half the resolution. The model state holds the running means and (biased) variances of the normalizations.

    With ``train`` the rows that ``mask`` (rows,) counts are normalized by their own statistics, and a tenth of those
    enters the running ones; without it the running ones are used. A padding row is normalized along but changes
    nothing, and a batch of padding alone leaves the running statistics as they are. ValueError for a number below 1.
    """
    if min(outputs, width, *blocks, len(blocks)) < 1:
        raise ValueError(f"A ResNet of {outputs} outputs, width {width} and blocks {blocks} is none; give 1 or more of each.")
    module = _ResNet(outputs, width, blocks)

    def init(key: Key[Array, ""], inputs: Any) -> tuple[Params, ModelState]:
        variables = module.init(key, inputs[:1], train=False, shown=None)
        return variables["params"], variables["batch_stats"]

    def apply(
        params: Params, model_state: ModelState, inputs: Any, *, train: bool, key: Any, mask: Float[Array, " rows"] | None
    ) -> tuple[Any, ModelState]:
        variables = {"params": params, "batch_stats": model_state}
        if not train:
            return module.apply(variables, inputs, train=False, shown=None), model_state
        counts = jnp.ones(len(inputs), bool) if mask is None else mask > 0
        # A mean over no rows is NaN: where all are padding, they are normalized by their own statistics.
        shown = (counts | ~jnp.any(counts))[:, None, None, None]
        outputs, updated = module.apply(variables, inputs, train=True, shown=shown, mutable=["batch_stats"])
        return outputs, jax.tree.map(partial(jnp.where, jnp.any(counts)), updated["batch_stats"], model_state)

    return Model(init, apply)


RESNET_18 = ModelSpec("resnet_18", "ResNet-18", "He et al. 2016, table 1", resnet, input_shape=(32, 32, 3))
