"""Digit images: the checks of the four files, and the data that stand in for them."""

import gzip
import socket
from types import SimpleNamespace
from urllib import request

import numpy as np
import pytest
import sklearn.datasets

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


@pytest.fixture
def refused(monkeypatch, tmp_path):
    """A machine without MNIST, whose network refuses; the list of who was asked for."""
    asked = []

    def refuse(host, *args, **kwargs):
        asked.append(host)
        raise socket.gaierror("the network refuses")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: refuse(address))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    monkeypatch.delenv("DESCENT_MNIST_DIR", raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    return asked


def test_a_download_asks_the_network_and_says_what_it_answered(refused):
    with pytest.raises(
        FileNotFoundError, match=r"cannot be downloaded .*the network refuses.*set "
    ):
        load_mnist()
    assert refused
    with pytest.raises(FileNotFoundError, match="cannot be downloaded"):
        load_digit_images("mnist")
    assert load_digit_images().name == "8×8 digits"


def test_no_download_asks_nobody(refused):
    with pytest.raises(FileNotFoundError, match="MNIST is not on this machine"):
        load_mnist(download=False)
    assert load_digit_images(download=False).name == "8×8 digits"
    assert not refused


@pytest.mark.parametrize("kept", ["mnist_784.arff.gz", "mnist_784.arff"])
def test_no_download_asks_nobody_for_the_rest_of_a_broken_one(refused, tmp_path, kept):
    folder = tmp_path / "openml" / "openml.org" / "data" / "v1" / "download" / "52667"
    folder.mkdir(parents=True)
    (folder / kept).write_bytes(b"cut off")
    opener = getattr(request, "_opener", None)
    with pytest.raises(FileNotFoundError, match="not whole on this machine"):
        load_mnist(download=False)
    assert load_digit_images(download=False).name == "8×8 digits"
    assert not refused
    assert getattr(request, "_opener", None) is opener
    with pytest.raises(FileNotFoundError, match="cannot be downloaded"):
        load_mnist()
    assert refused


def test_a_download_that_comes_is_mnist(refused, monkeypatch):
    def fetch(name, **options):
        assert name == "mnist_784"
        assert options["n_retries"] >= 1  # scikit-learn refuses less, before it asks anybody
        pixels = np.zeros((70_000, 784))
        pixels[0, 5] = 255
        return SimpleNamespace(data=pixels, target=np.resize(["5", "0"], 70_000).astype(object))

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", fetch)
    images = load_mnist()
    assert (images.pixels.dtype, images.pixels[0, 5], images.n_training) == (np.uint8, 255, 60_000)
    np.testing.assert_array_equal(images.labels[:3], [5, 0, 5])


def move(folder, how):
    """Lay the four files out as people have them."""
    for name in MNIST_FILES:
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        place, compressed = {
            "dotted": (name.replace("-idx", ".idx"), False),
            "dotted, gzipped": (name.replace("-idx", ".idx") + ".gz", True),
            "a folder each": (f"{name}/{name}", False),
            "torchvision": (f"MNIST/raw/{name}", False),
            "torchvision, raw": (f"raw/{name}.gz", True),
            "unpacked, name kept": (f"{name}.gz", False),
            "packed, without ending": (name, True),
        }[how]
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_bytes(gzip.compress(content) if compressed else content)


@pytest.mark.parametrize(
    "how",
    [
        "dotted",
        "dotted, gzipped",
        "a folder each",
        "torchvision",
        "torchvision, raw",
        "unpacked, name kept",
        "packed, without ending",
    ],
)
def test_files_are_found_as_people_have_them(small, how):
    published = load_mnist(small)
    move(small, how)
    moved = load_mnist(small)
    np.testing.assert_array_equal(moved.pixels, published.pixels)
    np.testing.assert_array_equal(moved.labels, published.labels)


def test_a_tilde_is_the_home_folder(small, monkeypatch):
    monkeypatch.setenv("HOME", str(small.parent))
    monkeypatch.setenv("DESCENT_MNIST_DIR", f"~/{small.name}")
    assert load_digit_images().name == "MNIST"


def test_a_half_written_file_is_named_though_a_whole_one_lies_beside_it(small):
    name = "t10k-labels-idx1-ubyte"
    content = (small / name).read_bytes()
    (small / f"{name}.gz").write_bytes(gzip.compress(content))
    (small / name).write_bytes(content[:-1])
    with pytest.raises(ValueError, match=f"{name} must hold"):
        load_mnist(small)


def test_a_folder_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"does not exist, .*nowhere"):
        load_mnist(tmp_path / "nowhere")
