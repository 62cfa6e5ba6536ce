"""The tables of the optimizers' numbers, written from their Ranges for the README and the documentation."""

import math

from qlr_core.optimizers import OPTIMIZERS
from qlr_core.ranges import Range, ranges_of


def hyperparameter_table() -> str:
    """A Markdown table: one row a number of each optimizer, those that several share once."""
    rows: dict[tuple[str, Range], list[str]] = {}
    for spec in OPTIMIZERS:
        for name, knob in ranges_of(spec.hyper).items():
            rows.setdefault((name, knob), []).append(spec.label)
    lines = ["| name | symbol | default | slider | off | optimizers |", "|---|---|---|---|---|---|"]
    for (name, knob), labels in rows.items():
        who = "all" if len(labels) == len(OPTIMIZERS) else ", ".join(labels)
        lines.append(f"{row_start(name, knob)} {who} |")
    return "\n".join(lines)


def row_start(name: str, knob: Range) -> str:
    """What a number says of itself in a row of a Markdown table: name, symbol, default, slider and off."""
    slider = "0 or 1" if knob.switch else f"{_text(knob.low)} … {_text(knob.high)}" + (" (log)" if knob.log else "")
    off = "" if knob.neutral is None else _text(knob.neutral)
    symbol = knob.symbol.replace("|", "\\|")
    return f"| `{name}` | {symbol} | {_text(knob.default)} | {slider} | {off} |"


def _text(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:g}"
