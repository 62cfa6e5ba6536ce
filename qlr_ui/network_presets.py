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
        "AdamQLR picks a learning rate at every step; Adam at its usual 0.001 is still bending its line when it has finished.",
        NetworkState(),
    ),
    Preset(
        "noise",
        "ρ under noise",
        "Batches of 16: at a frame, ρ on the step's own batch is calm, on a fresh batch or all data it scatters and can change "
        "sign. That is why ρ is taken on the same batch.",
        NetworkState(NetworkLab(batch_size=16, steps=200), (_QLR, RunSetting("sgd_qlr"))),
    ),
    Preset(
        "curvatures",
        "Fisher, Hessian, empirical Fisher on digits",
        "Three matrices for one direction: compare α and λ, and ask below for the eigenvalues, of which only the Hessian's may "
        "be negative.",
        NetworkState(
            NetworkLab(dataset="digits", batch_size=256, steps=150),
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
        "Adam and gradient descent at far too high a learning rate: a warning says where one diverged and what to lower; "
        "AdamQLR needs none.",
        NetworkState(
            NetworkLab(dataset="curve", steps=150),
            (
                _QLR,
                RunSetting("adam", values=(("learning_rate", 1.0),)),
                RunSetting("gradient_descent", values=(("learning_rate", 1.0),)),
            ),
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
