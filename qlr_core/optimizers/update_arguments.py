"""What a caller gives to the optax form: checked at once, with the remedy, and made into the ``Problem`` of the rule."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax.core import Tracer

from qlr_core.curvature import second_derivative_along
from qlr_core.objective import Params
from qlr_core.optimizers.adam_qlr import AdamQLRHyper
from qlr_core.optimizers.quadratic_lr import Problem
from qlr_core.ranges import ranges_of
from qlr_core.registry import nearest

ARGUMENTS = ("value", "grad", "value_fn", "quadratic_form", "change_fn", "rounding")


def check_numbers(**numbers: Any) -> None:
    """ValueError for a number out of its range, or none at all (a traced one cannot be looked at)."""
    ranges = ranges_of(AdamQLRHyper)
    for name, value in numbers.items():
        if callable(value):
            raise ValueError(
                f"{name} is a function; for a schedule use optax.inject_hyperparams(make)({name}=schedule), where make is the "
                "function that makes this transformation."
            )
        if not isinstance(value, Tracer):
            ranges[name].check(name, value)


def check_parameters(tree: Any) -> None:
    """ValueError where the tree is masked, or holds anything but real floating-point numbers."""

    def is_masked(node: Any) -> bool:
        return isinstance(node, optax.MaskedNode)

    for leaf in jax.tree.leaves(tree, is_leaf=is_masked):
        if is_masked(leaf):
            raise ValueError(
                "A quadratic learning rate is one number for all parameters, so the rule itself cannot be masked. Mask the "
                "links before it, for example optax.chain(optax.masked(link, mask), scale_by_quadratic_lr())."
            )
        dtype = jnp.result_type(leaf)
        if not jnp.issubdtype(dtype, jnp.floating):
            raise ValueError(
                f"There are parameters of type {dtype}; a quadratic learning rate needs real floating-point ones. Give the "
                "real and the imaginary part as two arrays, and keep other types out of the parameters."
            )


def problem_of(
    params: Any,
    gradient: Any,
    value: Any,
    value_fn: Callable[..., Any] | None,
    quadratic_form: Callable[..., Any] | None,
    change_fn: Callable[..., Any] | None,
    rounding: Any,
    extra: dict[str, Any],
) -> Problem:
    """The problem that ``update``'s arguments describe, with the Hessian and the difference of values by default.

    Of the ``extra`` arguments each function gets those that its signature names, as in optax's line searches. TypeError for
    one that no function takes; ValueError where something is no single real number.
    """
    if value_fn is None and (quadratic_form is None or change_fn is None):
        raise TypeError("update needs value_fn, the loss as a function of the parameters, or quadratic_form and change_fn.")
    functions = {"value_fn": value_fn, "quadratic_form": quadratic_form, "change_fn": change_fn}
    _refuse_unknown(extra, [function for function in functions.values() if function is not None])
    loss, form, change = (_bound(name, function, extra) for name, function in functions.items())
    if quadratic_form is None:
        form = lambda v: second_derivative_along(loss, params, v)  # noqa: E731
    if change_fn is None:
        change = lambda new_params: loss(new_params) - value  # noqa: E731
    value = _number("value", "is", value)
    if rounding is None:
        rounding = jnp.finfo(jnp.result_type(float, value)).eps * jnp.abs(value)
    # A direction may have another type than the parameters, which no derivative along it takes.
    return Problem(
        params, value, gradient, lambda v: form(optax.tree.cast_like(v, params)), change, _number("rounding", "is", rounding)
    )


def _names(function: Callable[..., Any]) -> set[str]:
    """The arguments of a function after its first, by the names that it can be given."""
    try:
        _, *others = inspect.signature(function).parameters.values()
    except ValueError:  # a builtin has no signature
        return set()
    return {other.name for other in others if other.kind in (other.POSITIONAL_OR_KEYWORD, other.KEYWORD_ONLY)}


def _refuse_unknown(extra: dict[str, Any], functions: list[Callable[..., Any]]) -> None:
    taken = set().union(*map(_names, functions))
    for name in extra:
        if name not in taken:
            raise TypeError(
                f"update got {name!r}, which is no argument of its own and stands in the signature of none of the functions; "
                f"{nearest(name, [*ARGUMENTS, *sorted(taken)])}"
            )


def _bound(name: str, function: Callable[..., Any] | None, extra: dict[str, Any]) -> Callable[[Params], Any]:
    """The function of one tree alone, with its extra arguments; what it returns is checked when it is called."""

    def call(tree: Params) -> Any:
        assert function is not None
        return _number(name, "returned", function(tree, **taken))

    taken = {} if function is None else {key: extra[key] for key in extra.keys() & _names(function)}
    return call


def _number(name: str, verb: str, result: Any) -> Any:
    """The result, if it is one real number; else ValueError."""
    if not jax.tree_util.all_leaves([result]):
        raise ValueError(
            f"{name} {verb} a {type(result).__name__}; one number is needed. Where the loss comes with more, as in "
            "(loss, aux), leave the rest out: lambda params: loss_and_aux(params)[0]."
        )
    if jnp.shape(result) != () or jnp.iscomplexobj(result):
        raise ValueError(
            f"{name} {verb} an array of shape {jnp.shape(result)} and type {jnp.result_type(result)}; one real number is "
            "needed, such as the mean over the batch."
        )
    return result
