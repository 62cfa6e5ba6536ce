"""What the public optax form refuses, with the remedy, and the defaults it takes from the registry."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import qlr_core as qlr
from qlr_core.optimizers.adam_qlr import AdamQLRHyper
from qlr_core.ranges import ranges_of
from tests.optax_training import problem


@pytest.mark.parametrize("make", [qlr.scale_by_quadratic_lr, qlr.adam_qlr, qlr.sgd_qlr])
def test_masking_the_rule_itself_is_refused_with_the_remedy(make: Callable[[], Any]) -> None:
    params, value_fn = problem()
    mask = jax.tree.map(lambda leaf: leaf.ndim == 2, params)
    with pytest.raises(ValueError, match=r"cannot be masked\. Mask the links before it"):
        optax.masked(make(), mask).init(params)
    # A state made without the mask does not let it pass either.
    masked = jax.tree.map(lambda keep, leaf: leaf if keep else optax.MaskedNode(), mask, params)
    with pytest.raises(ValueError, match=r"cannot be masked\. Mask the links before it"):
        make().update(masked, make().init(params), params, value=1.0, grad=masked, value_fn=value_fn)


@pytest.mark.parametrize("make", [qlr.scale_by_quadratic_lr, qlr.adam_qlr])
def test_missing_parameters_and_a_missing_gradient_are_named(make: Callable[[], Any]) -> None:
    params, value_fn = problem()
    state = make().init(params)
    with pytest.raises(ValueError, match="pass them to update as params"):
        make().update(params, state, None, value=1.0, grad=params, value_fn=value_fn)
    if make is qlr.scale_by_quadratic_lr:
        with pytest.raises(ValueError, match="pass it to update as grad="):
            make().update(params, state, params, value=1.0, value_fn=value_fn)


@pytest.mark.parametrize("make", [qlr.scale_by_quadratic_lr, qlr.adam_qlr, qlr.sgd_qlr])
def test_a_number_out_of_its_range_is_refused_with_the_remedy(make: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"initial_damping = -1 is out of range; give a finite number from 0 up"):
        make(initial_damping=-1)
    with pytest.raises(ValueError, match=r"damping_increase = 0\.5 is out of range; give a number from 1 to"):
        make(damping_increase=0.5)
    with pytest.raises(ValueError, match=r"initial_damping = -1 is out of range"):
        make(initial_damping=np.float32(-1))
    with pytest.raises(ValueError, match=r"averaging = 2 is out of range"):
        make(averaging=jnp.asarray(2.0))
    make(max_learning_rate=np.inf, initial_damping=np.float32(0.0))


@pytest.mark.parametrize("make", [qlr.scale_by_quadratic_lr, qlr.adam_qlr, qlr.sgd_qlr])
def test_a_schedule_for_a_number_is_sent_to_injected_hyperparameters(make: Callable[..., Any]) -> None:
    schedule = optax.constant_schedule(0.1)
    with pytest.raises(ValueError, match=r"max_learning_rate is a function; .*inject_hyperparams"):
        make(max_learning_rate=schedule)
    optax.inject_hyperparams(make)(max_learning_rate=schedule).init(jnp.zeros(2))


def test_adams_own_numbers_are_checked_too() -> None:
    with pytest.raises(ValueError, match=r"b1 = 2 is out of range"):
        qlr.adam_qlr(b1=2.0)


def test_an_unknown_damping_rule_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"damping rule 'levenberg'; .*reduction_ratio"):
        qlr.adam_qlr(damping_rule="levenberg")


def test_the_defaults_are_those_of_the_registry() -> None:
    ranges = ranges_of(AdamQLRHyper)
    for make in (qlr.scale_by_quadratic_lr, qlr.adam_qlr, qlr.sgd_qlr):
        for name, argument in inspect.signature(make).parameters.items():
            if name not in ("finish", "damping_rule"):
                assert argument.default == ranges[name].default, name


def quadratic(params: Any) -> Any:
    return 0.5 * jnp.sum(jnp.square(params))


@pytest.mark.parametrize("make", [qlr.scale_by_quadratic_lr, qlr.adam_qlr, qlr.sgd_qlr])
@pytest.mark.parametrize("dtype", [jnp.complex64, jnp.int32])
def test_parameters_that_are_not_real_are_refused_with_the_remedy(make: Callable[[], Any], dtype: Any) -> None:
    params = {"real": jnp.ones(2), "other": jnp.ones(2, dtype)}
    with pytest.raises(ValueError, match=rf"parameters of type {jnp.dtype(dtype)}; .*real and the imaginary part as two"):
        make().init(params)
    with pytest.raises(ValueError, match="needs real floating-point ones"):
        make().update(params, make().init({"real": jnp.ones(2)}), params, value=1.0, value_fn=quadratic)


def update_with(optimizer: Any = None, **arguments: Any) -> qlr.StepInfo:
    """One update of a quadratic in three variables, with other arguments than the usual ones."""
    optimizer = optimizer or qlr.adam_qlr()
    params = jnp.asarray([1.0, 2.0, 3.0])
    usual = {"value": quadratic(params), "grad": params, "value_fn": quadratic}
    _, state = optimizer.update(params, optimizer.init(params), params, **(usual | arguments))
    return qlr.info(state)


@pytest.mark.parametrize(
    "optimizer", [qlr.adam_qlr(), qlr.sgd_qlr(), optax.chain(optax.scale_by_adam(), qlr.scale_by_quadratic_lr())]
)
def test_an_unknown_argument_is_refused_with_the_nearest_that_there_are(optimizer: Any) -> None:
    with pytest.raises(TypeError, match=r"'quadratic_from', which .*did you mean quadratic_form"):
        update_with(optimizer, quadratic_from=lambda v: jnp.sum(v * v))
    with pytest.raises(
        TypeError, match=r"'batch', which .*choose one of value, grad, value_fn, quadratic_form, change_fn, rounding"
    ):
        update_with(optimizer, batch=1)


def test_a_function_gets_the_extra_arguments_that_it_names() -> None:
    """As optax's line searches do; each function takes its own."""

    def scaled(params: Any, scale: Any, *, shift: Any = 0.0) -> Any:
        return scale * quadratic(params) + shift

    plain = update_with(value=3 * 7.0 + 1, grad=None, value_fn=lambda params: 3 * quadratic(params) + 1)
    forwarded = update_with(value=3 * 7.0 + 1, grad=None, value_fn=scaled, scale=3.0, shift=1.0)
    assert forwarded.curvature == plain.curvature and forwarded.actual_change == plain.actual_change
    with_form = update_with(value_fn=scaled, scale=1.0, quadratic_form=lambda v, weight: weight * jnp.sum(v), weight=4.0)
    # Adam's first direction is 1 in each coordinate, up to the rounding of its bias corrections.
    np.testing.assert_allclose(with_form.curvature, 12.0, rtol=1e-4)
    with pytest.raises(TypeError, match=r"did you mean scale"):
        update_with(value_fn=scaled, scales=1.0)


