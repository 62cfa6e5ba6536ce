"""The documentation is whole: it builds without a warning, leaves nothing out, and its map and its versions are true."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest

import qlr_core as qlr
from qlr_core.optimizers import OPTIMIZERS
from qlr_core.ranges import ranges_of
from tests.boxes import ROOT
from tests.house import floors, rooms


class Fetched(HTMLParser):
    """Collects what a browser would fetch to show a page: scripts, styles, pictures and frames."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        address = named.get("href") if tag == "link" else named.get("src") if tag != "a" else None
        self.addresses += [address] if address else []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as ``make docs`` builds it."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_gallery_shows_every_optimizer_with_its_words_numbers_and_picture(site: Path) -> None:
    page = (site / "gallery.html").read_text(encoding="utf-8")
    for spec in OPTIMIZERS:
        assert f'<h2 id="{spec.name}">{spec.label}<' in page
        _, _, after = page.partition(f'<h2 id="{spec.name}">')
        entry = after.partition("<h2")[0]
        assert "When to choose it." in entry and all(f"<code>{name}</code>" in entry for name in ranges_of(spec.hyper))
        assert all(f"<code>{option}</code>" in entry for choice in spec.choices for option in choice.options)
        if not spec.unavailable():
            assert re.search(f'<img alt="[^"]*{spec.label} on Rosenbrock[^"]*" src="gallery/{spec.name}.svg"', entry)
            picture = (site / "gallery" / f"{spec.name}.svg").read_text(encoding="utf-8")
            # The start, and a dot a step: none of the runs that are shown diverges.
            assert picture.startswith("<svg") and picture.count("<circle") == 302


@pytest.mark.slow
def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert {"index", "choose", "gallery", "mathematics", "adding", "reference"} <= {page.stem for page in pages}
    for page in pages:
        fetched = Fetched()
        fetched.feed(page.read_text(encoding="utf-8"))
        assert fetched.addresses
        assert not [address for address in fetched.addresses if re.match(r"(\w+:)?//", address)], page.name
    assert not list(site.rglob("*.py"))


def test_every_optimizer_says_when_to_choose_it() -> None:
    for spec in OPTIMIZERS:
        assert spec.choose.endswith(".") and spec.choose != spec.description


def test_every_public_name_stands_in_the_reference_once() -> None:
    text = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    names = re.findall(r"^::: ([\w.]+)\.(\w+)$", text, re.MULTILINE)
    assert sorted(name for _, name in names) == sorted(qlr.__all__)
    for module, name in names:
        assert getattr(import_module(module), name) is getattr(qlr, name)


@pytest.mark.parametrize("package", ["qlr_core", "qlr_ui"])
def test_the_map_of_the_house_is_true(package: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition(f"### {package}\n")[2].partition("\n#")[0]
    mapped = {
        f"{package}.{room}": int(floor) for floor, room in re.findall(r"^\| (\d+) \| (\w+) \| .+ \|$", text, re.MULTILINE)
    }
    assert mapped == floors(rooms(package))


def test_the_citation_and_the_changelog_are_of_this_version() -> None:
    assert f"\nversion: {qlr.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
