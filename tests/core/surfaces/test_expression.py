"""What a typed formula means, and what becomes of a text that is none."""

import math
import pickle
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from qlr_core.surfaces.expression import ALLOWED, MAX_LENGTH, PREFERRED_POINT, REACH, ExpressionError, parse

MEANINGS = {
    "x + 2*y - 3/x": lambda x, y: x + 2 * y - 3 / x,
    "-x**2": lambda x, y: -(x**2),
    "2**-x": lambda x, y: 2**-x,
    "x**y**2": lambda x, y: x ** (y**2),
    "x - y - 1": lambda x, y: x - y - 1,
    "(x - y)**3": lambda x, y: (x - y) ** 3,
    "x**-2 + y**0 + x**2.5": lambda x, y: x**-2 + 1 + x**2.5,
    "+x - -y": lambda x, y: x + y,
    "pi*x + e*y": lambda x, y: math.pi * x + math.e * y,
    "1e3*x + .5*y": lambda x, y: 1000 * x + 0.5 * y,
    "sin(x) + cos(y) + tan(x)": lambda x, y: np.sin(x) + np.cos(y) + np.tan(x),
    "sinh(x) - cosh(y) + tanh(x)": lambda x, y: np.sinh(x) - np.cosh(y) + np.tanh(x),
    "atan(x) + arctan(y)": lambda x, y: np.arctan(x) + np.arctan(y),
    "exp(-x)*log(y) + sqrt(x)": lambda x, y: np.exp(-x) * np.log(y) + np.sqrt(x),
    "abs(x - y) + min(x, y)*max(1, x)": lambda x, y: np.abs(x - y) + np.minimum(x, y) * np.maximum(1, x),
    "  x^2 − 2·x×y + y² + x³/π\n": lambda x, y: x**2 - 2 * x * y + y**2 + x**3 / math.pi,
}

# Every text, and the first character at fault (None where any place inside the text will do).
NO_FORMULAS = {
    "__import__('os')": 0,
    "x.real": 0,
    "x + y.__class__": 6,
    "lambda x: x": 8,
    "[x for x in y]": 0,
    "(x for x in y)": None,
    "'x'": 0,
    'f"{x}"': 1,
    "(" * 10_000: None,
    "(" * 199: None,
    "(" * 100 + "x" + ")" * 99: 0,
    "sin(" * 49: None,
    "not " * 49 + "x": 0,
    "lambda x, " * 19: None,
    "1e999": 0,
    "x + 1e999": 4,
    "1j": 0,
    "x*2j": 2,
    "x if y else 1": 0,
    "x < y": 2,
    "x == y": 2,
    "x and y": 0,
    "x // y": 0,
    "x % y": 2,
    "True*x": 0,
    "None": 0,
    "...": 0,
    "": 0,
    " \t\n": 0,
    "ξ + x": 0,
    "x + é": 4,
    "𝐱 + y": 0,
    "x\0": 1,
    "x # y": 2,
    "x; y": 1,
    "x := 3": 2,
    "x\\y": 1,
    "3": 0,
    "sin(pi)": 0,
    "x(2)": 0,
    "2(x)": 0,
    "(x + y)(x)": 0,
    "sin": 0,
    "x + sin": 4,
    "sin(x, y)": 0,
    "sin()": 0,
    "min(x)": 0,
    "max(x, *y)": 7,
    "sin(a=x)": 5,
    "x + foo(y)": 4,
    "z**2": 0,
    "x y": 2,
    "2x": 0,
    "x, y": None,
    "()": 0,
    "(x + y": 0,
    "y + exp(x": 7,
    "x + y)": 5,
    "x +": 2,
    "x ** / y": 5,
    "x² + 3·y² + é": 12,
    "x² + 3·q + x²*x + y": 7,
    "x²³": 1,
    "x² ^ 3": 1,
    "9**9**9**9": 0,
    "x + 9**9**9**9": 0,
    "log(-1 - x**2)": 0,
}


@pytest.mark.parametrize("text", MEANINGS)
def test_a_formula_means_what_mathematics_says(text: str) -> None:
    x, y = np.array([0.5, 1.5, 2.25]), np.array([1.25, 0.75, 2.5])
    with jax.enable_x64(True):
        found = np.asarray(parse(text)(jnp.asarray(x), jnp.asarray(y)))
    # A few roundings in float64 are all that can differ.
    np.testing.assert_allclose(found, np.broadcast_to(MEANINGS[text](x, y), x.shape), rtol=1e-13)


