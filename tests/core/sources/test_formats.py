"""The formats of the sources: every value in its place, and what a damaged file is told."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from qlr_core.sources import DataError, RawData, RawText, source_named
from qlr_core.sources.idx import read_idx
from qlr_core.sources.svhn import read_mat
from tests.published_layouts import random_bytes, rows_of, small, write_idx


def test_fashion_mnist_gives_the_bytes_of_its_files(tmp_path: Path) -> None:
    train, test = rows_of("fashion_mnist", tmp_path)
    np.testing.assert_array_equal(train.inputs, random_bytes((6, 28, 28))[..., None])
    np.testing.assert_array_equal(test.targets, random_bytes((4,), 10))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "expected the magic number 00000801, found nothing"),
        (gzip.compress(b"\0\0\x0d\x01" + b"\0\0\0\x03abc"), "found 00000d01"),
        (gzip.compress(b"\0\0\x08\x01\0\0"), "expected a header of 8 bytes, found 6 bytes"),
        (gzip.compress(b"\0\0\x08\x01" + b"\0\0\0\x04abcd"), r"expected the shape \(3,\), found \(4,\)"),
        (gzip.compress(b"\0\0\x08\x01" + b"\0\0\0\x03ab"), "expected 11 bytes unpacked, found 10"),
        (gzip.compress(b"\0\0\x08\x01" + b"\0\0\0\x03abcd"), "expected 11 bytes unpacked, found more"),
        (gzip.compress(b"\0\0\x08\x01" + b"\0\0\0\x03abc")[:-4], "a complete gzip file"),
        (b"\0\0\x08\x01\0\0\0\x03abc", "cannot be unpacked .*Not a gzip"),
    ],
    # Numbers: gzip writes the time into its bytes, and with it each process would collect tests of other names.
    ids=range(8),
)
def test_a_damaged_idx_file_says_what_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "labels.gz").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_idx(tmp_path / "labels.gz", (3,))


def test_an_altered_gzip_stream_is_found_without_its_checksum(tmp_path: Path) -> None:
    source = small("fashion_mnist", tmp_path)
    path = tmp_path / "fashion_mnist/train-images-idx3-ubyte.gz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be unpacked"):
        source.load(tmp_path)


def test_a_label_that_is_no_class_is_refused(tmp_path: Path) -> None:
    source = small("fashion_mnist", tmp_path)
    write_idx(tmp_path / "fashion_mnist/t10k-labels-idx1-ubyte.gz", np.array([0, 1, 2, 10], np.uint8))
    with pytest.raises(DataError, match="expected labels from 0 to 9, found labels from 0 to 10"):
        source.load(tmp_path)


def test_cifar10_turns_planes_into_pixels_and_keeps_the_order_of_the_batches(tmp_path: Path) -> None:
    train, test = rows_of("cifar10", tmp_path)
    np.testing.assert_array_equal(train.targets, np.repeat(np.arange(5), 6))
    np.testing.assert_array_equal(test.targets, 5)
    records = random_bytes((6, 3073))
    assert train.inputs.shape == (30, 32, 32, 3)
    # Row 2, column 7, blue: after the label, two planes of 1,024, then row by row.
    np.testing.assert_array_equal(train.inputs[:6, 2, 7, 2], records[:, 1 + 2 * 1024 + 2 * 32 + 7])


def test_cifar10_trains_on_the_batches_there_are_only_when_told_to(tmp_path: Path) -> None:
    source = small("cifar10", tmp_path)
    batches = tmp_path / "cifar10/cifar-10-batches-bin"
    for number in (1, 3, 4):
        (batches / f"data_batch_{number}.bin").unlink()
    with pytest.raises(DataError, match=r"3 of 6 files.*data_batch_1.*data_batch_3.*data_batch_4.*allow a partial load"):
        source.load(tmp_path)
    data = source.load(tmp_path, allow_partial=True)
    assert isinstance(data, RawData)
    np.testing.assert_array_equal(data.train.targets, np.repeat([1, 4], 6))
    (batches / "test_batch.bin").unlink()
    with pytest.raises(DataError, match=r"no test_batch\.bin, which even a partial load needs"):
        source.load(tmp_path, allow_partial=True)
    (batches / "data_batch_2.bin").unlink()
    (batches / "data_batch_5.bin").unlink()
    with pytest.raises(DataError, match="at least one is needed"):
        source.load(tmp_path, allow_partial=True)


def test_svhn_reads_ten_as_zero_and_puts_the_rows_first(tmp_path: Path) -> None:
    train, _ = rows_of("svhn", tmp_path)
    np.testing.assert_array_equal(train.targets, [1, 2, 3, 4, 5, 0])
    np.testing.assert_array_equal(train.inputs, random_bytes((32, 32, 3, 6)).transpose(3, 0, 1, 2))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": random_bytes((32, 32, 3, 2))}, "a MATLAB file with X and y"),
        ({"X": random_bytes((32, 32, 3, 3)), "y": np.ones((2, 1))}, r"expected X as uint8 \(32, 32, 3, 2\)"),
        ({"X": np.ones((32, 32, 3, 2)), "y": np.ones((2, 1))}, r"found float64 \(32, 32, 3, 2\)"),
        ({"X": random_bytes((32, 32, 3, 2)), "y": np.ones((3, 1))}, r"expected y of shape \(2, 1\), found \(3, 1\)"),
        ({"X": random_bytes((32, 32, 3, 2)), "y": np.array([[0], [1]])}, "where 10 means 0, found the label 0"),
        ({"X": random_bytes((32, 32, 3, 2)), "y": np.array([[1], [11]])}, "found labels from 1 to 11"),
    ],
)
def test_a_mat_file_of_another_kind_says_what_is_wrong(tmp_path: Path, arrays: dict, message: str) -> None:
    scipy.io.savemat(tmp_path / "train.mat", arrays)
    with pytest.raises(DataError, match=message):
        read_mat(tmp_path / "train.mat", 2)


def test_uci_rows_come_in_the_order_of_the_permutation_and_end_with_the_test(tmp_path: Path) -> None:
    train, test = rows_of("uci_energy", tmp_path)
    table = np.loadtxt(tmp_path / "uci_energy/data.txt")
    order = np.loadtxt(tmp_path / "uci_energy/permutation_indices.txt", dtype=int)
    np.testing.assert_array_equal(np.concatenate([train.inputs, test.inputs]), table[order, :2])
    np.testing.assert_array_equal(test.targets, table[order[-4:], 2:])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("data.txt", "1 2\n" * 10, "expected 10 rows of 3 numbers, found 10 of 2"),
        ("data.txt", "1 2 3\n1 2\n", "a table of numbers"),
        ("data.txt", "1 2 oops\n" * 10, "a table of numbers"),
        ("data.txt", "1 2 nan\n" * 10, "expected finite numbers, found 10 NaN"),
        ("data.txt", "", "found 0 of 0"),
        ("permutation_indices.txt", "0\n" * 10, "each of the 10 rows once"),
        ("permutation_indices.txt", "", "each of the 10 rows once"),
    ],
)
def test_a_damaged_table_says_what_is_wrong(tmp_path: Path, name: str, text: str, message: str) -> None:
    source = small("uci_protein", tmp_path)
    (tmp_path / "uci_protein" / name).write_text(text)
    with pytest.raises(DataError, match=message):
        source.load(tmp_path)


def test_ptb_ends_every_line_and_numbers_the_commonest_word_first(tmp_path: Path) -> None:
    data = small("ptb", tmp_path).load(tmp_path)
    assert isinstance(data, RawText)
    assert data.vocabulary == ("<eos>", "the", "<unk>", "cat", "dog")
    assert [data.vocabulary[token] for token in data.train] == ["the", "cat", "<unk>", "<eos>", "the", "dog", "<eos>"]
    assert [data.vocabulary[token] for token in data.test] == ["the", "cat", "<eos>"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" the bird \n", "expected only words of the training part, found 'bird'"),
        (b"\xff\xfe\n", "expected text in UTF-8"),
        (b" the dog \n the dog \n", "expected 1 whole lines, found 2"),
        (b" the d", "expected 1 whole lines, found 0"),
    ],
)
def test_a_damaged_text_says_what_is_wrong(tmp_path: Path, content: bytes, message: str) -> None:
    source = small("ptb", tmp_path)
    (tmp_path / "ptb/ptb.valid.txt").write_bytes(content)
    with pytest.raises(DataError, match=message):
        source.load(tmp_path)


def test_the_python_documentation_is_the_same_text_each_time_and_gives_itself_back(tmp_path: Path) -> None:
    first, again = source_named("python_docs").load(tmp_path), source_named("python_docs").load(tmp_path)
    assert isinstance(first, RawText) and isinstance(again, RawText)
    np.testing.assert_array_equal(first.train, again.train)
    assert "assert_stmt" in "".join(first.vocabulary[token] for token in first.train)
    assert len(first.validation) == len(first.test) == 0
