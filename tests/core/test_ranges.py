"""What a number says of itself: consistent everywhere, and clear when it is wrong."""

import math
from typing import Annotated, Any, NamedTuple

import jax.numpy as jnp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.optimizers.adam import MomentKnobs
from qlr_core.ranges import Range, Scalar, as_arrays, check_knobs, knobs_with, numbers_of, ranges_of
from qlr_core.surfaces import SURFACES

GROUPS = {spec.name: spec.hyper for spec in OPTIMIZERS} | {surface.name: surface.parameters for surface in SURFACES}
KNOBS = [(group, name) for group, knobs in GROUPS.items() for name in ranges_of(knobs)]
every_knob = pytest.mark.parametrize(("group", "name"), KNOBS)


class Example(NamedTuple):
    """Two numbers that differ in everything."""

    rate: Annotated[Scalar, Range(0.1, 1e-3, 1.0, "α", "Rate", "A rate.", log=True, minimum=0.0)]
    limit: Annotated[Scalar, Range(math.inf, 1.0, 9.0, "m", "Limit", "A limit.", neutral=math.inf, minimum=1.0, maximum=9.0)]


@every_knob
def test_every_description_is_consistent(group: str, name: str) -> None:
    knob = ranges_of(GROUPS[group])[name]
    assert knob.minimum <= knob.low < knob.high <= knob.maximum
    assert knob.low <= knob.default <= knob.high or knob.default == knob.neutral
    assert math.isfinite(knob.low) and math.isfinite(knob.high)
    assert knob.symbol and knob.label and knob.help.endswith(".")
    if group in {spec.name for spec in OPTIMIZERS}:
        assert knob.source
    if knob.log:
        # A logarithmic slider never shows 0, in 1 − value where that is its scale.
        assert (1 - knob.high if knob.complement else knob.low) > 0
    if knob.switch:
        assert (knob.low, knob.high) == (0, 1) and knob.default in (0, 1)
    if knob.integer:
        assert knob.low == int(knob.low) and knob.high == int(knob.high)


@every_knob
def test_what_a_slider_offers_passes_the_check_and_nan_does_not(group: str, name: str) -> None:
    knob = ranges_of(GROUPS[group])[name]
    for value in (knob.low, knob.high, knob.default, knob.neutral):
        if value is not None:
            assert knob.check(name, value) == value
    for wrong in (math.nan, "much", None):
        with pytest.raises(ValueError, match=f"{name} = .*; give a"):
            knob.check(name, wrong)


@every_knob
def test_one_name_means_one_thing_in_every_group(group: str, name: str) -> None:
    knob = ranges_of(GROUPS[group])[name]
    for other in OPTIMIZERS:
        if group in GROUPS and group not in {surface.name for surface in SURFACES} and name in ranges_of(other.hyper):
            assert ranges_of(other.hyper)[name].symbol == knob.symbol


@every_knob
def test_spread_values_go_from_low_to_high_on_the_knobs_own_scale(group: str, name: str) -> None:
    knob = ranges_of(GROUPS[group])[name]
    values = knob.spread(5)
    assert len(values) == 5 and list(values) == sorted(values)
    assert (values[0], values[-1]) == pytest.approx((knob.low, knob.high), rel=1e-12)
    if knob.complement:
        values = tuple(1 - value for value in values)
    between = math.sqrt(values[1] * values[3]) if knob.log else (values[1] + values[3]) / 2
    # Rounding of 1 − value near 1.
    assert values[2] == pytest.approx(between, rel=1e-9)


def test_an_error_names_the_number_and_what_to_give_instead() -> None:
    ranges = ranges_of(Example)
    with pytest.raises(ValueError, match=r"^rate = -1 is out of range; give a finite number from 0 up$"):
        ranges["rate"].check("rate", -1)
    with pytest.raises(ValueError, match=r"^rate = inf is out of range; give a finite number from 0 up$"):
        ranges["rate"].check("rate", math.inf)
    with pytest.raises(ValueError, match=r"^limit = 10 is out of range; give a number from 1 to 9, or inf to switch it off$"):
        ranges["limit"].check("limit", 10)
    with pytest.raises(ValueError, match=r"^rate = 'fast' is not a number; give a finite number from 0 up$"):
        ranges["rate"].check("rate", "fast")
    assert ranges["limit"].check("limit", math.inf) == math.inf
    # Outside the slider, inside the law.
    assert ranges["rate"].check("rate", 5) == 5.0 and isinstance(ranges["rate"].check("rate", 5), float)


@pytest.mark.parametrize("name", ["b1", "b2"])
def test_a_decay_that_float32_rounds_to_one_is_refused_by_its_own_digits(name: str) -> None:
    # Adam divides by 1 − βᵗ, which would be 0.
    knob = ranges_of(MomentKnobs)[name]
    assert jnp.float32(knob.maximum) < 1
    with pytest.raises(ValueError, match=rf"^{name} = 0\.99999999 is out of range; give a number from 0 to 0\.999999$"):
        knob.check(name, 0.99999999)


def test_knobs_are_their_defaults_unless_set() -> None:
    assert knobs_with(Example) == Example(0.1, math.inf)
    assert knobs_with(Example, limit=3) == Example(0.1, 3.0)
    with pytest.raises(ValueError, match="limit = 0 is out of range"):
        knobs_with(Example, limit=0)


def test_an_unknown_knob_is_answered_with_the_nearest_or_with_all() -> None:
    with pytest.raises(ValueError, match=r"no number 'rates'; did you mean rate\?"):
        knobs_with(Example, rates=1.0)
    with pytest.raises(ValueError, match=r"no number 'xyz'; .*rate, limit"):
        knobs_with(Example, xyz=1.0)


@given(st.floats(0, 1e6), st.floats(1, 9))
def test_checked_knobs_keep_their_values_as_floats(rate: float, limit: float) -> None:
    assert check_knobs(Example(rate, limit)) == Example(rate, limit)
    with pytest.raises(ValueError, match="rate = "):
        check_knobs(Example(-1 - rate, limit))


def test_arrays_of_knobs_are_strongly_typed_scalars() -> None:
    for dtype in (jnp.float32, jnp.bfloat16):
        arrays: Any = as_arrays(Example(0.5, math.inf), dtype)
        for array in arrays:
            assert array.shape == () and array.dtype == dtype and not array.weak_type
        again = as_arrays(arrays, dtype)
        assert all(a.dtype == dtype for a in again)


def test_descriptions_keep_the_order_of_the_fields() -> None:
    for knobs in GROUPS.values():
        assert list(ranges_of(knobs)) == list(numbers_of(knobs_with(knobs)))
