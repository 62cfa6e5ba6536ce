"""Street View House Numbers, cropped digits, from the MATLAB files that they are published in."""

from pathlib import Path

import numpy as np

from qlr_core.rows import Rows
from qlr_core.sources.base import RawData, Source, SourceFile, class_numbers, damaged

_FOLDER, _CLASSES = "svhn", 10
_IMAGE = (32, 32, 3)
# Images to train and validate on, and to test on.
_ROWS = (73_257, 26_032)
_ADDRESS = "http://ufldl.stanford.edu/housenumbers"


def read_mat(path: Path, rows: int) -> Rows:
    """Images uint8 (rows, 32, 32, 3) and class numbers int32 (rows,), from X (32, 32, 3, rows) and y, where 10 means 0.

    DataError where the file is damaged or holds arrays of another shape, or labels outside 1 … 10.
    """
    from scipy.io import loadmat  # only here: whoever lists the sources is not to wait for it

    try:
        found = loadmat(path, variable_names=["X", "y"])
        images, labels = np.asarray(found["X"]), np.asarray(found["y"])
    except FileNotFoundError:
        raise
    except Exception as error:  # on a damaged file scipy raises whatever its parser runs into
        raise damaged(path, "a MATLAB file with X and y", f"one that cannot be read ({error!r})") from None
    if images.shape != (*_IMAGE, rows) or images.dtype != np.uint8:
        raise damaged(path, f"X as uint8 {(*_IMAGE, rows)}", f"{images.dtype} {images.shape}")
    if labels.shape != (rows, 1):
        raise damaged(path, f"y of shape {(rows, 1)}", f"{labels.shape}")
    classes = labels.ravel().astype(np.int32)
    if classes.min() < 1:
        raise damaged(path, "labels from 1 to 10, where 10 means 0", f"the label {classes.min()}")
    classes = np.where(classes == _CLASSES, 0, classes)
    return Rows(np.ascontiguousarray(images.transpose(3, 0, 1, 2)), class_numbers(path, classes, _CLASSES))


def read_svhn(folder: Path, rows: tuple[int, int] = _ROWS) -> RawData:
    """The training and the test images; ``rows`` are how many each part must have."""
    train, test = rows
    return RawData(read_mat(folder / _FOLDER / "train_32x32.mat", train), read_mat(folder / _FOLDER / "test_32x32.mat", test))


SVHN = Source(
    name="svhn",
    label="SVHN",
    files=(
        SourceFile(f"{_FOLDER}/train_32x32.mat", f"{_ADDRESS}/train_32x32.mat", "md5:e26dedcc434d2e4c54c9b2d4a06d8373"),
        SourceFile(f"{_FOLDER}/test_32x32.mat", f"{_ADDRESS}/test_32x32.mat", "md5:eb5a983be6a315427106f1b164d9cef3"),
    ),
    read=read_svhn,
    origin="Netzer et al. 2011, ufldl.stanford.edu/housenumbers",
    license="for non-commercial use only",
)
