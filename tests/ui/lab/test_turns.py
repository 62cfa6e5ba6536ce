"""Visitors take turns in the order in which they came, may leave the line, and keep a turn for so long only."""

import threading
from collections.abc import Callable, Iterator

import pytest

from qlr_ui.lab.turns import Lane, TurnOver

PATIENCE = 30  # seconds until a test of threads gives up


class Visitor:
    """A thread that asks for a turn, and has it until it is told to go."""

    def __init__(self, lane: Lane, name: str, done: list[str], waiting: Callable[[int], object] = lambda ahead: None) -> None:
        self.aheads: list[int] = []
        self.waits, self.has_turn, self.may_go = threading.Event(), threading.Event(), threading.Event()

        def told(ahead: int) -> None:
            self.aheads.append(ahead)
            self.waits.set()
            waiting(ahead)

        def visit() -> None:
            try:
                with lane.turn(told):
                    self.has_turn.set()
                    assert self.may_go.wait(PATIENCE)
                    done.append(name)
            except InterruptedError:
                done.append(f"{name} left")

        self.thread = threading.Thread(target=visit)
        self.thread.start()

    def end(self) -> None:
        self.may_go.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


@pytest.fixture
def done() -> list[str]:
    return []


@pytest.fixture
def first(done: list[str]) -> Iterator[tuple[Lane, Visitor]]:
    """A lane, and the visitor whose turn it is."""
    lane = Lane(seconds=60)
    visitor = Visitor(lane, "first", done)
    assert visitor.has_turn.wait(PATIENCE)
    yield lane, visitor
    visitor.end()


def test_who_comes_first_is_served_first_and_all_are_told_how_many_are_ahead(first, done) -> None:
    lane, visitor = first
    others = []
    for name in ("second", "third"):
        others.append(Visitor(lane, name, done))
        assert others[-1].waits.wait(PATIENCE)
    assert [other.aheads[0] for other in others] == [1, 2] and not visitor.aheads
    visitor.end()
    assert others[0].has_turn.wait(PATIENCE) and not others[1].has_turn.is_set()
    for other in others:
        other.end()
    assert done == ["first", "second", "third"]


def test_who_moves_on_while_he_waits_leaves_the_line(first, done) -> None:
    def leave(ahead: int) -> None:
        raise InterruptedError

    lane, visitor = first
    Visitor(lane, "second", done, leave).end()
    assert done == ["second left"]
    third = Visitor(lane, "third", done)
    assert third.waits.wait(PATIENCE) and third.aheads[0] == 1
    visitor.end()
    third.end()


def test_a_turn_that_fails_is_over() -> None:
    lane = Lane(seconds=60)
    with pytest.raises(ZeroDivisionError), lane.turn(lambda ahead: None):
        raise ZeroDivisionError
    with lane.turn(lambda ahead: pytest.fail("nobody is ahead")) as check:
        check()


def test_a_turn_that_takes_too_long_ends_with_a_sentence() -> None:
    with pytest.raises(TurnOver, match=r"longer than 0 s .* fewer steps"), Lane(seconds=0).turn(lambda ahead: None) as check:
        while True:
            check()


def test_the_lines_of_two_kinds_of_work_do_not_meet(first) -> None:
    with Lane(seconds=60).turn(lambda ahead: pytest.fail("another lane")):
        pass
