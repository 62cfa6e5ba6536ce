"""A link holds the whole state of the surface lab, and a broken one says what is wrong with it."""

import base64
import json
import math
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as some

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.ranges import ranges_of
from qlr_core.surfaces import SURFACES, Surface
from qlr_ui.lab.links import LinkError
from qlr_ui.lab.run_setting import ForkSetting, RunSetting, differing, with_run, without
from qlr_ui.surface.presets import PRESETS, preset_of
from qlr_ui.surface.state import MAX_RUNS, LabState, checked, from_link, reason_off, to_link

# Found out here, as asking for the versions of packages draws random numbers, which a strategy may not.
RUNNABLE = {surface.name: [spec for spec in OPTIMIZERS if not reason_off(spec, surface)] for surface in SURFACES}


def _word(plain: object) -> str:
    return "1." + base64.urlsafe_b64encode(zlib.compress(json.dumps(plain).encode())).decode()


def _plain(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "s": "rosenbrock",
        "t": "",
        "p": {},
        "x": [1, -1],
        "n": 200,
        "r": [["adam", {}, {}]],
        "f": [],
    }
    return plain | changes


@some.composite
def run_settings(draw: some.DrawFn, surface: Surface) -> RunSetting:
    spec = draw(some.sampled_from(RUNNABLE[surface.name]))
    choices = tuple((choice.name, draw(some.sampled_from(choice.options))) for choice in spec.choices)
    knobs = ranges_of(spec.hyper)
    values = {name: draw(some.floats(knob.low, knob.high)) for name, knob in knobs.items() if draw(some.booleans())}
    return RunSetting(spec.name, choices, differing(spec.hyper, values))


@some.composite
def states(draw: some.DrawFn) -> LabState:
    surface = draw(some.sampled_from(SURFACES))
    runs = tuple(draw(some.lists(run_settings(surface), max_size=4)))
    forks = tuple(ForkSetting(0, draw(some.integers(0, 9)), draw(run_settings(surface))) for _ in range(2 if runs else 0))
    start = (draw(some.floats(-5, 5)), draw(some.floats(-5, 5)))
    return LabState(surface.name, "", (), start, draw(some.integers(10, 2000)), runs, forks)


@given(states())
def test_a_link_reopens_the_same_state(state: LabState) -> None:
    assert from_link(to_link(state)) == state


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_is_valid_and_its_link_is_short_and_finds_it_again(preset) -> None:
    word = to_link(checked(preset.state))
    assert len(word) < 400
    assert preset_of(from_link(word)) == preset


def test_infinity_travels_in_a_link() -> None:
    state = LabState(runs=(RunSetting("adam_qlr", values=(("max_learning_rate", math.inf), ("initial_damping", 0.0))),))
    assert from_link(to_link(state)) == state


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("", "version"),
        ("2.abc", "version"),
        ("1.", "damaged"),
        ("1.!!!!", "damaged"),
        ("1.é", "damaged"),
        ("1." + base64.urlsafe_b64encode(zlib.compress(b'{"n":' + b"9" * 5000 + b"}")).decode(), "damaged"),
        (_word(_plain(s="rastrigin", r=[["kfac", {}, {}]])), "no Fisher"),
        (to_link(LabState())[:-9], "damaged"),
        (_word([1, 2]), "damaged"),
        (_word({}), "damaged"),
        (_word(_plain(s="rosenbrok")), "rosenbrock"),
        (_word(_plain(r=[["adamm", {}, {}]])), "There is no optimizer"),
        (_word(_plain(r=[["adam", {}, {"learning_rate": "nan"}]])), "learning_rate = nan"),
        (_word(_plain(r=[["adam", {}, {"learning_rate": "inf"}]])), "learning_rate = inf"),
        (_word(_plain(r=[["adam", {}, {"learning_rate": "x"}]])), "not a number"),
        (_word(_plain(r=[["adam", {}, {"speed": 1}]])), "'speed'"),
        (_word(_plain(r=[["adam", {"curvature": "fisher"}, {}]])), "no choice"),
        (_word(_plain(r=[["adam_qlr", {"curvature": "psychic"}, {}]])), "'psychic' is unknown"),
        (_word(_plain(r=[["adam", {}, {}]] * (MAX_RUNS + 1))), "too many"),
        (_word(_plain(x=[1e30, 0])), "out of bounds"),
        (_word(_plain(x=["nan", 0])), "out of bounds"),
        (_word(_plain(x=[1])), "damaged"),
        (_word(_plain(n=10**9)), "out of range"),
        (_word(_plain(n="inf")), "damaged"),
        (_word(_plain(p={"b": -1})), "b = -1"),
        (_word(_plain(s="typed", t="__import__('os')")), "character"),
        (_word(_plain(s="typed", t="(" * 10_000)), "200 characters"),
        (_word(_plain(f=[[5, 1, "adam", {}, {}]])), "fork"),
        (_word(_plain(f=[[0, 999, "adam", {}, {}]])), "fork"),
    ],
)
def test_a_broken_link_gets_one_sentence_that_says_what_is_wrong(word: str, says: str) -> None:
    with pytest.raises(LinkError) as caught:
        from_link(word)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


