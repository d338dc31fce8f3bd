"""Digit images: the checks of the four files, and the data that stand in for them."""

import gzip

import numpy as np
import pytest

from descent.networks import digit_images
from descent.networks.digit_images import MNIST_FILES, load_digit_images, load_digits8, load_mnist


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A folder with four small files, and the table of facts that fits them."""
    import hashlib

    rng = np.random.default_rng(0)
    facts = {}
    for name, (shape, _) in MNIST_FILES.items():
        size = (6 if name.startswith("train") else 3, *shape[1:])
        content = idx(rng.integers(10, size=size, dtype=np.uint8))
        (tmp_path / name).write_bytes(content)
        facts[name] = (size, hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(digit_images, "MNIST_FILES", facts)
    return tmp_path


def test_files_are_read_plain_or_gzipped(small, monkeypatch):
    plain = load_mnist(small)
    name = "train-images-idx3-ubyte"
    content = (small / name).read_bytes()
    (small / f"{name}.gz").write_bytes(gzip.compress(content))
    (small / name).unlink()
    monkeypatch.setenv("DESCENT_MNIST_DIR", str(small))
    zipped = load_digit_images()
    assert plain.name == zipped.name == "MNIST"
    np.testing.assert_array_equal(plain.pixels, zipped.pixels)
    assert plain.pixels.shape == (9, 784)
    assert plain.side == 28
    np.testing.assert_array_equal(plain.pixels[0], np.frombuffer(content[16 : 16 + 784], np.uint8))


def damage(path, how):
    content = path.read_bytes()
    if how == "truncated":
        path.write_bytes(content[:-5])
    elif how == "other":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif how == "header":
        path.write_bytes(b"\x00\x00\x09" + content[3:])
    elif how == "missing":
        path.unlink()
    else:
        zipped = gzip.compress(content)
        path.with_name(path.name + ".gz").write_bytes(zipped[: len(zipped) // 2])
        path.unlink()


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ("truncated", ValueError, "must hold .* bytes"),
        ("other", ValueError, "is not the file of MNIST"),
        ("header", ValueError, "must begin with the idx header"),
        ("missing", FileNotFoundError, "neither .* is in"),
        ("half a gzip", ValueError, "truncated or not a gzip file"),
    ],
)
@pytest.mark.parametrize("name", list(MNIST_FILES))
def test_a_damaged_file_is_named(small, monkeypatch, name, how, error, message):
    damage(small / name, how)
    monkeypatch.setenv("DESCENT_MNIST_DIR", str(small))
    with pytest.raises(error, match=message) as caught:
        load_digit_images()  # never replaced silently by the small digits
    assert name in str(caught.value)


def test_without_mnist_the_small_digits_come_with_a_notice(monkeypatch, tmp_path):
    monkeypatch.delenv("DESCENT_MNIST_DIR", raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    images = load_digit_images(download=False)
    assert images.name == "8×8 digits"
    assert "not MNIST" in images.notice
    with pytest.raises(FileNotFoundError, match="DESCENT_MNIST_DIR"):
        load_digit_images("mnist", download=False)


def test_inputs_lie_between_one_level_and_one():
    images = load_digits8()
    inputs = images.inputs()
    assert (inputs.min(), inputs.max()) == (1 / 17, 1.0)
    assert len(images.labels) == 1797
    assert images.side == 8
    with pytest.raises(ValueError, match="source must be"):
        load_digit_images("letters")
