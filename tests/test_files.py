"""Files are whole or as they were, and an error names the file."""

import errno
import os
import shutil

import pytest

from descent.files import reason, write_whole


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_that_does_not_fit_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, "old")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left") as failure:
            write_whole(path, "new")
    assert reason(failure.value) == f"cannot write {path}: No space left on device"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"
    write_whole(path, "new")
    assert path.read_text() == "new"


def test_the_reason_names_the_file_whatever_failed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_text("x")
    (tmp_path / "b").write_text("in the way")
    for action in (
        lambda: (tmp_path / "b" / "c").mkdir(),
        lambda: shutil.copytree(tmp_path / "a", tmp_path / "b"),
        lambda: (tmp_path / "missing").read_text(),
    ):
        with pytest.raises(OSError, match=str(tmp_path)) as failure:
            action()
        assert str(tmp_path) in reason(failure.value)
        assert "\n" not in reason(failure.value)
    several = shutil.Error([("a", "b/file", "[Errno 28] No space left on device")])
    assert reason(several) == "cannot write b/file: [Errno 28] No space left on device"
