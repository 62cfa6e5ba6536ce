"""The numbers on a chart's axis, written as everywhere else: a power of ten outside 10⁻³…10⁵."""

# Vega has no names within an expression: each part is written into the whole.
_SIZE = "abs(datum.value)"
_EXPONENT = f"floor(log({_SIZE}) / LN10 + 1e-9)"
_MANTISSA = f"format({_SIZE} / pow(10, {_EXPONENT}), '.3~r')"


def _superscript(digit: str) -> str:
    return f"substring('⁰¹²³⁴⁵⁶⁷⁸⁹', {digit}, {digit} + 1)"


_POWER = (
    f"'10' + ({_EXPONENT} < 0 ? '⁻' : '')"
    f" + (abs({_EXPONENT}) < 10 ? '' : {_superscript(f'floor(abs({_EXPONENT}) / 10)')})"
    f" + {_superscript(f'abs({_EXPONENT}) % 10')}"
)
# For ``labelExpr``: as ``qlr_core.notation.written``, where the scale labels a tick at all: of a decade perhaps its first.
LABEL = (
    f"datum.label == '' ? '' : (datum.value < 0 ? '−' : '') + ({_SIZE} == 0 || ({_SIZE} >= 0.999e-3 && {_SIZE} < 0.999e5)"
    f" ? format({_SIZE}, '.3~f') : ({_MANTISSA} == '1' ? '' : {_MANTISSA} + '·') + {_POWER})"
)
