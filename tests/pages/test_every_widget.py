"""What a visitor can press on any page, pressed: no exception, and always a picture or a sentence."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.testing.v1 import AppTest

from qlr_core.recorded.folder import RUNS_DIRECTORY
from tests.widgets import places, shortened, walk, with_one_run

APP = Path(__file__).parents[2] / "app.py"
PAGES = re.findall(r'st\.Page\("([^"]+)"', APP.read_text(encoding="utf-8"))


class Ended:
    """A process that is done as soon as it was started: a page may start trainings, a test may not."""

    pid, returncode = 2**30, 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        pass

    def poll(self) -> int:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        return self.returncode


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the download buttons make when they are pressed, by the id of the file; no run and no process outlives the test."""
    made: dict[str, Any] = {}
    add = MediaFileManager.add_deferred

    def noted(self: MediaFileManager, make: Any, *arguments: Any, **options: Any) -> str:
        name = add(self, make, *arguments, **options)
        made[name] = make
        return name

    with monkeypatch.context() as patch:
        patch.setattr(MediaFileManager, "add_deferred", noted)
        patch.setenv(RUNS_DIRECTORY, str(tmp_path / "runs"))
        patch.setattr(subprocess, "Popen", Ended)
        yield made


def _opened(file: str) -> AppTest:
    page = AppTest.from_file(APP, default_timeout=300).run()
    return shortened(with_one_run(page.switch_page(file).run() if file != PAGES[0] else page))


def test_the_pages_here_are_those_of_the_navigation() -> None:
    page = AppTest.from_file(APP, default_timeout=300).run()
    assert [str(APP.parent / file) for file in PAGES] == [str(each["script_path"]) for each in page._registered_pages.values()]


# A page of its own process, where there are some: these are the longest tests of all.
@pytest.mark.slow
@pytest.mark.longest
@pytest.mark.parametrize("file", [pytest.param(file, marks=pytest.mark.xdist_group(file)) for file in PAGES])
def test_every_widget_can_be_moved(file: str, downloads: dict[str, Any]) -> None:
    page = _opened(file)
    for place, button in places(page).items():
        if place.kind == "download_button" and button.proto.deferred_file_id:
            assert downloads[button.proto.deferred_file_id](), f"{place.label} makes nothing"
    labels = {place.label for place in places(page)}
    taken = list(walk(lambda: _opened(file), page))
    failed = [f"{step}: {fault}" for step, fault in taken if fault]
    assert not failed, "\n".join(failed)
    assert not [label for label in labels if not any(step.startswith(f"{label} = ") for step, _ in taken)]
