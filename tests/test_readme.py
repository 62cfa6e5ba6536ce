"""What the README and the documentation say is so: their programs run as written, and the README's table is the registry's."""

import subprocess
import sys
from pathlib import Path

import pytest

from qlr_core.commands.reference import hyperparameter_table
from tests.boxes import PAGES, ROOT, boxes, copy_with, programs

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
# A page with files and changed lines speaks of a project in which they are made.
ADDING = [page for page in PAGES if any(box.title for box in boxes(page))]
PROGRAMS = [(page, place) for page in PAGES for place in range(len(programs(page)))]


@pytest.fixture(scope="module")
def changed_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with all that docs/adding.md adds to it."""
    [page] = ADDING
    return copy_with(page, tmp_path_factory.mktemp("project"))


@pytest.mark.slow
@pytest.mark.parametrize("page, place", PROGRAMS, ids=[f"{page.stem}{place}" for page, place in PROGRAMS])
def test_a_program_runs_as_written(page: Path, place: int, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue("changed_project") if page in ADDING else ROOT
    command = [sys.executable, "-c", programs(page)[place]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.slow
def test_what_is_added_as_the_page_says_passes_the_tests_of_its_kind(changed_project: Path) -> None:
    subprocess.run([sys.executable, "-m", "tests.write_table"], cwd=changed_project, check=True)
    tests = ["tests/core/test_ranges.py", "tests/core/test_legs.py", "tests/core/optimizers/test_optimizers.py"]
    tests += ["tests/test_readme.py", "tests/pages/test_every_widget.py"]
    added = "sign_descent or booth or quadrants or careful or table or navigation"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", added],
        cwd=changed_project, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_page_that_should_has_programs() -> None:
    assert {"README", "index", "choose", "mathematics", "adding"} == {page.stem for page, _ in PROGRAMS}
    assert {Path(box.title).parts[0] for page in ADDING for box in boxes(page) if box.title} == {
        "qlr_core",
        "pages",
        "app.py",
        "qlr_ui",
    }


def test_the_table_of_hyperparameters_is_the_registrys() -> None:
    table = TEXT.split("<!-- hyperparameters -->")[1].split("<!-- /hyperparameters -->")[0].strip()
    assert table == hyperparameter_table()
