"""One line on the terminal that says how far a download is."""

import sys

_MEBIBYTE = 2**20


class ProgressLine:
    """What pooch calls while it downloads: a rewritten line on a terminal, a single line at the end elsewhere."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.total = 0
        self._done = 0
        self._shown = -1

    def update(self, size: int) -> None:
        """So many more bytes have come."""
        self._done += size
        percent = min(100, 100 * self._done // self.total) if self.total else 0
        if sys.stderr.isatty() and percent != self._shown:
            self._shown = percent
            print(f"\r{self._line(percent)}", end="", file=sys.stderr, flush=True)

    def reset(self) -> None:
        """Pooch counts whole chunks; it starts anew before it sets the sum."""
        self._done = 0

    def close(self) -> None:
        """The download is complete."""
        print(f"{chr(13) if sys.stderr.isatty() else ''}{self._line(100)}", file=sys.stderr)

    def _line(self, percent: int) -> str:
        return f"{self.label}: {percent:3d} % of {self.total / _MEBIBYTE:,.1f} MiB"
