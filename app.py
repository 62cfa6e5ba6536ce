"""The lab's navigation: what pages there are."""

import streamlit as st

from qlr_ui.lab.live_programs import drop_programs
from qlr_ui.program_cache import keep_programs

st.set_page_config(
    page_title="AdamQLR Lab",
    layout="wide",
    # Without a menu entry the theme switch would be hidden.
    menu_items={"About": "AdamQLR Lab: second-order optimization, one step at a time. MIT license."},
)

# On a phone, whose pages Streamlit puts behind a button, this says what one is looking at.
st.logo("qlr_ui/logo.svg", size="small")
keep_programs()
drop_programs()
st.navigation(
    [
        st.Page("pages/surfaces.py", title="Rosenbrock lab", default=True),
        st.Page("pages/networks.py", title="Small networks", url_path="networks"),
        st.Page("pages/runs.py", title="Recorded runs", url_path="runs"),
    ],
    position="top",
).run()
