"""A small recorded run, and the command that trains one."""

import sys
from pathlib import Path

from qlr_core.recorded.writer import Recorder
from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train

ROOT = Path(__file__).parents[1]
CHOICES, VALUES = (("curvature", "hessian"),), (("max_learning_rate", 0.1),)
PLAN = Plan("digits", "adam_qlr", CHOICES, VALUES, batch_size=256, steps=8, seeds=(3, 4), evaluate_every=4)


def record(folder: Path, plan: Plan = PLAN) -> None:
    prepared = prepare(plan)
    with Recorder(folder) as recorder:
        recorder.begin(prepared)
        for progress in train(prepared, recorder.resume(prepared)):
            recorder.write(prepared, progress)
            recorder.checkpoint(progress.after)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "qlr_core", "train", *arguments]
