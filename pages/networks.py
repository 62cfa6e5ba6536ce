"""The second lab: AdamQLR against Adam and the others on small networks, trained while one watches."""

import streamlit as st

from qlr_ui.first_visit import through_the_app
from qlr_ui.lab.literal import literal
from qlr_ui.network import lab as network_lab
from qlr_ui.network.presets import preset_of

through_the_app()

with st.sidebar:
    st.title("Small networks")
    st.markdown(
        "The same instruments on real training. All runs begin with the **same weights** and see the **same batches**; "
        "what differs is the optimizer."
    )

state = network_lab.controls()
preset = preset_of(state)
sentence = (preset.heading, preset.look_for) if preset else ("Your own setting.", network_lab.lesson(state))

# The player says it, once there is one.
until_then = st.empty()
until_then.markdown(f"**{sentence[0]}** {sentence[1]}")
if problem := network_lab.problem_with(state):
    st.error(literal(problem))
elif runs := network_lab.train(state):
    until_then.empty()
    summary = network_lab.show(state, runs, sentence)
    st.subheader("How the runs compare")
    st.dataframe(summary, hide_index=True, width="stretch")
    st.subheader("Curvature")
    network_lab.show_spectrum(state)

st.subheader("What you see")
what, formula = st.columns(2)
what.markdown(
    """
- **Network.** What the network says at the cursor: a decision surface, a fitted curve, or the digits it gets wrong.
- **Path.** The same run in the plane of its two main directions: a slice of the loss, on which paths are projections.
- **Slice.** The true loss of the step's batch along d against what the model promised.
- **ρ three times.** On the step's own batch, on a fresh one and on all data. The model was made on the step's batch, so
  only there does ρ say how good it is; elsewhere it also measures the noise.
- **F** forks the run at this step with another λ, α_max or optimizer, and keeps both branches.
"""
)
formula.latex(r"\alpha^* = \frac{g^\top d}{d^\top C d + \lambda\, d^\top d}, \qquad g = \nabla f_B(\theta)")
formula.latex(r"\rho_{B'} = \frac{f_{B'}(\theta - \alpha d) - f_{B'}(\theta)}{\Delta M_B}")
formula.markdown(
    "C is the Fisher, the Hessian or the empirical Fisher of batch B. B′ is B itself in the damping rule, and a fresh "
    "batch or all training rows for comparison."
)
