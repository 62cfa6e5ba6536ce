"""Numbers are described once, wherever they are nested, and every way in knows them by the same names."""

import inspect
from typing import Any, get_type_hints

import jax.numpy as jnp
import numpy as np
import pytest

import qlr_core as qlr
from qlr_core.optimizers.adam_qlr import AdamQLRHyper
from qlr_core.optimizers.knobs import RuleKnobs, RuleNumbers
from qlr_core.ranges import as_arrays, changed, check_knobs, knobs_with, numbers_of, ranges_of


def test_nested_numbers_are_flat_to_everyone_else() -> None:
    knobs = knobs_with(AdamQLRHyper, b1=0.8, initial_damping=0.25)
    assert (knobs.moments.b1, knobs.rule.initial_damping) == (0.8, 0.25)
    assert list(numbers_of(knobs)) == list(ranges_of(AdamQLRHyper))
    assert {**numbers_of(knobs_with(AdamQLRHyper)), "b1": 0.8, "initial_damping": 0.25} == numbers_of(knobs)
    arrays = as_arrays(knobs, jnp.float32)
    assert all(value.dtype == jnp.float32 for value in numbers_of(arrays).values())
    # What is changed may be anything that is traced or mapped; what is checked is a number in its range.
    np.testing.assert_array_equal(changed(arrays, b2=jnp.arange(3)).moments.b2, [0, 1, 2])
    with pytest.raises(ValueError, match=r"no number 'b3'.*b1"):
        changed(knobs, b3=0.1)
    with pytest.raises(ValueError, match="decay_steps = 'soon' is not a number"):
        check_knobs(changed(knobs, decay_steps="soon"))
    with pytest.raises(ValueError, match="weight_decay = None is not a number"):
        check_knobs(changed(knobs, weight_decay=None))


@pytest.mark.parametrize("make", [qlr.scale_by_quadratic_lr, qlr.adam_qlr, qlr.sgd_qlr])
def test_the_optax_form_takes_every_number_of_the_rule_with_its_default(make: Any) -> None:
    assert list(get_type_hints(RuleNumbers)) == list(RuleKnobs._fields)
    given = inspect.signature(make).parameters
    assert {name: given[name].default for name in RuleKnobs._fields} == numbers_of(knobs_with(RuleKnobs))
    with pytest.raises(ValueError, match=r"no number 'damping'.*initial_damping"):
        make(damping=0.1)