def test_the_same_loop_runs_optaxs_line_search_and_the_rule() -> None:
    """The batch goes through ``update`` to ``value_fn`` in both, so that one can stand in the other's place."""

    def loss(params: Any, inputs: Any) -> Any:
        return 0.5 * jnp.mean(jnp.square(inputs @ params - 1))

    params, inputs = jnp.zeros(3), jnp.eye(3) + 0.1
    searched = optax.chain(optax.sgd(1.0), optax.scale_by_backtracking_linesearch(max_backtracking_steps=20))
    for optimizer in (searched, qlr.sgd_qlr()):
        value, grad = jax.value_and_grad(loss)(params, inputs)
        move, _ = optimizer.update(grad, optimizer.init(params), params, value=value, grad=grad, value_fn=loss, inputs=inputs)
        assert float(loss(optax.apply_updates(params, move), inputs)) < float(value)


def test_value_fn_is_needed_only_where_it_is_used() -> None:
    with pytest.raises(TypeError, match="update needs value_fn"):
        update_with(value_fn=None)
    with pytest.raises(TypeError, match="update needs value_fn"):
        update_with(value_fn=None, quadratic_form=lambda v: jnp.sum(v * v))
    info = update_with(value_fn=None, quadratic_form=lambda v: jnp.sum(v * v), change_fn=lambda new: quadratic(new) - 7.0)
    assert info.curvature == update_with().curvature


@pytest.mark.parametrize("name", ["value_fn", "quadratic_form", "change_fn"])
def test_a_function_of_more_than_one_number_is_refused_with_the_remedy(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} returned a tuple; .*leave the rest out"):
        update_with(**{name: lambda params: (quadratic(params), params)})
    with pytest.raises(ValueError, match=rf"{name} returned an array of shape \(3,\) .*such as the mean over the batch"):
        update_with(**{name: lambda params: params**2})
    with pytest.raises(ValueError, match=rf"{name} returned an array of shape \(\) and type complex64"):
        update_with(**{name: lambda params: quadratic(params) + 0j})


def test_a_value_of_more_than_one_number_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match=r"value is a tuple; .*leave the rest out"):
        update_with(value=(7.0, "aux"))
    with pytest.raises(ValueError, match=r"value is an array of shape \(2,\)"):
        update_with(value=jnp.ones(2))


def test_info_finds_the_one_step_info_in_a_state() -> None:
    params = jnp.ones(2)
    wrapped = optax.apply_if_finite(optax.chain(optax.clip(1.0), qlr.adam_qlr()), 3)
    assert qlr.info(wrapped.init(params)).next_damping == pytest.approx(1e-3)
    with pytest.raises(ValueError, match="There are 0 StepInfos"):
        qlr.info(optax.adam(0.1).init(params))
    with pytest.raises(ValueError, match="There are 2 StepInfos"):
        qlr.info(optax.chain(qlr.adam_qlr(), qlr.sgd_qlr()).init(params))


@pytest.mark.parametrize("make", [qlr.scale_by_quadratic_lr, qlr.adam_qlr, qlr.sgd_qlr])
def test_every_number_of_the_state_has_a_name_of_its_own(make: Callable[[], Any]) -> None:
    """So that ``optax.tree.get`` is never in doubt, and ``optax.tree.set`` changes one thing."""
    state = make().init(jnp.ones(2))
    names = [*type(state)._fields, *qlr.StepInfo._fields]
    for name in names:
        optax.tree.get(state, name)
    assert optax.tree.get(state, "damping") == optax.tree.get(state, "next_damping") == pytest.approx(1e-3)
    larger = optax.tree.set(state, next_damping=jnp.asarray(5.0))
    _, state = make().update(
        jnp.ones(2), larger, jnp.ones(2), value=quadratic(jnp.ones(2)), grad=jnp.ones(2), value_fn=quadratic
    )
    assert optax.tree.get(state, "damping") == 5
