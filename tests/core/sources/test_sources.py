"""Sources: every one reads its layout, and names what is missing or damaged with the remedy."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from qlr_core.sources import DATA_DIRECTORY, SOURCES, DataError, RawData, RawText, Source, data_directory, source_named
from tests.published_layouts import small


@pytest.fixture(params=[source.name for source in SOURCES])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    """Every source, with small files in its layout in ``tmp_path``."""
    return small(request.param, tmp_path)


def test_every_source_reads_its_own_layout(source: Source, tmp_path: Path) -> None:
    data = source.load(tmp_path)
    if isinstance(data, RawText):
        assert data.train.dtype == np.int32
        assert set(np.concatenate(data[:3])) == set(range(len(data.vocabulary)))
        return
    for rows in data:
        assert len(rows.inputs) == len(rows.targets) > 0
        assert rows.targets.dtype == (np.int32 if rows.inputs.dtype == np.uint8 else np.float64)
        assert rows.inputs.ndim == (4 if rows.inputs.dtype == np.uint8 else 2)


def test_every_missing_file_is_named_with_the_remedy(source: Source, tmp_path: Path) -> None:
    for file in source.files:
        content = (tmp_path / file.path).read_bytes()
        (tmp_path / file.path).unlink()
        assert source.missing(tmp_path) == (file,)
        with pytest.raises(DataError, match=rf"missing from .*{file.path}.*data fetch {source.name}"):
            source.load(tmp_path)
        (tmp_path / file.path).write_bytes(content)


def test_every_truncated_file_is_named_with_the_remedy(source: Source, tmp_path: Path) -> None:
    for file in source.files:
        path = tmp_path / file.path
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
        with pytest.raises(DataError, match=rf"{path.name} is damaged: expected .* found .*data fetch {source.name}"):
            source.load(tmp_path)
        path.write_bytes(content)


def test_every_source_says_whose_it_is_and_what_it_must_be(source: Source) -> None:
    assert source.label
    assert source.origin
    assert source.license
    for file in source.files + source.archives:
        assert file.checksum.startswith(("md5:", "sha256:")) or file.size
        assert file.url or source.archives


def test_a_source_without_parts_needs_every_file_even_when_told_otherwise(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"4 of 4 files are missing"):
        source_named("fashion_mnist").load(tmp_path, allow_partial=True)


def test_an_unreadable_file_says_why(tmp_path: Path) -> None:
    def refused(folder: Path) -> RawData:
        raise PermissionError(13, "Permission denied", str(folder / "x.bin"))

    source = replace(small("cifar10", tmp_path), read=refused)
    with pytest.raises(DataError, match=r"x\.bin cannot be read \(Permission denied\)"):
        source.load(tmp_path)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean cifar10"):
        source_named("cifar-10")


def test_the_data_directory_is_the_argument_else_the_variable_else_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA_DIRECTORY, str(tmp_path / "variable"))
    assert data_directory(tmp_path / "argument") == tmp_path / "argument"
    assert data_directory() == tmp_path / "variable"
    monkeypatch.setenv(DATA_DIRECTORY, "~/data")
    assert data_directory() == Path.home() / "data"
    monkeypatch.delenv(DATA_DIRECTORY)
    assert data_directory().name == "adamqlr-lab"


# The published files, where the environment names a folder that has them.
PUBLISHED = {
    "fashion_mnist": ((60_000, 28, 28, 1), (10_000, 28, 28, 1)),
    "cifar10": ((50_000, 32, 32, 3), (10_000, 32, 32, 3)),
    "svhn": ((73_257, 32, 32, 3), (26_032, 32, 32, 3)),
    "uci_energy": ((692, 8), (76, 8)),
    "uci_protein": ((41_157, 9), (4_573, 9)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_files_have_the_published_shapes(name: str) -> None:
    if not os.environ.get(DATA_DIRECTORY):
        pytest.skip(f"{DATA_DIRECTORY} names no folder with the published files")
    source = source_named(name)
    if missing := source.missing():
        pytest.skip(f"{data_directory()} has no {missing[0].path}")
    data = source.load()
    assert isinstance(data, RawData)
    assert (data.train.inputs.shape, data.test.inputs.shape) == PUBLISHED[name]
    if data.train.inputs.dtype == np.uint8:
        assert set(np.unique(data.train.targets)) == set(range(10))


def test_the_published_ptb_has_the_published_numbers_of_words() -> None:
    source = source_named("ptb")
    if not os.environ.get(DATA_DIRECTORY) or source.missing():
        pytest.skip(f"{DATA_DIRECTORY} names no folder with the Penn Treebank")
    data = source.load()
    assert [len(part) for part in data] == [929_589, 73_760, 82_430, 10_000]
