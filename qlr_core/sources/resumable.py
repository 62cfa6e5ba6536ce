"""A download that goes on where it broke off: what has come waits in a part beside the file.

Hand-written, because pooch 1.9 asks for no Range: its downloaders begin a broken file anew.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import requests

from qlr_core.sources.progress import DownloadLine

_CHUNK = 2**16  # bytes
_PATIENCE = 30  # seconds without a byte
_PARTIAL, _NOT_SATISFIABLE = 206, 416
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True)
class PartialFile:
    """The first bytes of a file, and in a second file the version that the server said they are of.

    A version is what If-Range takes, a strong ETag or else the date of the last change; "" where the server gives neither.
    """

    path: Path

    @classmethod
    def of(cls, path: Path) -> "PartialFile":
        """The part of the file at that path."""
        return cls(path.with_name(f"{path.name}.part"))

    @property
    def _version(self) -> Path:
        return self.path.with_name(f"{self.path.name}.version")

    def size(self) -> int:
        """How many bytes have come."""
        return self.path.stat().st_size if self.path.is_file() else 0

    def version(self) -> str:
        """The version of the bytes that have come."""
        text = self._version.read_text(encoding="latin-1") if self._version.is_file() else ""
        return text if text.isprintable() else ""  # a crash of the machine may leave anything, which no header may hold

    def begin(self, version: str) -> None:
        """Forgets the bytes of another version before it notes this one: a killed process leaves no wrong pair."""
        self.delete()
        self._version.write_text(version, encoding="latin-1")

    def finish(self, path: Path) -> None:
        """Gives the bytes another name; nothing of the part is left."""
        self.path.replace(path)
        self._version.unlink(missing_ok=True)

    def delete(self) -> None:
        """Deletes the bytes and their version."""
        self.path.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)


def download_rest(url: str, part: PartialFile) -> None:
    """Downloads what the part lacks, or all of it where the server does not go on from there with the same version.

    RequestException where the server refuses or the connection breaks, OSError for a full disk; what has come stays.
    """
    done, version = part.size(), part.version()
    response = _ask(url, done, version)
    if response.status_code in (_PARTIAL, _NOT_SATISFIABLE) and not _goes_on(response, done, version):
        response.close()
        done, response = 0, _ask(url, 0, "")
    with response:
        response.raise_for_status()
        if not done or response.status_code != _PARTIAL:
            done = 0
            part.begin(_version_of(response))
        length = int(response.headers.get("Content-Length", 0))
        progress = DownloadLine(url.rpartition("/")[2], done, done + length if length else 0)
        with part.path.open("ab") as file:
            for chunk in response.iter_content(_CHUNK):
                file.write(chunk)
                progress.update(len(chunk))
        progress.close()


def _ask(url: str, done: int, version: str) -> requests.Response:
    """Asks for the bytes from ``done`` on if the file is still of that version, else for all of it."""
    headers = {"Accept-Encoding": "identity"}  # ranges of a compressed answer would count other bytes
    if done:
        headers["Range"] = f"bytes={done}-"
    if done and version:
        headers["If-Range"] = version
    return requests.get(url, headers=headers, stream=True, timeout=_PATIENCE)


def _goes_on(response: requests.Response, done: int, version: str) -> bool:
    """Whether the answer is all that comes after the first ``done`` bytes of that version."""
    found = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code != _PARTIAL or found is None or response.headers.get("Content-Encoding", "identity") != "identity":
        return False
    first, last, total = map(int, found.groups())
    same = not version or _version_of(response) in ("", version)  # a partial answer may leave the version out
    return first == done and last == total - 1 and same


def _version_of(response: requests.Response) -> str:
    tag, date = response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
    return date if not tag or tag.startswith("W/") else tag
