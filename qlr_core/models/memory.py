"""How much memory a run may ask for, so that one visitor's wide network does not end everyone's session."""

# Of one run. The lab is served to many from one machine; 512 MiB hold any network that is small enough to watch.
MEMORY_LIMIT = 512 * 2**20
_BYTES_A_NUMBER = 4


def memory_needed(parameters: int, copies: int) -> int:
    """The bytes of so many float32 copies of the parameters."""
    return _BYTES_A_NUMBER * parameters * copies


def check_memory(parameters: int, copies: int) -> None:
    """ValueError, with the remedy, where the copies of the parameters that a run keeps pass ``MEMORY_LIMIT``."""
    needed = memory_needed(parameters, copies)
    if needed > MEMORY_LIMIT:
        largest = MEMORY_LIMIT // (_BYTES_A_NUMBER * copies)
        raise ValueError(
            f"A network of {parameters:,} parameters would need {needed / 2**20:,.0f} MiB for one run, more than the "
            f"{MEMORY_LIMIT / 2**20:,.0f} MiB there are. Take fewer hidden units or layers: {largest:,} parameters fit."
        )
