"""The first lab: AdamQLR against Adam and the others on functions of two numbers, step by step."""

import streamlit as st

from qlr_ui.first_visit import through_the_app
from qlr_ui.lab.literal import literal
from qlr_ui.surface import lab as surface_lab
from qlr_ui.surface.presets import preset_of

through_the_app()

with st.sidebar:
    st.title("Rosenbrock lab")
    st.markdown(
        "The runs start at the same point. **AdamQLR** takes Adam's direction, asks a quadratic model how far to go, and "
        "trusts the model more or less by how well it kept its last promise. Press play, or step with ← and →."
    )

state = surface_lab.controls()
preset = preset_of(state)
sentence = (preset.heading, preset.look_for) if preset else ("Your own setting.", surface_lab.lesson(state))

if problem := surface_lab.problem_with(state):
    st.error(literal(problem))
else:
    surface_lab.show(state, sentence)

st.subheader("What you see")
what, formula = st.columns(2)
what.markdown(
    """
- **Landscape.** Color is the loss on a log scale. At the current step the arrows are −g and d, and the ellipses are the
  damped model that chose α; its lowest point along d is where the step wants to land.
- **Slice.** The same step from the side: the true loss along d against what the model promised. Drag α to ask "what if".
- **ρ** compares the two: above ¾ the model may be trusted more and λ shrinks, below ¼ λ grows.
- **Numbers** follow the hand: drag the start in the landscape or any slider, and the path bends at once. Typed, by arrow
  keys, twice for the default.
- **F** forks the run at this step with another λ, α_max or optimizer, and keeps both branches.
"""
)
formula.latex(r"\alpha^* = \frac{g^\top d}{q}, \qquad q = d^\top C d + \lambda\, d^\top d")
formula.latex(r"\rho = \frac{\Delta f}{\Delta M} = \frac{f(\theta') - f(\theta)}{-\alpha\, g^\top d + \tfrac12 \alpha^2 q}")
with formula.expander("The code that computes it"):
    st.code(surface_lab.FORMULA_CODE, language="python")
