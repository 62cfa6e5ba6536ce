"""What a precision saves: AdamQLR's step in TF32 and in bfloat16 beside the same step in float32."""

from collections.abc import Iterator

from qlr_core.bench.networks import CASES, CLASSES, VOCABULARY, mlp_problem, resnet_problem, scans, transformer_problem
from qlr_core.bench.row import Row
from qlr_core.bench.steps import Problem, registered_steps
from qlr_core.bench.timing import fewer, versus
from qlr_core.models import RESNET_18, TRANSFORMER_SMALL
from qlr_core.precision import BF16, FLOAT32, TF32, Precision

NETWORKS = ("mlp", "resnet", "transformer")


def precisions(rounds: int) -> Iterator[Row]:
    """A large MLP, ResNet-18 and the transformer; on a CPU TF32 is float32, and bfloat16 may be slower."""
    for name in NETWORKS:
        exact = _problem(name, FLOAT32)
        steps = registered_steps("adam_qlr", exact)
        for precision in (TF32, BF16):
            rough = registered_steps("adam_qlr", _problem(name, precision))
            title = f"AdamQLR step in {precision.label} / in float32, {exact.name}"
            yield versus(title, rough, steps, None, len(exact.schedule), fewer(rounds))


def _problem(name: str, precision: Precision) -> Problem:
    if name == "mlp":
        return mlp_problem(CASES[-1], precision)
    if name == "transformer":
        return transformer_problem(TRANSFORMER_SMALL.build(VOCABULARY), precision=precision)
    # The batch of CIFAR-10; on a CPU a step of it takes a minute.
    steps, batch = (10, 128) if scans() else (1, 4)
    return resnet_problem(RESNET_18.build(CLASSES), steps, batch, precision)
