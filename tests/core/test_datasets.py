"""Datasets: honest splits, scales from the training part alone, and errors that say what to do."""

from pathlib import Path

import numpy as np
import pytest

from qlr_core.datasets import DATASETS, Dataset, dataset_named, prepare
from qlr_core.ranges import knobs_with, ranges_of
from qlr_core.sources import DATA_DIRECTORY


@pytest.fixture
def energy_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with files in UCI Energy's format, of random numbers."""
    folder = tmp_path / "uci_energy"
    folder.mkdir()
    rng = np.random.default_rng(0)
    np.savetxt(folder / "data.txt", rng.normal(size=(768, 9)), fmt="%.2f", delimiter="\t")
    np.savetxt(folder / "permutation_indices.txt", rng.permutation(768), fmt="%d")
    monkeypatch.setenv(DATA_DIRECTORY, str(tmp_path))
    return folder


@pytest.fixture(params=DATASETS, ids=lambda dataset: dataset.name)
def dataset(request: pytest.FixtureRequest) -> Dataset:
    """Every dataset; UCI Energy from a generated file."""
    if request.param.name == "energy":
        request.getfixturevalue("energy_folder")
    return request.param


def test_the_parts_share_no_row_and_leave_none_out(dataset: Dataset) -> None:
    inputs, _ = dataset.rows(dataset.default_knobs, 3)
    parts = dataset.parts(len(inputs), 3)
    assert np.array_equal(np.sort(np.concatenate(parts)), np.arange(len(inputs)))
    assert min(len(part) for part in parts) >= 4


def test_inputs_and_values_are_normalized_on_the_training_part_alone(dataset: Dataset) -> None:
    data = dataset.load(dataset.default_knobs, 0)
    axes = None if dataset.shared_scale else 0
    # float32 sums over some hundred rows.
    np.testing.assert_allclose(np.mean(data.train.inputs, axis=axes), 0, atol=1e-5)
    np.testing.assert_allclose(np.std(data.train.inputs, axis=axes), 1, atol=1e-5)
    assert not np.allclose(np.mean(data.test.inputs, axis=axes), 0, atol=1e-5)
    if dataset.task == "regression":
        np.testing.assert_allclose(np.mean(data.train.targets, axis=0), 0, atol=1e-5)
        np.testing.assert_allclose(np.std(data.train.targets, axis=0), 1, atol=1e-5)


def test_the_mean_and_scale_give_the_rows_back(dataset: Dataset) -> None:
    data = dataset.load(dataset.default_knobs, 2)
    inputs, targets = dataset.rows(dataset.default_knobs, 2)
    rows = dataset.parts(len(inputs), 2).test
    back = data.input_mean + data.input_scale * data.test.inputs
    np.testing.assert_allclose(back, inputs[rows], rtol=1e-4, atol=1e-4)
    values = data.target_mean + data.target_scale * data.test.targets
    np.testing.assert_allclose(values, targets[rows], rtol=1e-4, atol=1e-4)


def test_the_description_is_true(dataset: Dataset) -> None:
    data = dataset.load(dataset.default_knobs, 0)
    for split in (data.train, data.validation, data.test):
        assert split.inputs.shape[1:] == dataset.input_shape
        assert split.inputs.dtype == np.float32
        if dataset.task == "classification":
            assert split.targets.dtype == np.int32
            assert set(np.unique(split.targets)) == set(range(dataset.outputs))
        else:
            assert split.targets.shape == (len(split.inputs), dataset.outputs)
            assert split.targets.dtype == np.float32
    assert dataset.lesson.endswith(".")
    assert dataset.label
    assert dataset.source


def test_a_seed_decides_the_rows(dataset: Dataset) -> None:
    first, again, other = (dataset.load(dataset.default_knobs, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.train.inputs, again.train.inputs)
    if dataset.name != "energy":  # its test part is the published one
        assert not np.array_equal(first.train.inputs, other.train.inputs)


@pytest.mark.parametrize("end", ["low", "high"])
def test_every_knob_works_at_its_ends(dataset: Dataset, end: str) -> None:
    for name, knob in ranges_of(dataset.knobs).items():
        data = dataset.load(knobs_with(dataset.knobs, **{name: getattr(knob, end)}), 0)
        assert np.isfinite(data.train.inputs).all()


def test_noise_and_size_do_what_they_say() -> None:
    moons = dataset_named("moons")
    few = moons.load(knobs_with(moons.knobs, size=100.0), 0)
    assert [len(split.inputs) for split in few[:3]] == [60, 20, 20]
    clean, _ = moons.rows(knobs_with(moons.knobs, noise=0.0), 0)
    noisy, _ = moons.rows(knobs_with(moons.knobs, noise=0.3), 0)
    assert np.std(noisy) > np.std(clean)


def rows_of(classes: int, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(count, 2)), np.arange(count) % classes


def test_a_nan_is_refused_with_its_row() -> None:
    inputs, targets = rows_of(2)
    inputs[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"1 rows with a value that is NaN .* row 7; remove or repair"):
        prepare(dataset_named("moons"), inputs, targets, 0)


def test_a_single_class_is_refused() -> None:
    with pytest.raises(ValueError, match=r"all training rows are of class 0.*another class"):
        prepare(dataset_named("moons"), *rows_of(1), 0)


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match=r"has 12 rows .* at least 20"):
        prepare(dataset_named("moons"), *rows_of(2, 12), 0)


def test_a_knob_out_of_range_is_refused() -> None:
    moons = dataset_named("moons")
    with pytest.raises(ValueError, match="size = 1000000 is out of range"):
        moons.load(moons.default_knobs._replace(size=1e6), 0)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean moons"):
        dataset_named("moon")


def test_energy_keeps_the_published_test_part(energy_folder: Path) -> None:
    energy = dataset_named("energy")
    data = energy.load(energy.default_knobs, 0)
    assert [len(split.inputs) for split in data[:3]] == [623, 69, 76]
    table = np.loadtxt(energy_folder / "data.txt")
    order = np.loadtxt(energy_folder / "permutation_indices.txt", dtype=int)
    expected = (table[order[-76:], -1:] - data.target_mean) / data.target_scale
    np.testing.assert_allclose(data.test.targets, expected, rtol=1e-5)
    assert energy.unavailable() == ""


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("data.txt", "1 2 3\n" * 768, "expected 768 rows of 9 numbers, found 768 of 3"),
        ("data.txt", "0.98 oops\n", "data.txt is damaged.*data fetch uci_energy"),
        ("permutation_indices.txt", "0\n" * 768, "each of the 768 rows once"),
        ("permutation_indices.txt", "", "each of the 768 rows once"),
    ],
)
def test_a_damaged_energy_file_is_refused(energy_folder: Path, name: str, text: str, message: str) -> None:
    (energy_folder / name).write_text(text)
    energy = dataset_named("energy")
    with pytest.raises(ValueError, match=message):
        energy.load(energy.default_knobs, 0)


def test_a_missing_energy_file_is_named_with_the_remedy(energy_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    energy = dataset_named("energy")
    (energy_folder / "permutation_indices.txt").unlink()
    with pytest.raises(ValueError, match=r"a folder with .*uci_energy/permutation_indices\.txt"):
        energy.load(energy.default_knobs, 0)
    monkeypatch.setenv(DATA_DIRECTORY, str(energy_folder / "elsewhere"))
    assert "set QLR_DATA_DIR to a folder" in energy.unavailable()
