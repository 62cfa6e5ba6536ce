"""What the public optax form refuses, with the remedy, and the defaults it takes from the registry."""

import inspect
from collections.abc import Callable
from typing import Any

import jax
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
    make(max_learning_rate=np.inf, initial_damping=0.0)


def test_adams_own_numbers_are_checked_too() -> None:
    with pytest.raises(ValueError, match="b1 = 2 is out of range"):
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
