"""AdamQLR's core: the optimizers, the curvature and the quadratic model behind them, in JAX. Imports no screen.

A public name is imported when it is first used: a command that lists what there is does not wait for JAX.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qlr_core.curvature import CURVATURES
    from qlr_core.curvature import empirical_fisher as empirical_fisher
    from qlr_core.curvature import fisher as fisher
    from qlr_core.curvature import hessian as hessian
    from qlr_core.objective import LOSSES, Batch, Loss, Objective, linearize
    from qlr_core.optimizers import OPTIMIZERS, build_optimizer, optimizer_named
    from qlr_core.optimizers.base import StepInfo
    from qlr_core.quadratic import adapt_damping, best_learning_rate, predicted_change, reduction_ratio
    from qlr_core.ranges import knobs_with
    from qlr_core.rollout import rollout, start, sweep
    from qlr_core.surface_run import default_choices, fork, run_surface
    from qlr_core.surfaces import SURFACES, surface_named
    from qlr_core.transformations import adam_qlr, scale_by_quadratic_lr, sgd_qlr

__all__ = [
    "CURVATURES",
    "LOSSES",
    "OPTIMIZERS",
    "SURFACES",
    "Batch",
    "Loss",
    "Objective",
    "StepInfo",
    "adam_qlr",
    "adapt_damping",
    "best_learning_rate",
    "build_optimizer",
    "default_choices",
    "empirical_fisher",
    "fisher",
    "fork",
    "hessian",
    "info",
    "knobs_with",
    "linearize",
    "optimizer_named",
    "predicted_change",
    "reduction_ratio",
    "rollout",
    "run_surface",
    "scale_by_quadratic_lr",
    "sgd_qlr",
    "start",
    "surface_named",
    "sweep",
]

# Where each public name comes from, for the running program as above for a type checker.
_NAMES = {
    "curvature": ("CURVATURES", "empirical_fisher", "fisher", "hessian"),
    "objective": ("LOSSES", "Batch", "Loss", "Objective", "linearize"),
    "optimizers": ("OPTIMIZERS", "build_optimizer", "optimizer_named"),
    "optimizers.base": ("StepInfo",),
    "quadratic": ("adapt_damping", "best_learning_rate", "predicted_change", "reduction_ratio"),
    "ranges": ("knobs_with",),
    "rollout": ("rollout", "start", "sweep"),
    "surface_run": ("default_choices", "fork", "run_surface"),
    "surfaces": ("SURFACES", "surface_named"),
    "transformations": ("adam_qlr", "scale_by_quadratic_lr", "sgd_qlr"),
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
