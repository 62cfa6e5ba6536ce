"""Settings of the surface lab that show one thing each, and the sentence that says what to look for.

A test makes every number of every sentence anew from the runs, also from starts that rounding could not tell apart.
"""

from qlr_core.surfaces import surface_named
from qlr_ui.lab.run_controls import Preset
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.surface.state import LabState

_HESSIAN = (("curvature", "hessian"),)
_UNDAMPED = (("initial_damping", 0.0), ("damping_decrease", 1.0), ("damping_increase", 1.0), ("min_damping", 0.0))
_QLR = RunSetting("adam_qlr")
_TEXTBOOK = surface_named("rosenbrock").start
# Along Adam's first direction from here the Fisher model promises a drop and the landscape climbs.
_OVERSHOOTS = (-0.2, 0.1)


def _clipped(limit: float, *choices: tuple[str, str]) -> RunSetting:
    return RunSetting("adam_qlr", choices, (("max_learning_rate", limit),))


PRESETS = (
    Preset(
        "at_a_glance",
        "At a glance",
        "After a long first step AdamQLR breaks its promise at step 3 (ρ = −2), λ doubles, and at step 18 it has arrived: "
        "f ≤ 10⁻³. The start was chosen by a search for this; Adam at α = 1, the best of 11 rates from there, needs 233 steps.",
        LabState(),
    ),
    Preset(
        "untuned",
        "Untuned",
        "With all of the paper's numbers λ is at its floor from step 17 on, too low to shorten step 45, where ρ = −9. Yet "
        "f < 10⁻⁴ after 200 steps; Adam at α = 0.02, the best of 11 rates from here, is at 0.577.",
        LabState(start=_TEXTBOOK, steps=200, runs=(_QLR, RunSetting("adam", values=(("learning_rate", 0.02),)))),
        {"step": "45"},
    ),
    Preset(
        "broken_promise",
        "A broken promise",
        "Step 4 promises that f drops by 1.27, and it drops by 0.108: ρ = 0.085 is below ¼, so λ doubles. Step 5 even climbs "
        "(ρ = −0.48), and λ doubles again.",
        LabState(
            surface="beale",
            start=(2.5, 1.5),
            runs=(RunSetting("adam_qlr", values=(("initial_damping", 1.0), ("max_learning_rate", 1.0))),),
        ),
        {"step": "4"},
    ),
    Preset(
        "clipped",
        "Clipped",
        "α_max = 0.1 cuts each of the first 20 steps short: ρ stays above 0.96, and λ falls to its floor. Without the clip "
        "ρ = 0.22 at step 3, yet after these steps f is 0.0267 instead of 2.08.",
        LabState(start=(-1.2, -1.7), runs=(_clipped(0.1), _QLR)),
        {"step": "3"},
    ),
    Preset(
        "undamped",
        "Undamped",
        "Without damping step 0 promises that f drops by 15.8, and f climbs by 733. With λ₀ = 10 its α is 0.543 instead of "
        "2.2, and f never rises above the start; the paper's λ₀ = 10⁻³ would be too small to help.",
        LabState(
            surface="beale",
            start=_OVERSHOOTS,
            steps=40,
            runs=(
                RunSetting("adam_qlr", values=_UNDAMPED),
                RunSetting("adam_qlr", values=(("initial_damping", 10.0),)),
            ),
        ),
        {"step": "0"},
    ),
    Preset(
        "huge_damping",
        "Huge λ₀",
        "λ₀ = 10⁶ makes step 0 tiny (α = 5.99·10⁻⁴ instead of 0.666), and a step that timid keeps twice its promise: ρ = 2. "
        "So λ halves at every step, and from step 12 on λ dᵀd is smaller than dᵀCd.",
        LabState(start=_TEXTBOOK, runs=(RunSetting("adam_qlr", values=(("initial_damping", 1e6),)), _QLR)),
        {"step": "0"},
    ),
    Preset(
        "tiny_clip",
        "Tiny α_max",
        "The clip at α_max = 10⁻³ decides each of the 200 steps, the last one too, where α* = 0.684. So AdamQLR is Adam with "
        "that learning rate, and the two paths are one.",
        LabState(start=_TEXTBOOK, steps=200, runs=(_clipped(1e-3), RunSetting("adam"))),
        {"step": "199"},
    ),
    Preset(
        "right_then_wrong",
        "Right once, wrong after",
        "α = 0.99 is the best length of Adam's first step: f falls from 400 to 0.99. The same rate climbs to 8.13 at step 1, "
        "and after 200 steps f is still 2.96.",
        LabState(start=_TEXTBOOK, steps=200, runs=(RunSetting("adam", values=(("learning_rate", 0.99),)), _QLR)),
        {"step": "1"},
    ),
    Preset(
        "momentum_diverges",
        "Momentum diverges",
        "At α = 0.01 the first step of momentum leaves the picture, to (−7, 3), and at step 5 f is no longer finite. The "
        "banner says what to lower.",
        LabState(start=_TEXTBOOK, runs=(RunSetting("momentum", values=(("learning_rate", 0.01),)), _QLR)),
        {"step": "5"},
    ),
    Preset(
        "curvatures",
        "Fisher, Hessian, empirical Fisher",
        "At step 0 dᵀCd is 514 with the Fisher and −90 with the Hessian, whose step therefore climbs by 197; its model "
        "promised a climb, so ρ = 0.85 and λ falls. With the empirical Fisher dᵀCd is so large that α = 0.00206.",
        LabState(
            start=(0.3, 1.6),
            steps=20,
            runs=(_clipped(0.5), _clipped(0.5, *_HESSIAN), _clipped(0.5, ("curvature", "empirical_fisher"))),
        ),
        {"step": "0", "focus": "r1"},
    ),
    Preset(
        "damping_rules",
        "Two damping rules",
        "Step 0 climbs by 731. The reduction ratio lets it stand; the decreasing-loss rule takes it back and doubles λ, at "
        "12 steps in a row, until step 12 goes down.",
        LabState(
            surface="beale",
            start=_OVERSHOOTS,
            steps=40,
            runs=(_QLR, RunSetting("adam_qlr", (("damping_rule", "decreasing_loss"),))),
        ),
        {"step": "0", "focus": "r1"},
    ),
    Preset(
        "heuristics_alone",
        "How much is the direction?",
        "SGD-QLR has the same rule along the plain gradient, and it is ahead at step 10: f = 0.125 against 0.918. After 200 "
        "steps it is at 0.0518, and AdamQLR below 10⁻⁴.",
        LabState(start=_TEXTBOOK, steps=200, runs=(_QLR, RunSetting("sgd_qlr"))),
        {"step": "10", "focus": "r1"},
    ),
    Preset(
        "saddle",
        "A saddle",
        "At step 1 q < 0 and Newton's step climbs, as its model promises (ρ = 0.7): the run ends on the saddle (0, 0). "
        "AdamQLR with |q| ends at a minimum.",
        LabState(
            surface="saddle",
            parameters=(("strength", 0.5),),
            start=(1.0, 0.3),
            steps=100,
            runs=(
                RunSetting("newton", (("damping_rule", "reduction_ratio"),)),
                RunSetting("adam_qlr", _HESSIAN, (("absolute_curvature", 1.0),)),
            ),
        ),
        {"step": "1"},
    ),
)


def preset_of(state: LabState) -> Preset[LabState] | None:
    """The preset that shows exactly this, or None."""
    return next((preset for preset in PRESETS if preset.state == state), None)
