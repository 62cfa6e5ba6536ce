"""Settings of the small-network lab that show one thing each, and the sentence that says what to look for."""

from qlr_core.network_lab import NetworkLab
from qlr_ui.network_state import NetworkState
from qlr_ui.run_controls import Preset
from qlr_ui.run_setting import RunSetting

_QLR = RunSetting("adam_qlr")

PRESETS = (
    Preset(
        "untuned",
        "Untuned on moons",
        "AdamQLR picks a learning rate at every step and fits the training rows far below Adam at its usual 0.001; the second "
        "loss curve says what that costs on the validation rows.",
        NetworkState(),
    ),
    Preset(
        "noise",
        "ρ under noise",
        "Batches of 64: on the step's own batch ρ stays near 1 with the clip, on a fresh batch or on all data it scatters and "
        "changes sign, which is why the damping rule takes it on the same batch.",
        NetworkState(
            NetworkLab(batch_size=64, steps=100),
            (RunSetting("adam_qlr", values=(("initial_damping", 1.0), ("max_learning_rate", 0.1))), _QLR),
        ),
    ),
    Preset(
        "curvatures",
        "Fisher, Hessian, empirical Fisher on digits",
        "Three matrices for one direction: the Hessian's dᵀCd can be negative, and its run climbs; the eigenvalues under the "
        "table say how far the three agree.",
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
        "Adam at a learning rate of 3 leaves at once: the warning says at which step and what to lower; AdamQLR needs none.",
        NetworkState(
            NetworkLab(dataset="curve", depth=2, activation="relu", steps=150),
            (_QLR, RunSetting("adam", values=(("learning_rate", 3.0),))),
        ),
    ),
    Preset(
        "heuristics_alone",
        "SGD-QLR against momentum",
        "The same learning-rate rule along the plain gradient: SGD-QLR is compared with momentum, and with Adam's direction.",
        NetworkState(runs=(RunSetting("sgd_qlr"), RunSetting("momentum"), _QLR)),
    ),
)


def preset_of(state: NetworkState) -> Preset[NetworkState] | None:
    """The preset that shows exactly this, or None."""
    return next((preset for preset in PRESETS if preset.state == state), None)
