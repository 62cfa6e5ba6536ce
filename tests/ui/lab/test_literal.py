"""What is shown as it stands comes out of Markdown as it went in."""

import html

import pytest
from markdown_it import MarkdownIt

from qlr_core.surfaces.expression import ALLOWED, ExpressionError, parse
from qlr_ui.lab.literal import literal

_TEXTS = (ALLOWED, "runs/_a_b_/*.parquet", "[x](y) **b** ~~s~~ <b> &lt; # 1", "- λ_min | α_max", "2*x + 3*y", "$x$")


@pytest.mark.parametrize("text", _TEXTS)
def test_markdown_shows_the_text_itself(text: str) -> None:
    shown = MarkdownIt().render(literal(text)).strip()
    assert html.unescape(shown.removeprefix("<p>").removesuffix("</p>")) == text


def test_a_command_stays_a_command() -> None:
    assert "<code>python -m x --a_b *</code>, 2*x" in MarkdownIt().render(literal("run `python -m x --a_b *`, 2*x"))


def test_the_remedy_of_a_missing_product_sign_keeps_it() -> None:
    with pytest.raises(ExpressionError) as raised:
        parse("2x")
    assert "2*x" in html.unescape(MarkdownIt().render(literal(str(raised.value))))
