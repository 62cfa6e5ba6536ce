"""Newton's method, damped: the direction (C + λI)⁻¹g from the dense curvature matrix, for up to a few hundred parameters.

Along that direction dᵀ(C + λI)d = gᵀd, so the learning rate that minimizes the damped model is 1 and ``quadratic_step``
finds it: with the decreasing-loss rule this is Levenberg-Marquardt. Sources: Levenberg 1944; Marquardt 1963; Nocedal &
Wright 2006, sections 3.3 and 10.3.
"""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from qlr_core.curvature import Curvature, curvature_named
from qlr_core.objective import Linearization, Objective, Params
from qlr_core.optimizers.adam_qlr import CURVATURE_CHOICE, DAMPING_RULE_CHOICE, QLRHyper
from qlr_core.optimizers.base import Optimizer, OptimizerSpec
from qlr_core.optimizers.quadratic_lr import Problem, damping_rule_named
from qlr_core.optimizers.steps import Direction, Found, set_damping, with_quadratic_lr

# A step writes out n × n numbers and solves in n³ operations: 500 parameters are 1 MB and some milliseconds in float32.
MOST_FOR_NEWTON = 500


def number_of_parameters(params: Params) -> int:
    """How many numbers the parameters are; ValueError where they are too many for a dense matrix."""
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    if count > MOST_FOR_NEWTON:
        raise ValueError(
            f"Newton's method writes out its curvature matrix, and {count:,} parameters are more than {MOST_FOR_NEWTON}; "
            "choose a smaller model, or AdamQLR or K-FAC, which never write theirs out."
        )
    return count


def dense(curvature: Curvature, lin: Linearization) -> Float[Array, "n n"]:
    """C as a matrix over the flattened parameters, one product for each of its columns."""
    flat, unravel = ravel_pytree(lin.params)
    units = jnp.eye(flat.size, dtype=flat.dtype)
    return jax.vmap(lambda unit: ravel_pytree(curvature.product(lin, unravel(unit)))[0])(units)


def solve(matrix: Float[Array, "n n"], vector: Float[Array, " n"]) -> Float[Array, " n"]:
    """The x with matrix · x = vector, by elimination with row exchanges; NaN or ∞ where the matrix is singular."""
    if vector.size != 2:
        return jnp.linalg.solve(matrix, vector)
    # Two unknowns written out, operation by operation as LAPACK's, make a program that a browser can run.
    (a, b), (c, d) = matrix
    u, v = vector
    exchanged = jnp.abs(c) > jnp.abs(a)
    first, other = (jnp.where(exchanged, x, y) for x, y in ((c, a), (a, c)))
    beside, below = (jnp.where(exchanged, x, y) for x, y in ((d, b), (b, d)))
    top, rest = (jnp.where(exchanged, x, y) for x, y in ((v, u), (u, v)))
    factor = other / first
    y = (rest - factor * top) / (below - factor * beside)
    return jnp.stack([(top - beside * y) / first, y])


def _newtons_direction(curvature: Curvature) -> Direction:
    def init(params: Params, hyper: Any) -> tuple[()]:
        number_of_parameters(params)
        return ()

    def find(problem: Problem, state: Any, damping: Any, hyper: Any) -> Found:
        assert problem.linearization is not None
        matrix = dense(curvature, problem.linearization)
        flat, unravel = ravel_pytree(problem.gradient)
        # A singular system gives NaN or ∞: the decreasing-loss rule takes that step back and raises λ.
        damped = matrix + damping.astype(flat.dtype) * jnp.eye(flat.size, dtype=flat.dtype)
        d = unravel(solve(damped, flat))

        def quadratic_form(v: Params) -> Float[Array, ""]:
            along = ravel_pytree(v)[0]
            return along @ matrix @ along

        return Found(d, state, quadratic_form)

    # One product for each column; the matrix then gives the quadratic form too.
    return Direction(init, find, lambda params: number_of_parameters(params) * curvature.product_cost - curvature.form_cost)


def _newton(objective: Objective, curvature: str, damping_rule: str) -> Optimizer:
    matrix_kind = curvature_named(curvature)
    return with_quadratic_lr(objective, _newtons_direction(matrix_kind), matrix_kind, damping_rule_named(damping_rule))


NEWTON = OptimizerSpec(
    name="newton",
    label="Newton",
    kind="newton",
    direction="(C + λI)⁻¹ g",
    description="Solves with the whole damped matrix; by default a step that raises the loss is taken back.",
    choose=(
        "For few parameters and many digits: least squares, surfaces, the end of a run. It writes out the matrix and solves "
        "with it, and so is no method for a large network."
    ),
    source="Levenberg 1944; Marquardt 1963",
    hyper=QLRHyper,
    build=_newton,
    choices=(
        replace(CURVATURE_CHOICE, default="hessian"),
        replace(DAMPING_RULE_CHOICE, default="decreasing_loss"),
    ),
    note=(
        "Where C + λI has a negative eigenvalue the step heads for a saddle and may climb: it is taken back until λ exceeds "
        f"the negative curvature, or the loss falls all the same. At most {MOST_FOR_NEWTON} parameters."
    ),
    carried="initial_damping",
    set_carried=set_damping,
)
