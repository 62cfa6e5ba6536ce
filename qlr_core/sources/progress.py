"""One line on the terminal that says how far a download is."""

import sys

_MEBIBYTE = 2**20


class DownloadLine:
    """A rewritten line on a terminal, a single line at the end elsewhere.

    ``done`` bytes are there already, of ``total``; 0 where the server does not say how many there are.
    """

    def __init__(self, label: str, done: int, total: int) -> None:
        self._label = label
        self._done = done
        self._total = total
        self._shown = -1

    def update(self, size: int) -> None:
        """So many more bytes have come."""
        self._done += size
        percent = min(100, 100 * self._done // self._total) if self._total else 0
        if sys.stderr.isatty() and percent != self._shown:
            self._shown = percent
            print(f"\r{self._line(percent)}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """The download is complete."""
        self._total = self._done
        print(f"{chr(13) if sys.stderr.isatty() else ''}{self._line(100)}", file=sys.stderr)

    def _line(self, percent: int) -> str:
        return f"{self._label}: {percent:3d} % of {self._total / _MEBIBYTE:,.1f} MiB"
