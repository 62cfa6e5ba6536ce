"""A lab of its own for a load test."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import requests

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def server(port: int) -> Iterator[psutil.Process]:
    """A running lab with an empty cache of programs."""
    command = ["-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true"]
    with tempfile.TemporaryDirectory() as home:
        # Importing JAX here has set its variables.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_CPP_")}
        process = psutil.Popen([sys.executable, *command], cwd=ROOT, env=environment | {"XDG_CACHE_HOME": home})
        try:
            while not _healthy(port):
                time.sleep(0.5)
            yield process
        finally:
            process.kill()
            process.wait()


def _healthy(port: int) -> bool:
    try:
        return requests.get(f"http://localhost:{port}/_stcore/health", timeout=5).ok
    except requests.ConnectionError:
        return False
