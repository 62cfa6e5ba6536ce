"""What several tests of the core share."""

from collections.abc import Iterator

import pytest

from tests.file_server import FileServer, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A server of files on this machine; a download from it that fails is not tried again."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("qlr_core.sources.download.RETRIES", 0)
    with serving() as running:
        yield running
