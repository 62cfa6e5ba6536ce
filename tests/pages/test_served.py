"""The labs as several visitors meet them: what is too much gets a sentence, who waits is told, and nobody else waits."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from qlr_core.networks.problem import NetworkLab
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.lab.turns import NETWORKS, Lane
from qlr_ui.network.presets import PRESETS
from qlr_ui.network.state import NetworkState, to_link
from qlr_ui.network.work import too_much
from tests.player_hand import shown_on

PAGES = Path(__file__).parents[2] / "pages"
SMALL = NetworkState(NetworkLab(width=2, depth=1, steps=5), (RunSetting("adam"),))


@pytest.fixture
def busy() -> Iterator[threading.Thread]:
    """Another visitor, who has the turn."""
    has_turn, over = threading.Event(), threading.Event()

    def compute() -> None:
        with NETWORKS.turn(lambda ahead: None):
            has_turn.set()
            over.wait()

    visitor = threading.Thread(target=compute)
    visitor.start()
    assert has_turn.wait(30)
    yield visitor
    over.set()
    visitor.join(30)


def _networks(state: NetworkState) -> AppTest:
    page = AppTest.from_file(PAGES / "networks.py", default_timeout=120)
    page.query_params["network"] = to_link(state)
    return page


def test_a_visitor_of_the_surface_lab_waits_for_no_network(busy) -> None:
    page = AppTest.from_file(PAGES / "surfaces.py", default_timeout=120).run()
    assert not page.exception and len(shown_on(page)["runs"]) == 2


def test_what_is_remembered_is_shown_while_another_visitor_computes(request: pytest.FixtureRequest) -> None:
    _networks(SMALL).run()
    request.getfixturevalue("busy")
    page = _networks(SMALL).run()
    assert not page.exception and len(page.dataframe[0].value) == 1


def test_a_visitor_who_moves_on_leaves_the_line(busy) -> None:
    page = _networks(NetworkState(NetworkLab(width=2, steps=6), SMALL.runs))
    with pytest.raises(RuntimeError, match="timed out"):
        page.run(timeout=3)
    assert busy.is_alive()  # his script has ended, and the other still has the turn


def test_who_waits_is_told_how_many_are_ahead() -> None:
    def waits() -> None:
        import streamlit as st

        from qlr_ui.network.lab import in_line

        with in_line() as waiting:
            waiting(2)
            st.stop()

    page = AppTest.from_function(waits, default_timeout=60).run()
    assert page.info[0].value == "The server is busy: 2 ahead of you. Your turn comes by itself."


def test_a_run_that_takes_too_long_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qlr_ui.network.cached.NETWORKS", Lane(seconds=0))
    page = _networks(NetworkState(NetworkLab(width=2, steps=7), SMALL.runs)).run()
    assert not page.exception and not page.dataframe
    assert page.error[0].value.endswith("Take fewer steps or a smaller network. What was finished is remembered.")


@pytest.mark.parametrize(
    "state",
    [
        NetworkState(NetworkLab("digits", depth=3, width=320, steps=1000), (RunSetting("adam_qlr"),) * 5),
        NetworkState(NetworkLab("moons", depth=1, width=3000, steps=300), (RunSetting("kfac"),)),
    ],
    ids=["products", "inverses"],
)
def test_what_is_too_much_for_a_page_gets_a_sentence_at_once(state: NetworkState, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qlr_ui.network.cached.lab_runs", lambda *arguments: pytest.fail("too much"))
    page = _networks(state).run()
    assert not page.exception
    said = page.error[0].value
    assert f"{state.lab.steps:,} steps of {len(state.runs)} runs" in said and "a page computes up to 10¹²" in said
    assert "Take fewer steps, runs or hidden units" in said


def test_what_the_lab_offers_as_a_preset_is_never_too_much() -> None:
    assert not any(too_much(preset.state) for preset in PRESETS)
