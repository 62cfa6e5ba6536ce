"""Compiled programs kept on disk: a lab that is started again does not compile what it has compiled before."""

import jax
import platformdirs

# Small programs too: a page has many of them.
_LEAST_SECONDS = 0.1
# The least recently used ones go first. A program takes some 50 to 500 kB.
_MOST_BYTES = 256 * 2**20


def keep_programs() -> None:
    """Keeps them in the user's cache, unless ``JAX_COMPILATION_CACHE_DIR`` or the host program has chosen otherwise."""
    if jax.config.values["jax_compilation_cache_dir"] is None:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _LEAST_SECONDS)
        jax.config.update("jax_compilation_cache_max_size", _MOST_BYTES)
        folder = platformdirs.user_cache_path("adamqlr-lab") / "programs"
        jax.config.update("jax_compilation_cache_dir", str(folder))
