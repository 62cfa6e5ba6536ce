"""What a benchmark tells: its figures, and why one of them is left out."""

from typing import NamedTuple


class Row(NamedTuple):
    """One figure: ours, the peer's (None where there is none), their ratio, and the upper bound on it.

    ``ratio`` is ours / peer, or None without a peer; then ``bar`` bounds ours. A ``bar`` of None bounds nothing: the figure
    is only measured. ``unit`` is that of ours and peer.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    bar: float | None
    unit: str

    @property
    def verdict(self) -> str:
        """Whether the figure keeps its bar, in words."""
        if self.bar is None:
            return "no bar"
        value = self.ours if self.ratio is None else self.ratio
        return f"{'within' if value <= self.bar else 'over'} {self.bar:g}"


class Note(NamedTuple):
    """A sentence in the place of a row that cannot be measured here."""

    text: str
