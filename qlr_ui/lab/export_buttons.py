"""The buttons under a lab's player: the lesson as one HTML file, its numbers as CSV."""

from collections.abc import Callable

import streamlit as st

from qlr_ui.player import standalone_html


def lesson_button(payload: bytes, title: str, file: str) -> None:
    """The player with its runs as one file, made when it is asked for, not at every change."""
    st.download_button(
        "Export this lesson as one HTML file",
        lambda: standalone_html(payload, f"{title} · AdamQLR Lab"),
        file,
        "text/html",
        on_click="ignore",
        width="stretch",
        help="The player with these runs, for slides: it works offline, without the lab.",
    )


def numbers_button(csv: Callable[[], bytes], file: str) -> None:
    """The numbers of every step."""
    st.download_button(
        "Export the numbers as CSV",
        csv,
        file,
        "text/csv",
        on_click="ignore",
        width="stretch",
        help="One row a step and run.",
    )
