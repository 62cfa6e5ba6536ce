"""Where the data of the full tasks live on this machine."""

import os
from pathlib import Path

# Names the folder that holds fashion_mnist/, cifar10/, uci_energy/ and the other real data.
DATA_DIRECTORY = "QLR_DATA_DIR"
# The folder below the user's cache directory where neither an argument nor the variable names one.
_CACHE = "adamqlr-lab"


def data_directory(directory: str | Path = "") -> Path:
    """The data directory: the argument, else what ``QLR_DATA_DIR`` names, else the user's cache. It need not exist."""
    chosen = str(directory) or os.environ.get(DATA_DIRECTORY, "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import pooch  # only here: the lab, which asks for one small file, is not to wait for it

    return Path(pooch.os_cache(_CACHE))
