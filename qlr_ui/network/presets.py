"""Settings of the small-network lab that show one thing each, and the sentence that says what to look for."""

from qlr_core.networks.problem import NetworkLab
from qlr_ui.lab.run_controls import Preset
from qlr_ui.lab.run_setting import RunSetting
from qlr_ui.network.state import NetworkState

_QLR = RunSetting("adam_qlr")

PRESETS = (
    Preset(
        "untuned",
        "Untuned on moons",
        "AdamQLR fits the training rows far better than Adam at its usual 0.001, and overfits: see validation.",
        NetworkState(),
    ),
    Preset(
        "noise",
        "ρ under noise",
        "With the clip, ρ on the step's own batch stays near 1; on other data it scatters and changes sign.",
        NetworkState(
            NetworkLab(batch_size=64, steps=100),
            (RunSetting("adam_qlr", values=(("initial_damping", 1.0), ("max_learning_rate", 0.1))), _QLR),
        ),
    ),
    Preset(
        "curvatures",
        "Fisher, Hessian, empirical Fisher on digits",
        "Three matrices along one direction: the Hessian's dᵀCd can be negative, and its run climbs. Below are their "
        "eigenvalues.",
        NetworkState(
            NetworkLab(dataset="digits", batch_size=256, steps=60),
            (
                _QLR,
                RunSetting("adam_qlr", (("curvature", "hessian"),)),
                RunSetting("adam_qlr", (("curvature", "empirical_fisher"),)),
            ),
        ),
    ),
    Preset(
        "rate_too_high",
        "A rate too high",
        "Adam at a learning rate of 3 leaves at once: the banner says when, and what to lower. AdamQLR needs no rate.",
        NetworkState(
            NetworkLab(dataset="curve", depth=2, activation="relu", steps=150),
            (_QLR, RunSetting("adam", values=(("learning_rate", 3.0),))),
        ),
    ),
    Preset(
        "heuristics_alone",
        "SGD-QLR against momentum",
        "The same rule along the plain gradient, against momentum and against the rule along Adam's direction.",
        NetworkState(runs=(RunSetting("sgd_qlr"), RunSetting("momentum"), _QLR)),
    ),
)


def preset_of(state: NetworkState) -> Preset[NetworkState] | None:
    """The preset that shows exactly this, or None."""
    return next((preset for preset in PRESETS if preset.state == state), None)
