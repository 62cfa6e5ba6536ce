"""The two buttons under a lab's player: the lesson as one HTML file, its numbers as CSV."""

from collections.abc import Callable

import streamlit as st

from qlr_ui.player import standalone_html


def export_buttons(payload: bytes, title: str, csv: Callable[[], bytes], lesson_file: str, numbers_file: str) -> None:
    """Draws them; the files are made when they are asked for, not at every move of a slider."""
    left, right = st.columns(2)
    left.download_button(
        "Export this lesson as one HTML file",
        lambda: standalone_html(payload, f"{title} · AdamQLR Lab"),
        lesson_file,
        "text/html",
        on_click="ignore",
        width="stretch",
        help="The player with these runs, for slides: it works offline, without the lab.",
    )
    right.download_button(
        "Export the numbers as CSV",
        csv,
        numbers_file,
        "text/csv",
        on_click="ignore",
        width="stretch",
        help="One row a step and run.",
    )
