"""Small colour images, 32 by 32: CIFAR-10, or patches of two photographs without a network."""

import warnings
from collections.abc import Callable
from functools import cache, partial
from http.client import HTTPException
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import fetch_openml, load_sample_images

from descent.arguments import check_choice, check_count

Images = NDArray[np.float32]

SIZE = 32
SHAPE = (SIZE, SIZE, 3)
SOURCES = ("photographs", "CIFAR_10")
BLOCK = 64
TRAIN_IMAGES = 50_000  # CIFAR-10's own division
FETCH = partial(fetch_openml, n_retries=1, delay=0.1)  # the fewest that scikit-learn takes


class ImageSets(NamedTuple):
    """Images for training and for testing, (n, 32, 32, 3) in [0, 1], and where they come from."""

    train: Images
    test: Images
    source: str


def load(source: str = "photographs", *, data_home: str | None = None) -> ImageSets:
    """Return the images of a source by its name.

    Parameters
    ----------
    source : {"photographs", "CIFAR_10", "best"}
        Patches of two photographs, which need no network; CIFAR-10; or CIFAR-10 where it can be
        had and the photographs otherwise.
    data_home : str, optional
        scikit-learn's folder for downloaded data.

    Returns
    -------
    ImageSets
        Its ``source`` says in words what was loaded.

    Raises
    ------
    ValueError
        If the name is another one.
    ConnectionError
        If CIFAR-10 is asked for, is not in the folder and cannot be fetched.

    Notes
    -----
    Source: 000, the example of the task at which the method succeeds.

    Examples
    --------
    >>> images = load("photographs")
    >>> images.train.shape, images.test.shape
    ((7776, 32, 32, 3), (1944, 32, 32, 3))
    """
    check_choice("source", source, (*SOURCES, "best"))
    if source == "photographs":
        return photograph_patches()
    if source == "CIFAR_10":
        return cifar_10(data_home=data_home)
    try:
        return cifar_10(data_home=data_home)
    except ConnectionError:
        return photograph_patches()


def photograph_patches(stride: int = 4) -> ImageSets:
    """Return patches of scikit-learn's two photographs, a pagoda and a flower.

    Each photograph is divided into blocks of 64 by 64 pixels; every fifth block, along
    diagonals, is for testing. Patches overlap within a block and never reach into another, so
    no pixel is in both sets.

    Parameters
    ----------
    stride : int
        Distance between neighbouring patches of a block, in pixels, at least 1.

    Raises
    ------
    ValueError, TypeError
        If the stride is no positive integer.
    """
    return _patches_of_photographs(check_count("stride", stride, 1))


@cache
def _patches_of_photographs(stride: int) -> ImageSets:
    """Return the patches, the same arrays at each call."""
    train: list[Images] = []
    test: list[Images] = []
    for photograph in load_sample_images().images:
        pixels = (photograph / 255).astype(np.float32)
        rows, columns = (length // BLOCK for length in pixels.shape[:2])
        for row, column in product(range(rows), range(columns)):
            block = pixels[BLOCK * row :, BLOCK * column :][:BLOCK, :BLOCK]
            (test if for_testing(row, column) else train).append(_patches(block, stride))
    return ImageSets(
        np.concatenate(train),
        np.concatenate(test),
        "patches of 32 by 32 pixels of the two photographs that come with scikit-learn",
    )


def for_testing(row: int, column: int) -> bool:
    """Say whether a block's patches are for testing: row + 2 column is a multiple of five."""
    return (check_count("row", row) + 2 * check_count("column", column)) % 5 == 0


def _patches(pixels: Images, stride: int) -> Images:
    """Cut a picture (height, width, 3) into patches (n, 32, 32, 3)."""
    windows = np.lib.stride_tricks.sliding_window_view(pixels, SHAPE)
    return windows[::stride, ::stride].reshape(-1, *SHAPE)


def cifar_10(
    *,
    data_home: str | None = None,
    fetch: Callable[..., Any] = FETCH,
) -> ImageSets:
    """Return CIFAR-10 through scikit-learn, which keeps it in its folder once fetched.

    Parameters
    ----------
    data_home : str, optional
        scikit-learn's folder for downloaded data.
    fetch : callable
        Called like `sklearn.datasets.fetch_openml`.

    Returns
    -------
    ImageSets
        The first 50 000 images for training, the others for testing.

    Raises
    ------
    ConnectionError
        If the data are not in the folder and cannot be fetched.
    ValueError
        If what comes does not have 3072 numbers an image, or too few images.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "A network error occurred", UserWarning)
            rows = fetch("CIFAR_10", version=1, as_frame=False, data_home=data_home).data
    except (OSError, HTTPException) as error:
        raise ConnectionError(
            "CIFAR_10 is not in scikit-learn's data folder and could not be fetched "
            f"({type(error).__name__}: {error}); load('photographs') needs no network"
        ) from error
    rows = np.asarray(rows)
    if rows.ndim != 2 or rows.shape[1] != 3 * SIZE**2 or len(rows) <= TRAIN_IMAGES:
        raise ValueError(
            f"CIFAR_10 must have more than {TRAIN_IMAGES} rows of {3 * SIZE**2} numbers; "
            f"got the shape {rows.shape}"
        )
    # A row holds the red plane, then the green, then the blue one.
    planes = rows.reshape(-1, 3, SIZE, SIZE).astype(np.float32) / np.float32(255)
    images = planes.transpose(0, 2, 3, 1)
    return ImageSets(images[:TRAIN_IMAGES], images[TRAIN_IMAGES:], "CIFAR-10")
