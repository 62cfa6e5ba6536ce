"""The first visit of a fresh server may be a link to a page: it must come through app.py all the same."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager


def through_the_app() -> None:
    """Begins again with app.py where a page was opened without it.

    Until ``st.navigation`` has run once, Streamlit takes a folder named ``pages`` for the sign of an app of its first
    generation and runs the page in it alone, with other looks and names.
    """
    if PagesManager.uses_pages_directory:
        PagesManager.uses_pages_directory = False
        st.rerun()
