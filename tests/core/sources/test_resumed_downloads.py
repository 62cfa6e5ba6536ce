"""A download that broke off goes on where it was, and never glues two versions of a file together."""

import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from qlr_core.sources import DataError, SourceFile
from qlr_core.sources.download import fetch
from tests.file_server import CONTENT, FileServer, RangeAnswer, published, rest, source_of
from tests.published_layouts import files_below

ROOT = Path(__file__).parents[3]
OTHER = CONTENT.replace(b"published", b"changed! ")
TAG, OTHER_TAG = {"ETag": '"first"'}, {"ETag": '"second"'}
DATE, OTHER_DATE = {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}, {"Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"}


def break_off(server: FileServer, folder: Path, file: SourceFile | None = None) -> int:
    """How many bytes a download has kept whose connection breaks after 150,000."""
    server.breaks.append(150_000)
    with pytest.raises(DataError, match=r"cannot be downloaded\. [\d,]+ bytes have come; the next attempt goes on"):
        fetch(source_of(file or published(server.address)), folder)
    assert not (folder / "local/data.bin").exists()
    kept = (folder / "local/data.bin.part").read_bytes()
    assert CONTENT.startswith(kept)
    return len(kept)


def assert_whole(folder: Path) -> None:
    assert (folder / "local/data.bin").read_bytes() == CONTENT
    assert files_below(folder) == ["local/.lock", "local/data.bin"]


@pytest.mark.parametrize("headers", [TAG, DATE, {"ETag": 'W/"weak"'}, {}], ids=["tag", "date", "weak tag", "none"])
def test_the_next_fetch_asks_for_the_rest_alone(server: FileServer, tmp_path: Path, headers: dict[str, str]) -> None:
    server.headers = headers
    kept = break_off(server, tmp_path)
    assert kept > 100_000
    server.sent = 0
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges == ["", f"bytes={kept}-"]
    assert server.sent == len(CONTENT) - kept


