"""AdamQLR's core: the optimizers, the curvature and the quadratic model behind them, in JAX. Imports no screen.

A public name is imported when it is first used: a command that lists what there is does not wait for JAX.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qlr_core.curvature import CURVATURES, Curvature, curvature_named, empirical_fisher, fisher, hessian
    from qlr_core.legs import Leg
    from qlr_core.losses import LOSSES, PLAIN_VALUE, RESIDUALS, SOFTMAX_CROSS_ENTROPY, SQUARED_ERROR, Loss
    from qlr_core.objective import Batch, Linearization, Objective, linearize
    from qlr_core.optimizers import OPTIMIZERS, build_optimizer, optimizer_named
    from qlr_core.optimizers.base import Choice, Optimizer, OptimizerSpec
    from qlr_core.optimizers.finish import FinishKnobs
    from qlr_core.optimizers.first_order import from_optax
    from qlr_core.optimizers.forms import FisherForm, fisher_form
    from qlr_core.optimizers.knobs import RuleKnobs
    from qlr_core.optimizers.quadratic_lr import DAMPING_RULES, DampingRule, damping_rule_named
    from qlr_core.optimizers.step_info import StepInfo
    from qlr_core.optimizers.steps import from_direction
    from qlr_core.optimizers.transformations import adam_qlr, info, scale_by_quadratic_lr, sgd_qlr
    from qlr_core.quadratic import adapt_damping, best_learning_rate, predicted_change, reduction_ratio
    from qlr_core.ranges import Range, as_arrays, changed, knobs_with, numbers_of
    from qlr_core.recorded.folder import RecordedRun, RunError, read_run
    from qlr_core.rollout import Moment, RunState, rollout, start, sweep
    from qlr_core.surfaces import SURFACES, surface_named
    from qlr_core.surfaces.run import default_choices, fork, run_legs, run_surface
    from qlr_core.tasks import TASKS, task_named

__version__ = "0.1.0"

__all__ = [
    "CURVATURES",
    "DAMPING_RULES",
    "LOSSES",
    "OPTIMIZERS",
    "PLAIN_VALUE",
    "RESIDUALS",
    "SOFTMAX_CROSS_ENTROPY",
    "SQUARED_ERROR",
    "SURFACES",
    "TASKS",
    "Batch",
    "Choice",
    "Curvature",
    "DampingRule",
    "FinishKnobs",
    "FisherForm",
    "Leg",
    "Linearization",
    "Loss",
    "Moment",
    "Objective",
    "Optimizer",
    "OptimizerSpec",
    "Range",
    "RecordedRun",
    "RuleKnobs",
    "RunError",
    "RunState",
    "StepInfo",
    "adam_qlr",
    "adapt_damping",
    "as_arrays",
    "best_learning_rate",
    "build_optimizer",
    "changed",
    "curvature_named",
    "damping_rule_named",
    "default_choices",
    "empirical_fisher",
    "fisher",
    "fisher_form",
    "fork",
    "from_direction",
    "from_optax",
    "hessian",
    "info",
    "knobs_with",
    "linearize",
    "numbers_of",
    "optimizer_named",
    "predicted_change",
    "read_run",
    "reduction_ratio",
    "rollout",
    "run_legs",
    "run_surface",
    "scale_by_quadratic_lr",
    "sgd_qlr",
    "start",
    "surface_named",
    "sweep",
    "task_named",
]

# Where each public name comes from, for the running program as above for a type checker.
_NAMES = {
    "curvature": (
        "CURVATURES",
        "Curvature",
        "curvature_named",
        "empirical_fisher",
        "fisher",
        "hessian",
    ),
    "optimizers.forms": (
        "FisherForm",
        "fisher_form",
    ),
    "legs": ("Leg",),
    "losses": (
        "LOSSES",
        "PLAIN_VALUE",
        "RESIDUALS",
        "SOFTMAX_CROSS_ENTROPY",
        "SQUARED_ERROR",
        "Loss",
    ),
    "objective": (
        "Batch",
        "Linearization",
        "Objective",
        "linearize",
    ),
    "optimizers": (
        "OPTIMIZERS",
        "build_optimizer",
        "optimizer_named",
    ),
    "optimizers.finish": ("FinishKnobs",),
    "optimizers.first_order": ("from_optax",),
    "optimizers.knobs": ("RuleKnobs",),
    "optimizers.steps": ("from_direction",),
    "optimizers.base": (
        "Choice",
        "Optimizer",
        "OptimizerSpec",
    ),
    "optimizers.quadratic_lr": (
        "DAMPING_RULES",
        "DampingRule",
        "damping_rule_named",
    ),
    "optimizers.step_info": ("StepInfo",),
    "quadratic": (
        "adapt_damping",
        "best_learning_rate",
        "predicted_change",
        "reduction_ratio",
    ),
    "ranges": (
        "Range",
        "as_arrays",
        "changed",
        "knobs_with",
        "numbers_of",
    ),
    "rollout": (
        "Moment",
        "RunState",
        "rollout",
        "start",
        "sweep",
    ),
    "recorded.folder": (
        "RecordedRun",
        "RunError",
        "read_run",
    ),
    "surfaces.run": (
        "default_choices",
        "fork",
        "run_legs",
        "run_surface",
    ),
    "surfaces": (
        "SURFACES",
        "surface_named",
    ),
    "tasks": (
        "TASKS",
        "task_named",
    ),
    "optimizers.transformations": (
        "adam_qlr",
        "info",
        "scale_by_quadratic_lr",
        "sgd_qlr",
    ),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}


class _Package(ModuleType):
    """The package with its public names, each imported at its first use."""

    def __getattr__(self, name: str) -> Any:
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        setattr(self, name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # Python sets a module as an attribute of its package; the module ``rollout`` is not to hide the function.
        if not (name in _MODULE_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *_MODULE_OF})


sys.modules[__name__].__class__ = _Package
