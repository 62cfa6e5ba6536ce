"""The registry of datasets: small enough to train on while one watches, none of them downloaded."""

from qlr_core.datasets.base import Data, Dataset, prepare
from qlr_core.datasets.circles import CIRCLES
from qlr_core.datasets.curve import CURVE
from qlr_core.datasets.diabetes import DIABETES
from qlr_core.datasets.digits import DIGITS
from qlr_core.datasets.energy import ENERGY
from qlr_core.datasets.moons import MOONS
from qlr_core.datasets.spirals import THREE_SPIRALS, TWO_SPIRALS
from qlr_core.registry import named

__all__ = ["DATASETS", "Data", "Dataset", "dataset_named", "prepare"]

DATASETS: tuple[Dataset, ...] = (MOONS, CIRCLES, TWO_SPIRALS, THREE_SPIRALS, DIGITS, DIABETES, CURVE, ENERGY)


def dataset_named(name: str) -> Dataset:
    """The dataset of that name; ValueError with the nearest names there are."""
    return named(DATASETS, name, "dataset")
