"""The numbers of the rule that chooses α and λ, each described once; every optimizer that has the rule nests them."""

from typing import Annotated, Any, NamedTuple, TypedDict

import jax.numpy as jnp

from qlr_core.ranges import Range, Scalar

PAPER = "Clarke & Hernández-Lobato 2024"


class RuleKnobs(NamedTuple):
    """The numbers of the quadratic learning rate and its damping; the defaults are the paper's untuned ones."""

    initial_damping: Annotated[
        Scalar,
        Range(1e-3, 1e-8, 1.0, "λ₀", "Initial damping", "λ of the first step: larger means shorter, more careful steps.",
              log=True, neutral=0.0, minimum=0.0, source=PAPER),
    ]  # fmt: skip
    damping_decrease: Annotated[
        Scalar,
        Range(0.5, 0.5, 1.0, "ω↓", "Damping decrease", "λ is multiplied by this after a step that kept its promise.",
              neutral=1.0, minimum=0.0, maximum=1.0, source=PAPER),
    ]  # fmt: skip
    damping_increase: Annotated[
        Scalar,
        Range(2.0, 1.0, 4.0, "ω↑", "Damping increase", "λ is multiplied by this after a step that broke its promise.",
              neutral=1.0, minimum=1.0, maximum=1e6, source=PAPER),
    ]  # fmt: skip
    min_damping: Annotated[
        Scalar,
        Range(1e-8, 1e-12, 1e-2, "λ_min", "Damping floor", "λ never falls below this.", log=True, neutral=0.0, minimum=0.0,
              advanced=True, source=PAPER),
    ]  # fmt: skip
    max_learning_rate: Annotated[
        Scalar,
        Range(jnp.inf, 1e-4, 10.0, "α_max", "Learning-rate clip", "α is held between −α_max and α_max.", log=True,
              neutral=jnp.inf, minimum=0.0, source=PAPER + "; 0.1 in its earlier, clipped variant"),
    ]  # fmt: skip
    amplification: Annotated[
        Scalar,
        Range(1.0, 0.1, 3.0, "×", "Amplification", "α is multiplied by this after the clip; at 2 the model promises nothing.",
              neutral=1.0, minimum=0.0, maximum=1e6, advanced=True, source=PAPER),
    ]  # fmt: skip
    averaging: Annotated[
        Scalar,
        Range(0.0, 0.0, 0.99, "μ", "Learning-rate averaging", "The share of the last α that stays in the next.",
              neutral=0.0, minimum=0.0, maximum=1.0, advanced=True, source=PAPER),
    ]  # fmt: skip
    absolute_curvature: Annotated[
        Scalar,
        Range(0.0, 0.0, 1.0, "|q|", "Absolute curvature", "α = gᵀd / |q|: never climbs where the curvature is negative.",
              switch=True, neutral=0.0, minimum=0.0, maximum=1.0, advanced=True, source="Dauphin et al. 2014"),
    ]  # fmt: skip
    rounding_multiple: Annotated[
        Scalar,
        Range(16.0, 0.0, 256.0, "c", "Rounding guard", "ρ counts as noise, and λ holds, where |ΔM| < c · eps · |f|.",
              neutral=0.0, minimum=0.0, maximum=1e12, advanced=True, source="about 12 % error of ρ at 16"),
    ]  # fmt: skip


class RuleNumbers(TypedDict, total=False):
    """The same numbers as keywords of a function, each of which may be left out; a test compares the names."""

    initial_damping: Any
    damping_decrease: Any
    damping_increase: Any
    min_damping: Any
    max_learning_rate: Any
    amplification: Any
    averaging: Any
    absolute_curvature: Any
    rounding_multiple: Any
