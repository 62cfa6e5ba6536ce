"""The compiled programs in memory, bounded: a server that stands for a day sees no end of architectures and functions."""

import ctypes
import sys

# A program takes some 105 memory maps, of the 65,530 that Linux allows a process, and 5 MB.
MOST_PROGRAMS = 80


def drop_programs() -> None:
    """Drops all compiled programs where there are more than ``MOST_PROGRAMS``; to be called before a page computes.

    A program that another session is running goes when it is done. What is needed again is read from the disk.
    """
    import jax  # not before ``keep_programs`` has set its environment
    from jax.extend.backend import get_backend

    if len(get_backend().live_executables()) <= MOST_PROGRAMS:
        return
    # Nothing less frees them: JAX holds a program in its tables of calls, of traces and of lowered modules.
    jax.clear_caches()
    if sys.platform == "linux":
        _give_memory_back()


def _give_memory_back() -> None:
    """Asks glibc for what the compiler has freed, which it keeps otherwise; other C libraries have no such call."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
