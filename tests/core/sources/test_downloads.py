"""Downloads from a server on this machine: whole and published, or an error and nothing in the file's place."""

import hashlib
import tarfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from qlr_core.__main__ import app
from qlr_core.sources import DATA_DIRECTORY, DataError, SourceFile
from qlr_core.sources.check import checksum, verdict, verdicts
from qlr_core.sources.download import fetch
from tests.file_server import CONTENT, FileServer, published, source_of
from tests.published_layouts import files_below, small, tar_of


def test_a_missing_file_is_downloaded_and_one_that_is_there_is_left(server: FileServer, tmp_path: Path) -> None:
    source = source_of(published(server.address), published(server.address, path="local/mine.bin"))
    (tmp_path / "local").mkdir()
    (tmp_path / "local/mine.bin").write_bytes(b"mine")
    fetch(source, tmp_path)
    assert (tmp_path / "local/data.bin").read_bytes() == CONTENT
    assert [found.status for found in verdicts(source, tmp_path)] == ["ok", "altered"]
    assert (tmp_path / "local/mine.bin").read_bytes() == b"mine"
    assert server.asked == ["/data.bin"]


def test_a_second_fetch_asks_for_nothing(server: FileServer, tmp_path: Path) -> None:
    for _ in range(2):
        fetch(source_of(published(server.address)), tmp_path)
    assert len(server.asked) == 1


def test_another_checksum_is_refused_and_leaves_nothing(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"does not give the published file .*expected md5:.* put it at .*data\.bin"):
        fetch(source_of(published(server.address, b"other")), tmp_path)
    assert files_below(tmp_path) == ["local/.lock"]


def test_another_size_is_refused_where_no_checksum_is_published(server: FileServer, tmp_path: Path) -> None:
    file = SourceFile("local/data.bin", f"{server.address}/data.bin", size=len(CONTENT) + 1)
    with pytest.raises(DataError, match=r"expected 200,001 bytes, found 200,000 bytes.*put it at"):
        fetch(source_of(file), tmp_path)
    assert files_below(tmp_path) == ["local/.lock"]


def test_a_file_that_the_server_lacks_is_named_with_its_place(server: FileServer, tmp_path: Path) -> None:
    server.content.clear()
    with pytest.raises(DataError, match=r"data\.bin cannot be downloaded\..*put it at .*local/data\.bin.*404"):
        fetch(source_of(published(server.address)), tmp_path)


def test_a_server_that_is_down_is_named_with_the_remedy(tmp_path: Path, server: FileServer) -> None:
    with pytest.raises(DataError, match=r"cannot be downloaded.*with a connection, or get that file elsewhere"):
        fetch(source_of(published("http://127.0.0.1:9")), tmp_path)  # the discard port, where nobody answers


def test_a_refusal_that_passes_is_tried_again(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qlr_core.sources.download.RETRIES", 1)
    server.refusals = 1
    fetch(source_of(published(server.address)), tmp_path)
    assert len(server.asked) == 2


def test_a_folder_one_cannot_write_is_named(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "local").write_text("a file where the folder should be")
    with pytest.raises(DataError, match="Local cannot be written to"):
        fetch(source_of(published(server.address)), tmp_path)


def test_files_without_an_address_come_out_of_the_archive(server: FileServer, tmp_path: Path) -> None:
    content = tar_of((tarfile.TarInfo("bin/a.bin"), b"aaa"), (tarfile.TarInfo("bin/b.bin"), b"bbb"))
    server.content["/data.bin"] = content
    files = (SourceFile("local/bin/a.bin", "", size=3), SourceFile("local/bin/b.bin", "", size=3))
    source = source_of(*files, archives=(published(server.address, content, "local/all.tar.gz"),))
    (tmp_path / "local/bin").mkdir(parents=True)
    (tmp_path / "local/bin/a.bin").write_bytes(b"own")
    fetch(source, tmp_path)
    assert (tmp_path / "local/bin/a.bin").read_bytes() == b"own"
    assert (tmp_path / "local/bin/b.bin").read_bytes() == b"bbb"
    (tmp_path / "local/bin/b.bin").unlink()
    fetch(source, tmp_path)
    assert len(server.asked) == 1  # the archive was there
    assert files_below(tmp_path) == ["local/.lock", "local/all.tar.gz", "local/bin/a.bin", "local/bin/b.bin"]


def test_a_verdict_says_what_was_expected_and_found(tmp_path: Path) -> None:
    file = published("http://nowhere")
    path = tmp_path / file.path
    assert verdict(file, tmp_path).status == "missing"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    assert verdict(file, tmp_path).status == "ok"
    path.write_bytes(b"other")
    assert verdict(file, tmp_path)[1:] == ("altered", file.checksum, checksum(path, "md5"))
    assert checksum(path, "sha256") == "sha256:" + hashlib.sha256(b"other").hexdigest()
    sized = SourceFile(file.path, "", size=5)
    assert verdict(sized, tmp_path).found == "that size; no checksum is published"
    path.write_bytes(b"four")
    assert verdict(sized, tmp_path)[1:] == ("altered", "5 bytes", "4 bytes")


def data(*arguments: str) -> tuple[int, str]:
    """The exit code and all that ``data`` writes."""
    result = CliRunner().invoke(app, ["data", *arguments])
    return result.exit_code, result.output


def test_the_list_names_every_source_and_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_DIRECTORY, str(tmp_path))
    small("uci_energy", tmp_path)
    code, text = data("list")
    assert code == 0
    assert f"Data directory: {tmp_path}" in text
    assert "6 of 6 files missing" in next(line for line in text.splitlines() if line.startswith("cifar10"))
    assert " there " in next(line for line in text.splitlines() if line.startswith("uci_energy"))
    assert "needs no files" in next(line for line in text.splitlines() if line.startswith("python_docs"))


def test_a_check_tells_missing_and_altered_files_and_exits_with_one(tmp_path: Path) -> None:
    small("uci_energy", tmp_path)
    (tmp_path / "uci_energy/permutation_indices.txt").unlink()
    code, text = data("check", "uci_energy", "--data-dir", str(tmp_path))
    assert code == 1
    assert "altered  uci_energy/data.txt  expected sha256:7f8bf024" in text
    assert "missing  uci_energy/permutation_indices.txt" in text
    assert "Delete what is altered" in text
    assert data("check", "python_docs", "--data-dir", str(tmp_path))[0] == 0


def test_a_fetch_downloads_and_checks(server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qlr_core.sources.SOURCES", (source_of(published(server.address)),))
    code, text = data("fetch", "local", "--data-dir", str(tmp_path))
    assert code == 0
    assert "100 % of 0.2 MiB" in text
    assert "ok       local/data.bin" in text
    (tmp_path / "local/data.bin").unlink()
    server.content.clear()
    code, text = data("fetch", "local", "--data-dir", str(tmp_path))
    assert code == 1
    assert "put it at" in text


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    for command in ("check", "fetch"):
        code, text = data(command, "fashion-mnist")
        assert code == 2
        assert "did you mean fashion_mnist?" in text
