"""One way of writing numbers for people, in tables, sentences and pictures; the player's ``formatNumber`` writes the same."""

import math
from decimal import ROUND_HALF_UP, Context
from typing import SupportsFloat

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def written(value: SupportsFloat, digits: int = 4) -> str:
    """At most ``digits`` significant digits, as 0.05, 10⁻⁶, 2.5·10⁻⁷, −3 or ∞; "–" for NaN.

    Plain from 10⁻³ to 10⁵, else with a power of ten; ties are rounded away from zero.
    """
    number = float(value)
    if math.isnan(number):
        return "–"
    sign = "−" if number < 0 else ""
    if math.isinf(number):
        return f"{sign}∞"
    if number == 0:
        return "0"
    rounded = Context(digits, ROUND_HALF_UP).create_decimal_from_float(abs(number))
    exponent = rounded.adjusted()
    if -3 <= exponent < 5:
        return f"{sign}{rounded.normalize():f}"
    mantissa = rounded.scaleb(-exponent).normalize()
    power = f"10{str(exponent).translate(_SUPERSCRIPTS)}"
    return f"{sign}{power}" if mantissa == 1 else f"{sign}{mantissa:f}·{power}"
