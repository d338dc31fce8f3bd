"""Images of handwritten digits: MNIST where it can be had, otherwise a small set.

MNIST (LeCun, Cortes, Burges) has 60,000 + 10,000 images of 28 × 28 pixels. It is not
part of this project. It comes from a folder with its four idx files, named by the
environment variable ``DESCENT_MNIST_DIR``, or from OpenML through scikit-learn, which
keeps it. scikit-learn brings 1,797 images of 8 × 8 pixels with it.
"""

import gzip
import hashlib
import math
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib import request
from urllib.error import URLError

import numpy as np
from numpy.typing import NDArray

from descent.arguments import check_choice, check_flag, check_kind

__all__ = ["DigitImages", "load_digit_images", "load_digits8", "load_mnist"]

VARIABLE = "DESCENT_MNIST_DIR"
# Name, shape, SHA-256 of the uncompressed file.
MNIST_FILES = {
    "train-images-idx3-ubyte": (
        (60_000, 28, 28),
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        (60_000,),
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": (
        (10_000, 28, 28),
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        (10_000,),
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}


@dataclass(frozen=True)
class DigitImages:
    """Images with labels, those for training first.

    Attributes
    ----------
    name : str
        ``"MNIST"`` or ``"8×8 digits"``.
    notice : str
        A sentence for the reader that says which data these are.
    pixels : ndarray of uint8, shape (images, side²)
        Grey values from 0 to ``levels`` - 1.
    labels : ndarray of int, shape (images,)
        The digits.
    levels : int
        Number of grey values.
    n_training : int
        Number of images for training; the others are for testing.
    """

    name: str
    notice: str
    pixels: NDArray[np.uint8]
    labels: NDArray[np.int64]
    levels: int
    n_training: int

    @property
    def side(self) -> int:
        """Width and height of an image in pixels."""
        return math.isqrt(self.pixels.shape[1])

    def inputs(self, which: slice = slice(None)) -> NDArray[np.float64]:
        """Return (grey value + 1) / levels, between 1 / levels and 1."""
        check_kind("which", which, slice)
        return (self.pixels[which] + 1.0) / self.levels


def load_digit_images(source: str = "auto", *, download: bool = True) -> DigitImages:
    """Load MNIST, or the 8 × 8 digits where it cannot be had.

    Parameters
    ----------
    source : {"auto", "mnist", "digits"}
        ``"auto"`` takes MNIST from the folder in ``DESCENT_MNIST_DIR`` if that is set,
        else from OpenML, else the 8 × 8 digits. Read ``notice`` to see which came.
    download : bool
        Whether MNIST may come over the network.

    Returns
    -------
    DigitImages

    Raises
    ------
    FileNotFoundError
        From ``"mnist"`` when there is none, and always when a file is missing in the folder.
    ValueError
        When a file in the folder is truncated or is not MNIST. It is never replaced silently.

    Examples
    --------
    >>> images = load_digit_images("digits")
    >>> images.name, images.pixels.shape, images.levels
    ('8×8 digits', (1797, 64), 17)
    """
    check_choice("source", source, ("auto", "mnist", "digits"))
    check_flag("download", download)
    if source == "digits":
        return load_digits8()
    if source == "mnist" or os.environ.get(VARIABLE):
        return load_mnist(download=download)
    try:
        return load_mnist(download=download)
    except FileNotFoundError:
        return load_digits8()


def load_mnist(
    folder: str | os.PathLike[str] | None = None, *, download: bool = True
) -> DigitImages:
    """Load MNIST in its original order from idx files, or from OpenML.

    Parameters
    ----------
    folder : path, optional
        Folder with the four idx files, gzipped (``.gz``) or not; names with a dot
        (``train-images.idx3-ubyte``), a folder a file, and torchvision's ``MNIST/raw`` are
        found as well. Without it the one in ``DESCENT_MNIST_DIR``; without that OpenML,
        downloaded once and kept by scikit-learn.
    download : bool
        Whether it may come over the network; without it only what scikit-learn has kept.

    Returns
    -------
    DigitImages
        60,000 images for training, then 10,000 for testing.

    Raises
    ------
    FileNotFoundError
        When a file is missing in the folder, or OpenML cannot be reached.
    ValueError
        When a file is truncated, has another size or another checksum.
    """
    folder = folder or os.environ.get(VARIABLE)
    if not folder:
        return _from_openml(download)
    images, labels, images_test, labels_test = (
        _read_idx(Path(folder).expanduser(), name, *facts) for name, facts in MNIST_FILES.items()
    )
    return _mnist(np.concatenate([images, images_test]), np.concatenate([labels, labels_test]))


def load_digits8() -> DigitImages:
    """Return scikit-learn's 1,797 images of 8 × 8 pixels, the last 360 for testing."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return DigitImages(
        name="8×8 digits",
        notice="These are scikit-learn's small digits, 8 × 8 pixels, and not MNIST.",
        pixels=data.data.astype(np.uint8),
        labels=data.target.astype(np.int64),
        levels=17,
        n_training=len(data.target) - 360,
    )


def _mnist(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> DigitImages:
    return DigitImages(
        name="MNIST",
        notice="This is MNIST, 28 × 28 pixels, in its original order.",
        pixels=pixels.reshape(len(pixels), -1),
        labels=labels.astype(np.int64),
        levels=256,
        n_training=60_000,
    )


def _from_openml(download: bool) -> DigitImages:
    from sklearn.datasets import fetch_openml, get_data_home

    ways = (
        f"set {VARIABLE} to a folder with its four idx files ({', '.join(MNIST_FILES)}, gzipped"
        " or not), or call descent.networks.digit_images.load_mnist() once to download it"
    )
    kept = any(Path(get_data_home(), "openml").rglob("mnist_784.arff*"))
    if not kept and not download:
        raise FileNotFoundError(f"MNIST is not on this machine: {ways}")
    try:
        with warnings.catch_warnings(), nullcontext() if download else _offline():
            warnings.filterwarnings("ignore", "A network error occurred", UserWarning)
            # scikit-learn takes one retry at the least.
            data = fetch_openml("mnist_784", version=1, as_frame=False, n_retries=1, delay=0.1)
    except (OSError, ImportError, HTTPException) as error:
        cannot = "cannot be downloaded" if download else "is not whole on this machine"
        raise FileNotFoundError(f"MNIST {cannot} ({error}): {ways}") from error
    if data.data.shape != (70_000, 784):
        raise ValueError(f"mnist_784 must have shape (70000, 784); got {data.data.shape}")
    return _mnist(data.data.astype(np.uint8), data.target.astype(np.uint8))


class _Refusing(request.BaseHandler):
    def default_open(self, asked: request.Request) -> None:
        raise URLError(f"download=False, and {asked.host} would be asked")


@contextmanager
def _offline() -> Iterator[None]:
    """Let urllib reach nothing: scikit-learn asks the network for what its folder lacks."""
    before = getattr(request, "_opener", None)
    request.install_opener(request.build_opener(_Refusing))
    try:
        yield
    finally:
        request.install_opener(before)


def _read_idx(folder: Path, name: str, shape: tuple[int, ...], checksum: str) -> NDArray[np.uint8]:
    found = next((path for path in _places(folder, name) if path.is_file()), None)
    if found is None:
        where = "is in" if folder.is_dir() else "is in the folder, which does not exist,"
        raise FileNotFoundError(
            f"neither {name} nor {name}.gz {where} {str(folder)!r} ({VARIABLE})"
        )
    content = found.read_bytes()
    if content.startswith(b"\x1f\x8b"):  # gzip, whatever the name: browsers unpack some files
        try:
            content = gzip.decompress(content)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{found} is truncated or not a gzip file: {error}") from error
    header = struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape)
    expected = len(header) + int(np.prod(shape))
    if len(content) != expected:
        raise ValueError(f"{found} must hold {expected} bytes, uncompressed; got {len(content)}")
    if not content.startswith(header):
        raise ValueError(f"{found} must begin with the idx header of {shape}; got another one")
    if hashlib.sha256(content).hexdigest() != checksum:
        raise ValueError(f"{found} is not the file of MNIST: its SHA-256 must be {checksum}")
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(shape)


def _places(folder: Path, name: str) -> Iterator[Path]:
    """Yield where a file may lie: as published, as archivers unpack it, as torchvision keeps it."""
    dotted = name.replace("-idx", ".idx")
    for base in (folder, folder / "MNIST" / "raw", folder / "raw"):
        for spelt in (name, dotted):
            yield base / spelt
            yield base / f"{spelt}.gz"
            yield base / spelt / spelt
