"""Writes the table of every optimizer's numbers into the README: ``python -m tests.write_table``."""

from qlr_core.commands.reference import hyperparameter_table
from tests.boxes import ROOT

BEGIN, END = "<!-- hyperparameters -->", "<!-- /hyperparameters -->"


def write_table() -> None:
    """Replaces what stands between the two marks."""
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    readme.write_text(f"{before}{BEGIN}\n\n{hyperparameter_table()}\n\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    write_table()
