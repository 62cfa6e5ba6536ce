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
        {"step": "294"},
    ),
    Preset(
        "noise",
        "ρ under noise",
        "At step 10 ρ is 1.1 on the step's own batch and −1.3 on all training rows. With the clip the first stays near 1; on "
        "other data ρ scatters and changes sign.",
        NetworkState(
            NetworkLab(batch_size=64, steps=100),
            (RunSetting("adam_qlr", values=(("initial_damping", 1.0), ("max_learning_rate", 0.1))), _QLR),
        ),
        {"step": "10"},
    ),
    Preset(
        "curvatures",
        "Fisher, Hessian, empirical Fisher on digits",
        "At step 17 the Hessian's dᵀCd is negative and the step climbs; its model promised a climb, so ρ = 8.6 and λ falls. "
        "Below are the eigenvalues of the three matrices.",
        NetworkState(
            NetworkLab(dataset="digits", batch_size=256, steps=60),
            (
                _QLR,
                RunSetting("adam_qlr", (("curvature", "hessian"),)),
                RunSetting("adam_qlr", (("curvature", "empirical_fisher"),)),
            ),
        ),
        {"step": "17", "focus": "r1"},
    ),
    Preset(
        "rate_too_high",
        "A rate too high",
        "Adam at a learning rate of 3 leaves at once: the banner says when, and what to lower. AdamQLR needs no rate.",
        NetworkState(
            NetworkLab(dataset="curve", depth=2, activation="relu", steps=150),
            (_QLR, RunSetting("adam", values=(("learning_rate", 3.0),))),
        ),
        {"step": "1", "focus": "r1"},
    ),
    Preset(
        "heuristics_alone",
        "SGD-QLR against momentum",
        "The rule along the plain gradient ends at a lower training loss than momentum, and along Adam's direction at a lower "
        "one still.",
        NetworkState(runs=(RunSetting("sgd_qlr"), RunSetting("momentum"), _QLR)),
        {"step": "294"},
    ),
)


def preset_of(state: NetworkState) -> Preset[NetworkState] | None:
    """The preset that shows exactly this, or None."""
    return next((preset for preset in PRESETS if preset.state == state), None)
