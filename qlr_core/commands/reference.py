"""The table of every optimizer's numbers, written from their Ranges for the README."""

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
        slider = "0 or 1" if knob.switch else f"{_text(knob.low)} … {_text(knob.high)}" + (" (log)" if knob.log else "")
        off = "" if knob.neutral is None else _text(knob.neutral)
        who = "all" if len(labels) == len(OPTIMIZERS) else ", ".join(labels)
        symbol = knob.symbol.replace("|", "\\|")
        lines.append(f"| `{name}` | {symbol} | {_text(knob.default)} | {slider} | {off} | {who} |")
    return "\n".join(lines)


def _text(value: float) -> str:
    return "∞" if math.isinf(value) else f"{value:g}"
