"""The labs with links to them beside their pages, as a lesson has them: an app for the tests of this folder."""

from pathlib import Path

import streamlit as st

from qlr_core.networks.problem import NetworkLab
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.network import state as network_state
from qlr_ui.network.state import NetworkState
from qlr_ui.surface import state as lab_state
from qlr_ui.surface.state import LabState

PAGES = Path(__file__).parents[2] / "pages"
ADAM = (RunSetting("adam"),)

surfaces = st.Page(PAGES / "surfaces.py", title="Rosenbrock lab", default=True)
networks = st.Page(PAGES / "networks.py", title="Small networks", url_path="networks")
page = st.navigation([surfaces, networks], position="top")
for seed in (1, 2):
    st.page_link(
        surfaces,
        label=f"Surface {seed}",
        query_params={"lab": lab_state.to_link(LabState(start=(float(seed), 0.0), steps=20, runs=ADAM)), "step": str(seed)},
    )
    small = NetworkLab(width=2, steps=25, seed=seed)
    st.page_link(networks, label=f"Network {seed}", query_params={"network": network_state.to_link(NetworkState(small, ADAM))})
page.run()
