"""Finding a member of a registry by its name, with a helpful error."""

import difflib
from collections.abc import Sequence
from typing import Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str: ...  # noqa: D102


Member = TypeVar("Member", bound=Named)


def named(members: Sequence[Member], name: str, kind: str) -> Member:
    """The member of that name; ValueError naming the unknown one and the nearest, or all, that there are."""
    for member in members:
        if member.name == name:
            return member
    raise ValueError(f"There is no {kind} {name!r}; {nearest(name, [member.name for member in members])}")


def nearest(name: str, known: Sequence[str]) -> str:
    """What to choose instead of an unknown name, as the end of a sentence."""
    if not known:
        return "there are none."
    near = difflib.get_close_matches(name, known)
    return f"did you mean {' or '.join(near)}?" if near else f"choose one of {', '.join(known)}."
