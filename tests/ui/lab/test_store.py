"""A lab's state and its address: one write a change, and an address that the lab did not write rules."""

import pytest
from streamlit.runtime.scriptrunner_utils.script_run_context import get_script_run_ctx
from streamlit.runtime.state.query_params import QueryParams
from streamlit.testing.v1 import AppTest


def _lab() -> None:
    """A lab whose state is one number up to 100; another page has none of its widgets."""
    import streamlit as st

    from qlr_ui.lab.links import LinkError
    from qlr_ui.lab.store import Store

    def from_link(word: str) -> int:
        if not word.isdigit():
            raise LinkError("This link is damaged.")
        return int(word)

    store = Store("small_lab", 0, "small", str, from_link)
    if not st.toggle("Another page", key="away"):
        store.open_link()
        key = store.key("number")
        st.session_state.setdefault(key, store.current())
        number = min(int(st.number_input("Number", 0, 1000, key=key)), 100)
        st.button("Hundred", on_click=lambda: store.replace(100))
        st.button("Look", on_click=store.asked)
        st.button("Fifty", on_click=lambda: store.replace(50, {"step": "5"}))
        st.button("First", on_click=lambda: store.replace(0, {}))
        store.keep(number)
        store.write_link(number)
        view = store.view()
        opening = view.pop("opening")
        st.caption(f"{number} {view}")
        st.text(opening)


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Every address that the server writes and the browser does not have: it makes an entry of each."""
    found: list[dict[str, str]] = []
    send = QueryParams._send_query_param_msg

    def noted(params: QueryParams) -> None:
        context = get_script_run_ctx()
        assert context is not None
        before = context.query_string
        send(params)
        if context.query_string != before:
            found.append(params.to_dict())

    monkeypatch.setattr(QueryParams, "_send_query_param_msg", noted)
    return found


def _open(**address: str) -> AppTest:
    return _at(AppTest.from_function(_lab, default_timeout=60), **address)


def _at(page: AppTest, **address: str) -> AppTest:
    """A rerun that the browser asks for with another address, as Back, Forward and links inside the app do."""
    page.query_params.clear()
    page.query_params.update(address)
    page.run()
    assert not page.exception
    return page


def _number(page: AppTest) -> int:
    """The number that the lab shows, which the widget agrees with as far as it can."""
    shown, widget = int(page.caption[0].value.split()[0]), page.number_input[0].value
    assert widget is not None and shown == min(widget, 100)
    return shown


def test_a_change_is_one_write_and_nothing_else_writes(writes) -> None:
    page = _open(other="kept", step="3")
    assert "'step': '3'" in page.caption[0].value
    page.number_input[0].set_value(7).run()
    page.run()
    page.button[0].click().run()
    page.number_input[0].set_value(0).run()
    assert writes == [{"other": "kept", "small": "7"}, {"other": "kept", "small": "100"}, {"other": "kept"}]


def test_back_and_forward_show_what_was_there_and_write_nothing(writes) -> None:
    page = _open()
    for number in (7, 9, 11):
        page.number_input[0].set_value(number).run()
    assert len(writes) == 3
    assert _number(_at(page, small="9")) == 9
    assert _number(_at(page, small="7")) == 7
    assert _number(_at(page)) == 0
    assert _number(_at(page, small="7")) == 7
    assert len(writes) == 3
    page.number_input[0].set_value(8).run()
    assert writes[3:] == [{"small": "8"}]


def test_a_second_link_opens_with_its_view_also_the_one_that_was_left_last(writes) -> None:
    page = _open(small="7")
    page.number_input[0].set_value(8).run()
    assert _number(_at(page, small="7", step="30")) == 7 and "'step': '30'" in page.caption[0].value
    assert _number(_at(page, small="7", step="31")) == 7 and "'step': '31'" in page.caption[0].value
    page.number_input[0].set_value(8).run()
    assert page.caption[0].value == "8 {}"
    assert writes == [{"small": "8"}] * 2


def test_a_preset_opens_at_its_moment_with_one_write_and_what_is_moved_then_keeps_the_place(writes) -> None:
    page = _open()
    for button, address, view in ((2, {"small": "50", "step": "5"}, "50 {'step': '5'}"), (3, {}, "0 {}")):
        before = page.text[0].value
        page.button[button].click().run()
        assert page.caption[0].value == view and writes[-1] == address
        opened = page.text[0].value
        assert opened != before
        page.number_input[0].set_value(7).run()
        assert page.caption[0].value == "7 {}" and page.text[0].value == opened
    assert len(writes) == 4


def test_a_link_sends_the_player_where_it_says_and_one_without_a_view_keeps_the_place() -> None:
    page = _open()
    page.button[2].click().run()
    opened = page.text[0].value
    page.number_input[0].set_value(8).run()
    assert _number(_at(page, small="7")) == 7 and page.text[0].value == opened
    assert _number(_at(page, small="50", step="5")) == 50
    assert page.text[0].value != opened and page.caption[0].value == "50 {'step': '5'}"


def test_a_link_that_the_widgets_make_something_else_of_stays_as_it_was_given(writes) -> None:
    page = _open(small="250")
    assert _number(page) == 100
    page.run()
    assert not writes


@pytest.mark.parametrize("address", [{}, {"small": "7"}])
def test_an_address_that_is_older_than_what_was_just_moved_does_not_undo_it(writes, address: dict[str, str]) -> None:
    page = _open(**address)
    page.number_input[0].set_value(9).run()
    page.number_input[0].set_value(11)
    assert _number(_at(page, **address)) == 11
    page.button[0].click()
    assert _number(_at(page, **address)) == 100
    page.button[1].click()
    assert _number(_at(page, **address)) == 100
    assert page.query_params == {"small": "100"}


def test_a_lab_that_is_entered_from_the_navigation_shows_what_it_showed_last(writes) -> None:
    page = _open()
    page.number_input[0].set_value(7).run()
    page.toggle[0].set_value(True)
    _at(page)
    page.toggle[0].set_value(False)
    assert _number(_at(page)) == 7
    assert page.query_params == {"small": "7"} and len(writes) == 2
    page.toggle[0].set_value(True)
    _at(page)
    page.toggle[0].set_value(False)
    assert _number(_at(page, small="9")) == 9  # by a link


def test_a_bad_link_gets_a_sentence_and_the_first_setting_also_as_the_second(writes) -> None:
    page = _open(small="bad")
    assert "The lab shows its first setting instead." in page.error[0].value and not page.query_params
    page.number_input[0].set_value(7).run()
    assert _number(_at(page, small="worse")) == 0
    assert page.error and not page.query_params
    assert _number(_at(page, small="7")) == 7 and not page.error