def test_so_does_the_next_attempt_of_the_same_fetch_however_often(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qlr_core.sources.download.RETRIES", 2)
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    server.breaks += [70_000, 70_000]
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges == ["", "bytes=65536-", "bytes=131072-"]


def test_the_progress_starts_from_what_is_there(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    break_off(server, tmp_path)
    assert capsys.readouterr().err.split("\r")[1:] == [f"data.bin: {percent:3d} % of 0.2 MiB" for percent in (32, 65)]
    fetch(source_of(published(server.address)), tmp_path)
    assert capsys.readouterr().err.strip().split("\r")[-1] == "data.bin: 100 % of 0.2 MiB"


def shifted(content: bytes, first: int) -> tuple[int, str, bytes]:
    return rest(content, first - 10)


def cut(content: bytes, first: int) -> tuple[int, str, bytes]:
    return 206, f"bytes {first}-{first + 9}/{len(content)}", content[first : first + 10]


def unsaid(content: bytes, first: int) -> tuple[int, str, bytes]:
    return 206, "", content[first:]


def refused(content: bytes, first: int) -> tuple[int, str, bytes]:
    return 416, f"bytes */{len(content)}", b""


@pytest.mark.parametrize("ranged", [None, shifted, cut, unsaid, refused])
def test_a_server_that_does_not_give_the_rest_makes_it_begin_anew(
    server: FileServer, tmp_path: Path, ranged: RangeAnswer | None
) -> None:
    server.ranged = ranged
    kept = break_off(server, tmp_path)
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges == ["", f"bytes={kept}-"] + ([""] if ranged else [])


def test_a_compressed_rest_is_not_the_rest_of_the_file(server: FileServer, tmp_path: Path) -> None:
    server.compresses, server.breaks = True, [20_000]
    with pytest.raises(DataError, match="bytes have come"):
        fetch(source_of(published(server.address)), tmp_path)
    kept = (tmp_path / "local/data.bin.part").stat().st_size
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges == ["", f"bytes={kept}-", ""]


@pytest.mark.parametrize(("before", "after"), [(TAG, OTHER_TAG), (DATE, OTHER_DATE)], ids=["tag", "date"])
@pytest.mark.parametrize("heeded", [True, False], ids=["If-Range heeded", "If-Range ignored"])
def test_a_file_that_was_changed_meanwhile_is_downloaded_anew(
    server: FileServer, tmp_path: Path, before: dict[str, str], after: dict[str, str], heeded: bool
) -> None:
    server.content["/data.bin"], server.headers = OTHER, before
    server.breaks.append(150_000)
    with pytest.raises(DataError, match="bytes have come"):
        fetch(source_of(published(server.address)), tmp_path)
    server.content["/data.bin"], server.headers, server.heeds_versions = CONTENT, after, heeded
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert len(server.ranges) == (2 if heeded else 3)


def test_without_a_version_the_checksum_refuses_what_was_glued_and_the_next_attempt_is_clean(
    server: FileServer, tmp_path: Path
) -> None:
    break_off(server, tmp_path, published(server.address, OTHER))
    server.content["/data.bin"] = OTHER
    with pytest.raises(DataError, match="does not give the published file"):
        fetch(source_of(published(server.address, OTHER)), tmp_path)
    assert files_below(tmp_path) == ["local/.lock"]
    fetch(source_of(published(server.address, OTHER)), tmp_path)
    assert (tmp_path / "local/data.bin").read_bytes() == OTHER
    assert server.ranges[-1] == ""


def test_what_breaks_off_unnoticed_fails_the_checksum_and_is_deleted(
    server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.says_size, server.breaks = False, [150_000]
    with pytest.raises(DataError, match="does not give the published file"):
        fetch(source_of(published(server.address)), tmp_path)
    assert files_below(tmp_path) == ["local/.lock"]
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert capsys.readouterr().err.endswith("data.bin: 100 % of 0.2 MiB\n")


@pytest.mark.parametrize("headers", [TAG, {}], ids=["a version", "no version"])
def test_without_a_checksum_only_a_version_lets_it_go_on(server: FileServer, tmp_path: Path, headers: dict[str, str]) -> None:
    file, server.headers = SourceFile("local/data.bin", f"{server.address}/data.bin", size=len(CONTENT)), headers
    kept = break_off(server, tmp_path, file)
    fetch(source_of(file), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges == ["", f"bytes={kept}-" if headers else ""]


@pytest.mark.parametrize("size", [len(CONTENT), len(CONTENT) + 1_000])
def test_a_stale_part_that_is_too_long_is_thrown_away(server: FileServer, tmp_path: Path, size: int) -> None:
    (tmp_path / "local").mkdir()
    (tmp_path / "local/data.bin.part").write_bytes(b"x" * size)
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges == [f"bytes={size}-", ""]


def test_a_damaged_version_is_none(server: FileServer, tmp_path: Path) -> None:
    server.headers = TAG
    kept = break_off(server, tmp_path)
    (tmp_path / "local/data.bin.part.version").write_bytes(b"\0\n\xff")
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges[-1] == f"bytes={kept}-"


def test_a_refusal_leaves_the_part_for_later(server: FileServer, tmp_path: Path) -> None:
    kept = break_off(server, tmp_path)
    server.refusals = 1
    with pytest.raises(DataError, match=f"{kept:,} bytes have come.*503"):
        fetch(source_of(published(server.address)), tmp_path)
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)


def test_a_full_disk_gets_a_sentence_and_what_has_come_stays(server: FileServer, tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # the system's own refusal in the middle of a write
    try:
        with pytest.raises(DataError, match=r"Local cannot be written to .*Free or allow it"):
            fetch(source_of(published(server.address)), tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges == ["", "bytes=100000-"]


FETCHING = """
import sys
from pathlib import Path
from qlr_core.sources import RawData, Source, SourceFile
from qlr_core.sources.download import fetch
file = SourceFile("local/data.bin", *sys.argv[1:3])
fetch(Source("local", "Local", (file,), lambda folder: None, "", ""), Path(sys.argv[3]))
"""


def stalled(server: FileServer, folder: Path) -> subprocess.Popen[bytes]:
    """A process that fetches, for which the connection stands still after 100,000 bytes until the server is released."""
    server.released.clear()
    server.breaks.append(100_000)
    file = published(server.address)
    process = subprocess.Popen([sys.executable, "-c", FETCHING, file.url, file.checksum, str(folder)], cwd=ROOT)
    part, end = folder / "local/data.bin.part", time.monotonic() + 120
    while not (part.is_file() and part.stat().st_size == 65_536):
        assert process.poll() is None and time.monotonic() < end, "the process did not begin to download"
        time.sleep(0.01)
    return process


def test_a_killed_process_leaves_what_has_come_and_nothing_else(server: FileServer, tmp_path: Path) -> None:
    server.headers = TAG
    process = stalled(server, tmp_path)
    process.kill()
    process.wait()
    server.released.set()
    assert files_below(tmp_path) == ["local/.lock", "local/data.bin.part", "local/data.bin.part.version"]
    fetch(source_of(published(server.address)), tmp_path)
    assert_whole(tmp_path)
    assert server.ranges == ["", "bytes=65536-"]


def test_a_second_process_waits_for_the_first(server: FileServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = stalled(server, tmp_path)
    threading.Timer(0.5, server.released.set).start()
    fetch(source_of(published(server.address)), tmp_path)
    assert "Another process downloads to" in capsys.readouterr().err
    assert first.wait(60) == 0
    assert_whole(tmp_path)
    assert server.ranges == ["", "bytes=65536-"]  # both by the first, which was cut off once more
