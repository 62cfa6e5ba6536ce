"""A link holds the whole state of the small-network lab, and a broken one says what is wrong with it."""

import base64
import json
import math
import zlib

import numpy as np
import pytest

from qlr_core.datasets import DATASETS
from qlr_core.models.mlp import ACTIVATIONS
from qlr_core.networks.problem import NetworkLab
from qlr_core.optimizers import OPTIMIZERS
from qlr_core.ranges import ranges_of
from qlr_ui.lab.links import LinkError
from qlr_ui.lab.run_setting import ForkSetting, RunSetting, differing
from qlr_ui.network.cached import lab_legs
from qlr_ui.network.presets import PRESETS, preset_of
from qlr_ui.network.state import MAX_RUNS, NetworkState, checked, from_link, to_link
from qlr_ui.surface import state as lab_state

_QLR, _ADAM = RunSetting("adam_qlr"), RunSetting("adam")


def _word(plain: object) -> str:
    return "n1." + base64.urlsafe_b64encode(zlib.compress(json.dumps(plain).encode())).decode()


def _plain(**changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        **{"d": "moons", "k": {}, "m": [1, 32, "tanh"], "b": 0, "n": 300, "s": 0},
        **{"r": [["adam", {}, {}]], "f": []},
    }
    return plain | changes


def _any_state(seed: int) -> NetworkState:
    """A state drawn at random, in which every part can be other than its default."""
    rng = np.random.default_rng(seed)
    dataset = DATASETS[seed % len(DATASETS)]
    values = {name: float(rng.uniform(knob.low, knob.high)) for name, knob in ranges_of(dataset.knobs).items()}
    lab = NetworkLab(
        dataset=dataset.name,
        knobs=differing(dataset.knobs, values),
        seed=int(rng.integers(99)),
        width=int(rng.integers(1, 512)),
        depth=int(rng.integers(4)),
        activation=str(rng.choice(list(ACTIVATIONS))),
        batch_size=int(rng.choice([0, 16, 100])),
        steps=int(rng.integers(11, 1000)),
    )
    runs = tuple(RunSetting(str(rng.choice([spec.name for spec in OPTIMIZERS]))) for _ in range(rng.integers(1, 4)))
    forks = (ForkSetting(0, int(rng.integers(11)), _ADAM), ForkSetting(len(runs), int(rng.integers(11)), _QLR))
    return NetworkState(lab, runs, forks)


@pytest.mark.parametrize("seed", range(24))
def test_a_link_reopens_the_same_state(seed: int) -> None:
    state = _any_state(seed)
    assert from_link(to_link(state)) == state


@pytest.mark.parametrize("seed", range(24))
def test_the_legs_of_every_run_follow_one_another_from_the_first_step(seed: int) -> None:
    for legs in lab_legs(_any_state(seed)):
        steps = [leg.step for leg in legs]
        assert steps[0] == 0 and steps == sorted(set(steps)) and legs[0].carried is None


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_is_valid_and_its_link_is_short_and_finds_it_again(preset) -> None:
    word = to_link(checked(preset.state))
    assert len(word) < 400
    assert preset_of(from_link(word)) == preset


def test_a_fork_with_another_damping_keeps_the_optimizer_and_sets_lambda() -> None:
    fork = ForkSetting(0, 10, RunSetting("adam_qlr", values=(("initial_damping", 0.5),)), 0.5)
    first, second = lab_legs(NetworkState(runs=(_QLR,), forks=(fork,)))[1]
    assert (first.optimizer, first.choices) == (second.optimizer, second.choices)
    assert (second.step, second.carried) == (10, 0.5)


def test_a_fork_at_the_first_step_is_a_run_of_its_own() -> None:
    (leg,) = lab_legs(NetworkState(runs=(_QLR,), forks=(ForkSetting(0, 0, _ADAM),)))[1]
    assert (leg.optimizer, leg.step, leg.carried) == ("adam", 0, None)


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("", "version"),
        (lab_state.to_link(lab_state.LabState()), "version"),
        ("n1.", "damaged"),
        ("n1.!!!!", "damaged"),
        (to_link(NetworkState())[:-9], "damaged"),
        (_word([1, 2]), "damaged"),
        (_word({}), "damaged"),
        (_word(_plain(d="moon")), "moons"),
        (_word(_plain(k={"noise": -1})), "noise = -1"),
        (_word(_plain(k={"speed": 1})), "'speed'"),
        (_word(_plain(m=[1, 32])), "damaged"),
        (_word(_plain(m=[4, 32, "tanh"])), "depth = 4"),
        (_word(_plain(m=[1, 0, "tanh"])), "width = 0"),
        (_word(_plain(m=[1, 32, "swish"])), "swish"),
        (_word(_plain(b=8)), "batch_size = 8"),
        (_word(_plain(n=1001)), "steps = 1001"),
        (_word(_plain(n="inf")), "damaged"),
        (_word(_plain(n="x")), "not a number"),
        (_word(_plain(s=-1)), "seed = -1"),
        (_word(_plain(r=[["adamm", {}, {}]])), "There is no optimizer"),
        (_word(_plain(r=[["adam", {}, {"learning_rate": "nan"}]])), "learning_rate = nan"),
        (_word(_plain(r=[["adam", {}, {}]] * (MAX_RUNS + 1))), "too many"),
        (_word(_plain(f=[[0, 300, "adam", {}, {}]])), "fork"),
        (_word(_plain(f=[[1, 3, "adam", {}, {}]])), "fork"),
    ],
)
def test_a_broken_link_gets_one_sentence_that_says_what_is_wrong(word: str, says: str) -> None:
    with pytest.raises(LinkError) as caught:
        from_link(word)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 500


# Made by the lab as it was before its folders were laid out anew.
OF_AN_OLD_VERSION = (
    "n1.eNpdjtkKgzAQRf_lPg9FoYWSX5EQRo0aqkMbYxck_96JfevTLJy77Ohh0G3x6UG4weyZsMA0NZ0JiWWCJbQwFUFgLjrW44jKN"
    "OCeF_eYI2g_TDht0avh5Nc1sCDrP0hIgWen6D3IqOrTRTP47WbPUfTlIqeiCjJoiZcP45Rc7zv-FLiqs6VflMYUxz-dImrY1mW7Z"
    "qt9By1n8xcTMUSu"
)


def test_a_link_of_the_old_version_still_opens() -> None:
    state = from_link(OF_AN_OLD_VERSION)
    first, second = state.runs
    assert first.optimizer == "adam_qlr" and dict(first.choices) == {"curvature": "hessian"}
    assert dict(first.values) == {"initial_damping": 0.5, "max_learning_rate": math.inf, "weight_decay": 0.01}
    assert second.optimizer == "adam" and dict(second.values) == {"learning_rate": 0.05, "b1": 0.8}
    assert to_link(state) == OF_AN_OLD_VERSION
