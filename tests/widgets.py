"""Moves the widgets of a page as a browser does: what it sends of one is a label, a number or a press."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from streamlit.proto.WidgetStates_pb2 import WidgetState
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Widget

# What counts as a picture, and as a sentence that says why there is none.
PICTURES = ("bidi_component", "arrow_vega_lite_chart", "plotly_chart", "dataframe", "metric")
SENTENCES = ("error", "info", "warning")
# Typed into a text field: nothing, what is no formula, and a formula.
_TEXTS = ("", "not * a + formula)", "x**2 + 2*y**2")


class Place(NamedTuple):
    """A widget as a person finds it: its kind, its label, and which of those with this label it is."""

    kind: str
    label: str
    number: int


def places(page: AppTest) -> dict[Place, Any]:
    """The widgets that can be moved, in the order of the page."""
    seen: Counter[tuple[str, str]] = Counter()
    found = {}
    for node in (*page.main, *page.sidebar):
        if not isinstance(node, Widget):
            continue
        name = (node.type, str(node.label))
        if not node.proto.disabled:
            found[Place(*name, seen[name])] = node
        seen[name] += 1
    return found


def moves(widget: Any) -> list[Any]:
    """What a visitor can set a widget to: each option, both ends and the middle of a slider, on and off, a press."""
    match widget.type:
        case "selectbox" | "radio":
            return list(widget.options)
        case "select_slider":
            options = widget.options
            return [[options[0]], [options[len(options) // 2]], [options[-1]]]
        case "multiselect":
            return [[], *([option] for option in widget.options), widget.options[: widget.proto.max_selections or None]]
        case "button_group":
            return [[option] for option in widget.options]
        case "slider":
            return [[widget.min], [widget.min + (widget.max - widget.min) // 2], [widget.max]]
        case "number_input":
            return [widget.min, widget.max]
        case "checkbox" | "toggle":
            return [True, False]
        case "text_input" | "text_area":
            return list(_TEXTS)
        case "button" | "download_button":
            return [True]
    raise ValueError(f"There is a widget of a new kind, {widget.type}; say here what a visitor can set it to.")


def move(page: AppTest, place: Place, value: Any) -> None:
    """Sets a widget and runs the page; a field of a form is sent together with the press of its button."""
    found = places(page)
    widget, states = found[place], page._tree.get_widget_states()
    sent = {state.id: state for state in states.widgets}
    _write(sent[widget.id], place.kind, value)
    for other in found.values():
        if other.type == "button" and other.form_id and other.form_id == widget.form_id:
            sent[other.id].trigger_value = True
    page._run(states)


def _write(state: WidgetState, kind: str, value: Any) -> None:
    match kind:
        case "select_slider" | "multiselect" | "button_group":
            state.string_array_value.data[:] = value
        case "slider":
            state.double_array_value.data[:] = value
        case "number_input":
            state.double_value = value
        case "checkbox" | "toggle":
            state.bool_value = value
        case "button" | "download_button":
            state.trigger_value = value
        case _:
            state.string_value = value


def value_of(widget: Any) -> Any:
    """What a browser would send to have a widget as it is; None for a press, or where nothing is chosen."""
    state: WidgetState = widget._widget_state
    kind = state.WhichOneof("value")
    if kind in (None, "trigger_value"):
        return None
    value = getattr(state, str(kind))
    return list(value.data) if hasattr(value, "data") else value


def fault(page: AppTest) -> str:
    """What is wrong with a page: an exception, or neither a picture nor a sentence; "" where nothing is."""
    if page.exception:
        return page.exception[0].proto.message or page.exception[0].proto.type
    kinds = {node.type for node in (*page.main, *page.sidebar)}
    return "" if kinds.intersection((*PICTURES, *SENTENCES)) else "neither a picture nor a sentence"


def shortened(page: AppTest) -> AppTest:
    """The page with the fewest steps that its runs can have."""
    for place, widget in places(page).items():
        if place.label == "Steps" and value_of(widget) != [widget.options[0]]:
            move(page, place, [widget.options[0]])
    return page


def with_one_run(page: AppTest) -> AppTest:
    """The page with a single run, where it has runs: the others come back when a move adds them."""
    removals = [place for place in places(page) if place.label == "Remove this run"]
    for place in removals[1:]:
        move(page, removals[0]._replace(number=0), True)
        assert not fault(page), place
    return page


def walk(
    opened: Callable[[], AppTest], page: AppTest, known: frozenset[tuple[str, str]] = frozenset(), path: str = ""
) -> Iterator[tuple[str, str]]:
    """Moves every widget of a page but those of ``known`` kinds and labels, and what a move brings; yields (move, fault).

    ``opened()`` is the page as it was before the first move, for where a move has failed or cannot be taken back.
    """
    new = {place: widget for place, widget in places(page).items() if place[:2] not in known}
    known |= _names(new)
    for place, widget in new.items():
        was = value_of(widget)
        for value in moves(widget):
            if place not in places(page):
                page = opened()
            move(page, place, value)
            step, failed = f"{path}{place.label} = {value}", fault(page)
            yield step, failed
            if failed:
                page = opened()
            elif brought := _names(places(page)) - known:
                known |= brought
                yield from walk(_then(opened, place, value), shortened(page), known - brought, f"{step}, then ")
        if was is None or place not in places(page):
            page = opened()
        else:
            move(page, place, was)


def _names(found: Iterable[Place]) -> frozenset[tuple[str, str]]:
    return frozenset((place.kind, place.label) for place in found)


def _then(opened: Callable[[], AppTest], place: Place, value: Any) -> Callable[[], AppTest]:
    def reopened() -> AppTest:
        page = opened()
        move(page, place, value)
        return shortened(page)

    return reopened
