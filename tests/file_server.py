"""A server on this machine that gives files, whole or by parts, and breaks off where a test wants that."""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from qlr_core.sources import RawData, Source, SourceFile

CONTENT = b"".join(b"published %9d\n" % line for line in range(10_000))

# Status, Content-Range and body for the bytes of a content from the first that is asked.
RangeAnswer = Callable[[bytes, int], tuple[int, str, bytes]]


def rest(content: bytes, first: int) -> tuple[int, str, bytes]:
    """What a server answers that knows ranges."""
    if first >= len(content):
        return 416, f"bytes */{len(content)}", b""
    return 206, f"bytes {first}-{len(content) - 1}/{len(content)}", content[first:]


@dataclass
class FileServer:
    """What the server gives by path, with which headers, and what it was asked.

    ``refusals`` answers are refused first. The next answers break off after ``breaks`` bytes, once ``released`` is set.
    ``ranged`` answers for a part; None ignores that one is asked, and ``heeds_versions`` False that one is asked of another
    version. It compresses for whoever does not refuse that, and with ``compresses`` for everybody. Without ``says_size`` an
    answer ends where the connection does. ``ranges`` has the Range of every request, "" without; ``sent`` counts bytes.
    """

    address: str
    content: dict[str, bytes]
    headers: dict[str, str] = field(default_factory=dict)
    refusals: int = 0
    breaks: list[int] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    ranged: RangeAnswer | None = rest
    heeds_versions: bool = True
    compresses: bool = False
    says_size: bool = True
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    sent: int = 0

    def answer(self, path: str, asked: str, version: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body, for a Range and an If-Range, "" without."""
        content = self.content[path]
        strong = [value for value in self.headers.values() if not value.startswith("W/")]
        same = not self.heeds_versions or version in ("", *strong)
        if asked and self.ranged and same:
            status, content_range, body = self.ranged(content, int(asked.removeprefix("bytes=").removesuffix("-")))
            return status, self.headers | {"Content-Range": content_range}, body
        return 200, self.headers, content


@contextmanager
def serving() -> Iterator[FileServer]:
    """A server that has ``CONTENT`` as /data.bin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked, version = self.headers.get("Range", ""), self.headers.get("If-Range", "")
            state.asked.append(self.path)
            state.ranges.append(asked)
            if state.refusals > 0 or self.path not in state.content:
                self.send_error(503 if state.refusals > 0 else 404)
                state.refusals -= 1
                return
            status, headers, body = state.answer(self.path, asked, version)
            if state.compresses or self.headers.get("Accept-Encoding") != "identity":
                headers, body = headers | {"Content-Encoding": "gzip"}, gzip.compress(body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if state.says_size:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if state.breaks:
                body = body[: state.breaks.pop(0)]
            state.sent += len(body)
            self.wfile.write(body)
            state.released.wait(60)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        state = FileServer(f"http://127.0.0.1:{http.server_port}", {"/data.bin": CONTENT})
        state.released.set()
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield state
        finally:
            state.released.set()
            http.shutdown()
            thread.join()


def source_of(*files: SourceFile, archives: tuple[SourceFile, ...] = ()) -> Source:
    """A source named local, whose files are fetched and checked and never read."""
    return Source("local", "Local", files, _no_rows, "this test", "none", archives)


def _no_rows(folder: Path) -> RawData:
    raise AssertionError("these tests fetch and check files; nothing is to read them")


def published(address: str, content: bytes = CONTENT, path: str = "local/data.bin") -> SourceFile:
    """The server's /data.bin, with the checksum of that content."""
    return SourceFile(path, f"{address}/data.bin", f"md5:{hashlib.md5(content).hexdigest()}")