def _joined(parts: st.SearchStrategy[tuple]) -> st.SearchStrategy[tuple]:
    """Formulas made of smaller ones; all stay below 10³ in size, so that sine keeps its digits."""
    one = {"sin": np.sin, "cos": np.cos, "tanh": np.tanh, "atan": np.arctan, "abs": np.abs}
    two = {"+": np.add, "-": np.subtract, "*": np.multiply}
    return st.one_of(
        st.tuples(st.sampled_from(list(one)), parts).map(
            lambda made: (f"{made[0]}({made[1][0]})", lambda x, y: one[made[0]](made[1][1](x, y)))
        ),
        st.tuples(parts, st.sampled_from(list(two)), parts).map(
            lambda made: (
                f"({made[0][0]} {made[1]} {made[2][0]})",
                lambda x, y: two[made[1]](made[0][1](x, y), made[2][1](x, y)),
            )
        ),
        st.tuples(parts, st.integers(2, 4)).map(
            lambda made: (f"-cos({made[0][0]})**{made[1]}", lambda x, y: -(np.cos(made[0][1](x, y)) ** made[1]))
        ),
        parts.map(lambda part: (f"x/(2 + sin({part[0]}))", lambda x, y: x / (2 + np.sin(part[1](x, y))))),
    )


LEAVES = st.one_of(
    st.just(("x", lambda x, y: x)),
    st.just(("y", lambda x, y: y)),
    st.sampled_from((0.25, 1.5, 3.0)).map(lambda number: (repr(number), lambda x, y: np.full_like(x, number))),
)


@given(st.recursive(LEAVES, _joined, max_leaves=6))
def test_random_formulas_agree_with_numpy(formula: tuple) -> None:
    text, in_numpy = f"0*x + {formula[0]}", formula[1]
    assume(len(text) <= MAX_LENGTH)
    x, y = np.array([-2.5, -1.0, 0.0, 0.75, 3.0]), np.array([1.5, -3.0, 0.0, 2.0, -0.5])
    with jax.enable_x64(True):
        found = np.asarray(parse(text)(jnp.asarray(x), jnp.asarray(y)))
    # Arguments below 10³ lose at most three of float64's sixteen digits in each sine.
    np.testing.assert_allclose(found, in_numpy(x, y), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("text", NO_FORMULAS, ids=lambda text: ascii(text[:20]))
def test_a_text_that_is_no_formula_is_refused_quickly_and_its_fault_is_shown(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert time.perf_counter() - began < 1.0
    error, expected = caught.value, NO_FORMULAS[text]
    assert 0 <= error.position < max(len(text), 1)
    if expected is not None:
        assert error.position == expected
    assert error.message in str(error) and ALLOWED in str(error)
    assert not text.strip() or f"At character {error.position + 1}," in str(error)


def test_an_error_survives_pickling() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse("x + é")
    copied = pickle.loads(pickle.dumps(caught.value))
    assert (copied.message, copied.position, str(copied)) == (
        caught.value.message,
        caught.value.position,
        str(caught.value),
    )


@given(st.text(st.sampled_from("xye123.+-*/^(), sincoexplgabqrtπ²−·×\0'[λ_"), max_size=30))
def test_any_text_is_a_formula_or_an_expression_error(text: str) -> None:
    try:
        formula = parse(text)
    except ExpressionError as error:
        assert 0 <= error.position < max(len(text), 1)
        return
    with jax.enable_x64(True):
        assert math.isfinite(formula(*formula.finite_at))


@pytest.mark.parametrize("power", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("at", [0.0, -1.5])
def test_whole_powers_have_two_exact_derivatives_at_zero_and_below(power: int, at: float) -> None:
    formula = parse(f"x**{power} + 0*y")

    def along_x(x: jax.Array) -> jax.Array:
        return formula(x, jnp.zeros_like(x))

    with jax.enable_x64(True):
        x = jnp.asarray(at)
        slope, curvature = float(jax.grad(along_x)(x)), float(jax.grad(jax.grad(along_x))(x))
    assert slope == pytest.approx(power * at ** (power - 1), rel=1e-14)
    assert curvature == pytest.approx(power * (power - 1) * at ** max(power - 2, 0), rel=1e-14)


@pytest.mark.parametrize("text", ["-" * 198 + "x", "x+" * 99 + "y", "(" * 99 + "x" + ")" * 99, "sin(" * 39 + "x" + ")" * 39])
def test_the_deepest_formulas_that_fit_can_be_differentiated_twice(text: str) -> None:
    formula = parse(text)
    along_x = jax.grad(jax.grad(lambda x: formula(x, x)))
    assert math.isfinite(float(along_x(jnp.float32(0.5))))


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize("text", ["x", "3 + 0*x", "pi*x**2 + 2**y", "max(x, 1)/7 + x**2.5"])
def test_the_value_has_the_type_of_x(text: str, dtype: type) -> None:
    with jax.enable_x64(dtype is jnp.float64):
        value = parse(text)(jnp.asarray(1.5, dtype), jnp.asarray(0.5, dtype))
        assert value.dtype == dtype and not value.weak_type


def test_equal_texts_make_equal_functions_and_others_do_not() -> None:
    assert parse("x + y") == parse("x + y") and hash(parse("x + y")) == hash(parse("x + y"))
    assert parse("x + y") != parse("x - y")


def test_a_formula_starts_where_it_is_finite_and_near_the_preferred_point() -> None:
    assert parse("x*y").finite_at == PREFERRED_POINT
    x, y = parse("log(-x) + sqrt(y - 2.9)").finite_at
    assert -REACH <= x < 0 and 2.9 <= y <= REACH
    assert parse("sqrt(-(x**2) - y**2)").finite_at == (0.0, 0.0)
