"""What several tests of the core share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.file_server import FileServer, serving
from tests.small_recordings import record


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server of files on this machine; a download from it that fails is not tried again."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("qlr_core.sources.download.RETRIES", 0)
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "a"
    record(folder)
    return folder
