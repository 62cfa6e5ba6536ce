"""Training on many devices is training on one, to rounding; checked on eight virtual CPU devices in a process of its own."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from qlr_core.training.plan import Plan, prepare
from qlr_core.training.train import train

# A step a chunk: on few cores, collectives of one step that wait for those of another can stall.
PLAN = Plan("digits", "adam_qlr", values=(("max_learning_rate", 0.1),), batch_size=64, steps=5, seeds=(0, 1), evaluate_every=1)
PROGRAM = """
import json, jax
from qlr_core.recorded.folder import plan_from
from qlr_core.training.plan import prepare
from qlr_core.training.train import train
plan = plan_from(json.loads(input()))
chunks = list(train(prepare(plan)))
losses = [chunk.info.loss.tolist() for chunk in chunks]
print(json.dumps({"devices": jax.local_device_count(), "losses": losses,
                  "spread": len(jax.tree.leaves(chunks[-1].after.runs.params)[0].sharding.device_set)}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [64, 60])  # eight devices share 64 rows evenly, and not 60
def test_eight_devices_train_as_one_does(batch_size: int) -> None:
    plan = dataclasses.replace(PLAN, batch_size=batch_size)
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    environment = os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], input=json.dumps(plan.as_plain()), env=environment,
        cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["devices"], found["spread"]) == (8, 8)
    alone = np.concatenate([chunk.info.loss for chunk in train(prepare(plan))])
    # Sums in another order: some roundings of float32, which five steps carry on.
    np.testing.assert_allclose(np.concatenate(found["losses"]), alone, rtol=1e-4)