def test_a_link_that_unpacks_to_more_than_a_lab_is_refused_without_unpacking_it() -> None:
    bomb = "1." + base64.urlsafe_b64encode(zlib.compress(b'"' + b"a" * 50_000_000 + b'"', 9)).decode()
    with pytest.raises(LinkError, match="damaged"):
        from_link(bomb)


def test_dropping_a_fork_drops_what_grew_from_it_and_renumbers_the_rest() -> None:
    adam = RunSetting("adam")
    first, grandchild, second = ForkSetting(0, 5, adam), ForkSetting(1, 9, adam), ForkSetting(0, 7, adam)
    last = ForkSetting(3, 8, adam)
    state = LabState(runs=(adam,), forks=(first, grandchild, second, last))
    assert without(state, 1).forks == (second, ForkSetting(1, 8, adam))


def test_removing_a_run_keeps_the_forks_of_the_others() -> None:
    adam, momentum = RunSetting("adam"), RunSetting("momentum")
    forks = (ForkSetting(0, 5, adam), ForkSetting(1, 6, momentum), ForkSetting(3, 7, adam))
    left = without(LabState(runs=(adam, momentum), forks=forks), 0)
    assert left.runs == (momentum,)
    assert left.forks == (ForkSetting(0, 6, momentum), ForkSetting(1, 7, adam))


def test_a_new_run_stands_before_the_forks_and_moves_their_parents() -> None:
    adam = RunSetting("adam")
    forks = (ForkSetting(0, 5, adam), ForkSetting(1, 6, adam))
    more = with_run(LabState(runs=(adam,), forks=forks), RunSetting("momentum"))
    assert more.forks == (ForkSetting(0, 5, adam), ForkSetting(2, 6, adam))


@given(some.text(max_size=60))
def test_any_text_is_a_link_or_gets_a_sentence(text: str) -> None:
    for word in (text, f"1.{text}"):
        try:
            from_link(word)
        except LinkError as error:
            assert str(error)


# Made by the lab as it was before its folders were laid out anew.
OF_AN_OLD_VERSION = (
    "1.eNpdjtGqAjEMRP9lnuPS9bIg_RUpJa5Vi2vVtF6Vpf9uij6IL0kYZjJnRoaFnHNIGzmPRxCKCrousHMlPGDXfWdoocMREuxgCK"
    "LqGrzlk79OApox3uSfy02Cpg8h58gJVfWYYok8ebVeYtrDmm4gnPjhp8CSVPLCpaVi2mntPcT9ofhtGPnZzKavjt5VWtM-_uTUog"
    "83fbtW1SnjrsEZ6pXzi7BFPxA-plECZ03_daaS6ZaDc_UF4KVUew"
)


def test_a_link_of_the_old_version_still_opens() -> None:
    state = from_link(OF_AN_OLD_VERSION)
    first, second = state.runs
    assert first.optimizer == "adam_qlr" and dict(first.choices) == {"curvature": "hessian"}
    assert dict(first.values) == {"initial_damping": 0.5, "max_learning_rate": math.inf, "weight_decay": 0.01}
    assert second.optimizer == "adam" and dict(second.values) == {"learning_rate": 0.05, "b1": 0.8}
    assert to_link(state) == OF_AN_OLD_VERSION
