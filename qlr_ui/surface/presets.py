"""Settings of the surface lab that show one thing each, and the sentence that says what to look for."""

from qlr_ui.lab.run_controls import Preset
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.surface.state import LabState

_HESSIAN = (("curvature", "hessian"),)
_ADAM = RunSetting("adam", values=(("learning_rate", 0.05),))
_UNDAMPED = (("initial_damping", 0.0), ("damping_decrease", 1.0), ("damping_increase", 1.0), ("min_damping", 0.0))


PRESETS = (
    Preset(
        "untuned",
        "Untuned",
        "AdamQLR with the paper's defaults needs no learning rate; Adam got a good one and still takes its time in the valley.",
        LabState(),
    ),
    Preset(
        "broken_promise",
        "A broken promise",
        "Go to step 66: the model promises a drop of 0.44 and the landscape keeps 0.26, so ρ = 0.59 and λ stays.",
        LabState(
            steps=120,
            runs=(
                RunSetting("adam_qlr", _HESSIAN, (("initial_damping", 1.0), ("damping_increase", 4.0))),
                _ADAM,
            ),
        ),
    ),
    Preset(
        "clipped",
        "Clipped",
        "α_max = 0.1, as in the paper's earlier variant: where α* is larger the step stops at the clip, and ρ stays near 1.",
        LabState(runs=(RunSetting("adam_qlr", values=(("max_learning_rate", 0.1),)), RunSetting("adam_qlr"))),
    ),
    Preset(
        "undamped",
        "Undamped",
        "λ = 0 for ever, with the Hessian: the model alone decides, and where q < 0 the step climbs.",
        LabState(runs=(RunSetting("adam_qlr", _HESSIAN, _UNDAMPED), RunSetting("adam_qlr", _HESSIAN))),
    ),
    Preset(
        "huge_damping",
        "Huge λ₀",
        "λ₀ = 10⁶ makes the first steps tiny; every one keeps its promise, so λ halves until curvature takes over.",
        LabState(runs=(RunSetting("adam_qlr", values=(("initial_damping", 1e6),)), RunSetting("adam_qlr"))),
    ),
    Preset(
        "tiny_clip",
        "Tiny α_max",
        "α_max = 10⁻³ turns AdamQLR into Adam with that learning rate: α never leaves the clip, and λ no longer matters.",
        LabState(
            runs=(
                RunSetting("adam_qlr", values=(("max_learning_rate", 1e-3),)),
                RunSetting("adam"),
            )
        ),
    ),
    Preset(
        "adam_too_high",
        "Adam, rate too high",
        "Adam at α = 1 leaps across the valley and rings; AdamQLR picks a different α at every step from the same direction.",
        LabState(runs=(RunSetting("adam_qlr"), RunSetting("adam", values=(("learning_rate", 1.0),)))),
    ),
    Preset(
        "momentum_diverges",
        "Momentum diverges",
        "At α = 0.01 momentum leaves the picture within a few steps; the banner says when, and what to lower.",
        LabState(runs=(RunSetting("momentum", values=(("learning_rate", 0.01),)), RunSetting("adam_qlr"))),
    ),
    Preset(
        "curvatures",
        "Fisher, Hessian, empirical Fisher",
        "Three matrices, one direction: only the Hessian can be negative, and the empirical Fisher shrinks with the gradient.",
        LabState(
            runs=(
                RunSetting("adam_qlr"),
                RunSetting("adam_qlr", _HESSIAN),
                RunSetting("adam_qlr", (("curvature", "empirical_fisher"),)),
            )
        ),
    ),
    Preset(
        "damping_rules",
        "Two damping rules",
        "The decreasing-loss rule takes back every step that climbs and doubles λ; the reduction ratio lets it stand.",
        LabState(
            runs=(
                RunSetting("adam_qlr", _HESSIAN),
                RunSetting("adam_qlr", (("curvature", "hessian"), ("damping_rule", "decreasing_loss"))),
            )
        ),
    ),
    Preset(
        "heuristics_alone",
        "How much is the direction?",
        "SGD-QLR has the same learning rate and damping rule along the plain gradient: what is left is what Adam's d adds.",
        LabState(runs=(RunSetting("adam_qlr"), RunSetting("sgd_qlr"), _ADAM)),
    ),
    Preset(
        "saddle",
        "A saddle",
        "Where q < 0 the Hessian's step climbs: this run ends on the saddle. With |q| it finds a minimum.",
        LabState(
            surface="saddle",
            parameters=(("strength", 0.5),),
            start=(1.0, 0.3),
            runs=(
                RunSetting("adam_qlr", _HESSIAN),
                RunSetting("adam_qlr", _HESSIAN, (("absolute_curvature", 1.0),)),
                _ADAM,
            ),
        ),
    ),
)


def preset_of(state: LabState) -> Preset[LabState] | None:
    """The preset that shows exactly this, or None."""
    return next((preset for preset in PRESETS if preset.state == state), None)
