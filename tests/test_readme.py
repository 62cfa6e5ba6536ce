"""What the README says is so: its examples run as written, and its table is the registry's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from qlr_core.commands.reference import hyperparameter_table

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=[f"example{i}" for i in range(len(EXAMPLES))])
def test_an_example_runs_as_written(example: str) -> None:
    done = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_table_of_hyperparameters_is_the_registrys() -> None:
    table = TEXT.split("<!-- hyperparameters -->")[1].split("<!-- /hyperparameters -->")[0].strip()
    assert table == hyperparameter_table()
