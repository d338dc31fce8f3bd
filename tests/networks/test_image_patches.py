"""The images of the compression task: their sources, and that test and training do not touch."""

import socket
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import load_sample_images

from descent.networks import image_patches
from descent.networks.image_patches import cifar_10, for_testing, load, photograph_patches


def test_no_pixel_is_in_both_sets(monkeypatch):
    rows, columns = np.mgrid[:427, :640]  # the colours say where a pixel is
    page = np.stack([rows, columns, np.zeros_like(rows)], axis=-1)
    pictures = SimpleNamespace(images=[page, page + np.array([0, 0, 1])])
    monkeypatch.setattr(image_patches, "load_sample_images", lambda: pictures)
    sets = photograph_patches(16)
    places = []
    for part in (sets.train, sets.test):
        row, column, page = (255 * part.reshape(-1, 3)).round().astype(int).T
        places.append(np.unique((page * 427 + row) * 640 + column))
    train, test = places
    assert not np.isin(train, test).any()
    assert len(train) + len(test) == 2 * (6 * 64) * (10 * 64)
    assert all(for_testing(p // 640 % 427 // 64, p % 640 // 64) for p in test)
    assert not any(for_testing(p // 640 % 427 // 64, p % 640 // 64) for p in train)


@pytest.mark.slow
def test_photographs():
    sets = load()
    assert sets.train.shape[1:] == sets.test.shape[1:] == (32, 32, 3)
    assert sets.train.dtype == np.float32
    assert "photographs" in sets.source
    assert min(sets.train.min(), sets.test.min()) >= 0
    assert max(sets.train.max(), sets.test.max()) <= 1
    corner = load_sample_images().images[0][:32, :32] / 255  # block (0, 0) is for testing
    np.testing.assert_allclose(sets.test[0], corner, atol=1e-6)


def fake(n_rows, n_numbers=3072):
    def fetch(name, *, version, as_frame, data_home):
        assert (name, version, as_frame) == ("CIFAR_10", 1, False)
        rows = np.zeros((n_rows, n_numbers), np.uint8)
        rows[0, :1024] = 255  # the red plane of the first image
        rows[0, 1056:1057] = 51  # green: second row, first column
        return SimpleNamespace(data=rows)

    return fetch


def test_cifar_10_is_unpacked_by_planes(monkeypatch):
    monkeypatch.setattr(image_patches, "TRAIN_IMAGES", 4)
    sets = cifar_10(fetch=fake(6))
    assert sets.train.shape == (4, 32, 32, 3)
    assert sets.test.shape == (2, 32, 32, 3)
    assert sets.source == "CIFAR-10"
    assert (sets.train[0, :, :, 0] == 1).all()
    assert sets.train[0, 1, 0, 1] == pytest.approx(0.2)
    assert sets.train[0].sum() == pytest.approx(1024.2)


@pytest.mark.parametrize(("rows", "numbers"), [(4, 3072), (6, 784)])
def test_other_data_are_refused(monkeypatch, rows, numbers):
    monkeypatch.setattr(image_patches, "TRAIN_IMAGES", 4)
    with pytest.raises(ValueError, match="CIFAR_10 must have more than 4 rows of 3072"):
        cifar_10(fetch=fake(rows, numbers))


def no_network(*args, **kwargs):
    raise OSError("name not resolved")


def test_without_network_the_error_names_the_way_out():
    with pytest.raises(ConnectionError, match=r"name not resolved.*photographs"):
        cifar_10(fetch=no_network)


def test_best_falls_back_and_says_so(monkeypatch):
    def unreachable(**kwargs):
        raise ConnectionError("no network")

    monkeypatch.setattr(image_patches, "cifar_10", unreachable)
    assert "photographs" in load("best").source
    with pytest.raises(ConnectionError):
        load("CIFAR_10")


def test_bad_arguments():
    with pytest.raises(ValueError, match="source must be one of"):
        load("MNIST")
    with pytest.raises(ValueError, match="stride must be at least 1"):
        photograph_patches(0)


def test_a_network_that_refuses_is_asked_and_told(monkeypatch, tmp_path):
    asked = []

    def refuse(host, *args, **kwargs):
        asked.append(host)
        raise socket.gaierror("the network refuses")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", lambda self, address: refuse(address))
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy"):
        monkeypatch.delenv(proxy, raising=False)
    with pytest.raises(ConnectionError, match=r"the network refuses.*photographs"):
        cifar_10(data_home=str(tmp_path))
    assert asked
    assert "photographs" in load("best", data_home=str(tmp_path)).source
