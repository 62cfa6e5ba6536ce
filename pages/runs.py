"""Recorded runs: what `python -m qlr_core train` wrote, compared over seeds, by step, epoch, cost or seconds."""

import streamlit as st

from qlr_ui.first_visit import through_the_app
from qlr_ui.recorded import lab as recorded_lab

through_the_app()

with st.sidebar:
    st.title("Recorded runs")
    st.markdown("Runs of full tasks, trained from the command line on a CPU or a GPU, or small ones from here.")

choice = recorded_lab.sidebar()
st.markdown(
    "**Compare runs.** A line is the median over the seeds, its band the 95 % bootstrap interval; of a single seed, the "
    "lowest and highest of the steps that a point stands for."
)
if choice is None or not choice.runs:
    st.info("No run is chosen. Choose some in the sidebar, or train one: `python -m qlr_core train digits --seeds 5`")
else:
    recorded_lab.show(choice)

st.subheader("How to make one")
st.code(
    "python -m qlr_core tasks                      # what can be trained\n"
    "python -m qlr_core data fetch fashion_mnist   # the data, once\n"
    "python -m qlr_core train fashion_mnist --optimizer adam_qlr --seeds 5\n"
    "python -m qlr_core train --resume runs/…      # goes on after an interruption, bit for bit",
    language="sh",
)
