"""A decoder-only transformer that predicts the next token, in the form of GPT-2.

Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3: layer normalization at the input
of each sub-block and after the last, residual layers whose initial weights shrink with their number. The rest is that of
Radford et al. 2018, "Improving language understanding by generative pre-training", section 4.1: learned positions, GELU
of four times the width, dropout of embeddings, attention and residual layers, and the embedding again as the last layer.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Int, Key

from qlr_core.models.base import Model, ModelSpec
from qlr_core.objective import ModelState, Params

# Radford et al. 2018, section 4.1: N(0, 0.02) for every weight. OpenAI's program (gpt-2, model.py) has 0.01 for positions.
_WEIGHT_SCALE, _POSITION_SCALE = 0.02, 0.01
_dense = partial(nn.Dense, kernel_init=nn.initializers.normal(_WEIGHT_SCALE))
# ε as in OpenAI's program.
_normalization = partial(nn.LayerNorm, epsilon=1e-5)


@dataclass(frozen=True)
class TransformerSize:
    """How large a transformer is: its layers, the width of the residual stream, heads, and the most tokens of a row."""

    layers: int
    width: int
    heads: int
    context: int

    def __post_init__(self) -> None:
        if min(self.layers, self.width, self.heads, self.context) < 1 or self.width % self.heads:
            raise ValueError(f"{self} is no transformer; give numbers of 1 or more, and a width that the heads divide.")


SMALL = TransformerSize(layers=4, width=128, heads=4, context=70)
# Radford et al. 2019, table 2, first row; the heads are those of Radford et al. 2018, section 4.1.
GPT2_SMALL = TransformerSize(layers=12, width=768, heads=12, context=1024)


class _Block(nn.Module):
    """Causal self-attention and an MLP, each added to the residual stream ``values``."""

    size: TransformerSize
    dropout: float

    @nn.compact
    def __call__(self, values: Any, train: bool) -> Any:
        size, drop = self.size, nn.Dropout(self.dropout, deterministic=not train)
        # Two residual layers a block.
        residual = nn.initializers.normal(_WEIGHT_SCALE / (2 * size.layers) ** 0.5)
        attention = nn.MultiHeadDotProductAttention(
            size.heads,
            dropout_rate=self.dropout,
            broadcast_dropout=False,
            deterministic=not train,
            kernel_init=nn.initializers.normal(_WEIGHT_SCALE),
            out_kernel_init=residual,
        )
        causal = nn.make_causal_mask(values[..., 0])
        values = values + drop(attention(_normalization()(values), mask=causal))
        hidden = nn.gelu(_dense(4 * size.width)(_normalization()(values)))
        return values + drop(nn.Dense(size.width, kernel_init=residual)(hidden))


class _Transformer(nn.Module):
    vocabulary: int
    size: TransformerSize
    dropout: float

    @nn.compact
    def __call__(self, tokens: Any, train: bool) -> Any:
        size = self.size
        embedding = nn.Embed(self.vocabulary, size.width, embedding_init=nn.initializers.normal(_WEIGHT_SCALE), name="tokens")
        positions = nn.Embed(size.context, size.width, embedding_init=nn.initializers.normal(_POSITION_SCALE), name="positions")
        values = embedding(tokens) + positions(jnp.arange(tokens.shape[1], dtype=jnp.int32))
        values = nn.Dropout(self.dropout, deterministic=not train)(values)
        for _ in range(size.layers):
            values = _Block(size, self.dropout)(values, train)
        return embedding.attend(_normalization()(values))


@lru_cache(maxsize=64)
def transformer(vocabulary: int, size: TransformerSize = SMALL, dropout: float = 0.1) -> Model:
    """A GPT of that size: tokens (rows, tokens) in, logits of each next token (rows, tokens, vocabulary) out.

    Equal arguments give the same object. An example is a token: targets are (rows, tokens), the mask (rows, tokens) or
    (rows,). The mask does not enter the model, as no token sees a later one; so padding belongs at the end of a row.
    ``dropout`` is the share of values that is zeroed with ``train``, drawn from the key. A token outside the vocabulary
    gives NaN. ValueError for numbers out of range, a row longer than the context, or dropout without a key.
    """
    if vocabulary < 1 or not 0 <= dropout < 1:
        raise ValueError(
            f"vocabulary = {vocabulary} and dropout = {dropout}: give 1 token or more, and a share from 0 to below 1."
        )
    module = _Transformer(vocabulary, size, dropout)

    def init(key: Key[Array, ""], inputs: Any) -> tuple[Params, ModelState]:
        return module.init(key, inputs[:1], train=False)["params"], None

    def apply(
        params: Params, model_state: ModelState, inputs: Int[Array, "rows tokens"], *, train: bool, key: Any, mask: Any
    ) -> tuple[Any, ModelState]:
        if inputs.shape[1] > size.context:
            raise ValueError(f"A row of {inputs.shape[1]} tokens is longer than the context; give at most {size.context}.")
        if train and dropout and key is None:
            raise ValueError("Dropout needs a key in training; give one, or build the transformer with dropout = 0.")
        rngs = {"dropout": key} if train and dropout else None
        return module.apply({"params": params}, inputs, train=train, rngs=rngs), model_state

    return Model(init, apply)


TRANSFORMER_SMALL = ModelSpec(
    "transformer_small", "Transformer, 4 layers", "Radford et al. 2019, section 2.3", transformer, (SMALL.context,), jnp.int32
)
TRANSFORMER_GPT2 = ModelSpec(
    "gpt2_small",
    "GPT-2 small",
    "Radford et al. 2019, table 2",
    lambda vocabulary: transformer(vocabulary, GPT2_SMALL),
    (GPT2_SMALL.context,),
    jnp.int32,
)
