"""Compiled programs on disk: found again without a word, by the machine that made them, and mended where a process died."""

import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from jax._src.lru_cache import LRUCache  # the one that keeps the programs: what it reads and writes is the point here

from qlr_ui.program_cache import mend

ROOT = Path(__file__).parents[2]
# A start of the lab, as far as its programs go; what the machine can do is said to the cache by its topology.
START = """
import sys
from qlr_ui.program_cache import keep_programs
keep_programs()
import jax
import jax.numpy as jnp
from jaxlib import xla_client
topology = xla_client.get_topology_for_devices
class Other:
    def serialize(self):
        return topology(jax.devices()).serialize().replace(b"+sse2,", b"-sse2,").replace(b"+neon,", b"-neon,")
if "elsewhere" in sys.argv:
    assert Other().serialize() != topology(jax.devices()).serialize()
    xla_client.get_topology_for_devices = lambda devices: Other()
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
print(float(jax.jit(lambda x: jnp.sum(jnp.sin(x) @ x))(jnp.ones((8, 8)))))
"""


def _start(home: Path, *where: str) -> int:
    """Starts once; fails where the terminal shows anything but the result; returns how many programs are kept."""
    set_aside = ("JAX_", "XLA_", "TF_CPP_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(set_aside)}
    # Not only on Linux is this the cache's place.
    environment |= {"XDG_CACHE_HOME": str(home), "HOME": str(home), "LOCALAPPDATA": str(home)}
    ran = subprocess.run([sys.executable, "-c", START, *where], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) == 1 and not ran.stderr
    return len(list(home.rglob("*-cache")))


@pytest.fixture
def whole() -> bytes:
    return zlib.compress(b"a program" * 100)


def test_a_second_start_reads_its_programs_without_a_word_and_another_machine_does_not(tmp_path: Path) -> None:
    first = _start(tmp_path)
    assert first > 0 and _start(tmp_path) == first
    assert _start(tmp_path, "elsewhere") == 2 * first


def test_one_program_without_its_time_does_not_stop_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "adamqlr-lab" / "programs"
    folder.mkdir(parents=True)
    (folder / "jit_lost-0123-cache").write_bytes(b"x\n")
    assert _start(tmp_path) > 0


def test_what_is_whole_stays_and_gets_its_time(tmp_path: Path, whole: bytes) -> None:
    cache = LRUCache(str(tmp_path), max_size=10_000)
    cache.put("jit_known-1", whole)
    (tmp_path / "jit_undated-2-cache").write_bytes(whole)
    mend(tmp_path)
    cache.put("jit_new-3", whole)
    assert [cache.get(key) for key in ("jit_known-1", "jit_undated-2", "jit_new-3")] == [whole] * 3
    assert len(list(tmp_path.glob("*-atime"))) == 3


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("damage", [lambda whole: whole[:-9], lambda whole: b"", lambda whole: bytes(len(whole))])
def test_what_is_half_written_goes_with_its_time(tmp_path: Path, whole: bytes, damage, dated: bool) -> None:
    (tmp_path / "jit_half-1-cache").write_bytes(damage(whole))
    if dated:
        (tmp_path / "jit_half-1-atime").write_bytes(bytes(8))
    mend(tmp_path)
    cache = LRUCache(str(tmp_path), max_size=10_000)
    assert cache.get("jit_half-1") is None and not list(tmp_path.glob("jit_*"))
    cache.put("jit_half-1", whole)
    mend(tmp_path)
    assert cache.get("jit_half-1") == whole


def test_a_time_without_its_program_goes(tmp_path: Path) -> None:
    (tmp_path / "jit_gone-1-atime").write_bytes(bytes(8))
    mend(tmp_path)
    assert not list(tmp_path.glob("jit_*"))
