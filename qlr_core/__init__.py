"""AdamQLR's core: the optimizers, the curvature and the quadratic model behind them, in JAX. Imports no screen."""

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
