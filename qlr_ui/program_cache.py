"""Compiled programs kept on disk: a lab that is started again does not compile what it has compiled before."""

import os
import platform
import zlib
from functools import cache
from pathlib import Path

import filelock
import platformdirs

# Small programs too: a page has many of them.
_LEAST_SECONDS = 0.1
# The least recently used ones go first. A program takes some 50 to 500 kB.
_MOST_BYTES = 256 * 2**20
# The files of JAX: a program, the time at which it was last used, and the lock under which it reads and writes the two.
_PROGRAM, _USED, _LOCK = "-cache", "-atime", ".lockfile"
# Touched at every start: a program that has not changed since then was whole.
_CHECKED = ".checked"
# How what JAX has compressed begins: by zlib, and by Zstandard where Python has it.
_ZLIB, _ZSTANDARD = b"\x78", b"\x28\xb5\x2f\xfd"
_PATIENCE_SECONDS = 10.0


@cache
def keep_programs() -> None:
    """Keeps them in the user's cache, unless ``JAX_COMPILATION_CACHE_DIR`` or the host program has chosen otherwise.

    To be called before anything else imports JAX, whose library reads the environment once. A program is found again only
    by the same jaxlib, with the same flags, on a machine of the same features: all of these are in its name.
    """
    _speak_of_real_faults_alone()
    import jax

    if jax.config.values["jax_compilation_cache_dir"] is None:
        folder = platformdirs.user_cache_path("adamqlr-lab") / "programs"
        try:
            mend(folder)
        except (OSError, filelock.Timeout):
            return  # a folder that nobody can write to, or that another process holds: then every start is a first one
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)
        jax.config.update("jax_compilation_cache_max_size", _MOST_BYTES)
        jax.config.update("jax_compilation_cache_dir", str(folder))


def mend(folder: Path) -> None:
    """Removes what a killed process left half written, and dates what has no time of use.

    Beside a single program without its time JAX writes no other; one that is damaged it would fail to read at every start.
    OSError where the folder cannot be written; filelock.Timeout where another process holds it for longer than 10 s.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / _LOCK, timeout=_PATIENCE_SECONDS):
        checked = folder / _CHECKED
        since = checked.stat().st_mtime_ns if checked.exists() else 0
        for program in folder.glob(f"*{_PROGRAM}"):
            used = _beside(program, _USED)
            changed = program.stat().st_mtime_ns
            if (changed >= since or not used.exists()) and not _whole(program):
                program.unlink()
            elif not used.exists():
                used.write_bytes(changed.to_bytes(8, "little"))
        for used in folder.glob(f"*{_USED}"):
            if not _beside(used, _PROGRAM).exists():
                used.unlink()
        checked.touch()


def _beside(path: Path, kind: str) -> Path:
    return path.with_name(path.name.rpartition("-")[0] + kind)


def _whole(program: Path) -> bool:
    """Whether the file is as long as it was meant to be, and undamaged; of Zstandard's, only whether it begins as one."""
    written = program.read_bytes()
    if not written.startswith(_ZLIB):
        return written.startswith(_ZSTANDARD)
    try:
        zlib.decompress(written)
    except zlib.error:
        return False
    return True


def _speak_of_real_faults_alone() -> None:
    """Keeps two false alarms of jaxlib 0.9 off the terminal, each of which comes with every program that is read.

    Where XLA compiles for AVX-512, it asks LLVM to prefer no gather and no scatter. Its loader takes these two wishes for
    features of the processor, misses them, and warns of SIGILL (openxla/xla issue 44565). Without AVX-512 there are no
    such wishes, and what the loader still says is true. XLA uses vectors of 256 bits in any case.

    "Assume version compatibility" is a warning that stands for nothing (jax issue 36294); errors are still shown.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    flags = os.environ.get("XLA_FLAGS", "")
    if platform.machine().lower() in ("x86_64", "amd64") and "xla_cpu_max_isa" not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_max_isa=AVX2".strip()
