"""What kills, full disks, second processes and odd machines do to the book: no harm."""

import asyncio
import base64
import errno
import io
import os
import re
import signal
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import numpy as np
import pytest
from PIL import Image

from descent.files import write_whole
from descent.publish import __main__ as book
from descent.publish import execute, lock, paths, pdf, policy, render, site

ROOT = paths.ROOT
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "src")}
PAGE = policy.with_policy("<html><head></head><body>{}</body></html>")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with one chapter, at an awkward place."""
    root = tmp_path / "dir ü space"
    (root / "src" / "descent").mkdir(parents=True)
    (root / "notebooks").mkdir()
    (root / "requirements.lock").write_text("numpy==1\n")
    (root / "book").mkdir()
    for name in ("ROOT", "BOOK", "NOTEBOOKS", "BUILD", "EXECUTED", "KERNELS", "STAGE", "HTML"):
        place = root / getattr(paths, name).relative_to(ROOT)
        monkeypatch.setattr(paths, name, place)
    chapter(root, "print('ran')")
    return root


def chapter(root, *codes, name="01-a"):
    path = root / "notebooks" / f"{name}.ipynb"
    cells = [nbformat.v4.new_code_cell(code) for code in codes]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


DRIVER = """
import sys
from pathlib import Path
from descent.publish import __main__ as book
from descent.publish import paths
before, root = paths.ROOT, Path(sys.argv[1])
for name in ("ROOT", "BOOK", "NOTEBOOKS", "BUILD", "EXECUTED", "KERNELS", "STAGE", "HTML"):
    setattr(paths, name, root / getattr(paths, name).relative_to(before))
"""
EXECUTING = (
    DRIVER
    + """
from descent.publish.execute import execute_all
sys.exit(book.exit_status(lambda: execute_all(paths.notebooks())))
"""
)


def start(checkout, code=EXECUTING, **options):
    """Start a process of its own group over the checkout."""
    return subprocess.Popen(
        [sys.executable, "-c", code, str(checkout)],
        env=options.pop("env", ENVIRONMENT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def until(condition, seconds=30):
    """Wait until something is the case."""
    limit = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < limit, "it never was"
        time.sleep(0.02)
    return found


def alive(pid):
    """Whether a process runs; one that has ended and that nobody has asked for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


# A hidden file: any other beside the notebooks would be data of theirs.
LONG = "import os, pathlib, time\npathlib.Path('.pid').write_text(str(os.getpid()))\ntime.sleep(60)"


def kernel_of(checkout):
    """The process that executes `LONG`."""
    place = checkout / "notebooks" / ".pid"
    return int(until(lambda: place.exists() and place.read_text()))


linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")


# Kills and interruptions.


@linux
def test_a_killed_driver_leaves_no_kernel_no_lock_and_no_run(checkout):
    chapter(checkout, "x = 1", name="01-a")
    chapter(checkout, LONG, name="02-b")
    run = start(checkout)
    kernel = kernel_of(checkout)
    first = paths.EXECUTED / "01-a.ipynb"
    until(first.exists)
    run.kill()
    run.communicate()
    written = first.stat().st_mtime_ns
    until(lambda: not alive(kernel), 5)
    assert not (paths.EXECUTED / "02-b.ipynb").exists()
    chapter(checkout, "y = 1", name="02-b")
    again = start(checkout)
    output, _ = again.communicate(timeout=60)
    assert again.returncode == 0, output
    assert "unchanged: 1" in output
    assert first.stat().st_mtime_ns == written


@linux
def test_an_interruption_ends_soon_with_a_line_and_without_kernels(checkout):
    chapter(checkout, LONG)
    chapter(checkout, "import time\ntime.sleep(60)", name="02-b")
    chapter(checkout, "import time\ntime.sleep(60)", name="03-c")
    run = start(checkout)
    kernel = kernel_of(checkout)
    begin = time.monotonic()
    os.killpg(run.pid, signal.SIGINT)
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 130
    assert output.splitlines()[-1] == "interrupted; finished chapters are kept"
    assert "Traceback" not in output
    assert not alive(kernel)
    assert time.monotonic() - begin < 15, "the cells would take 60 s"


def assert_interrupted(run):
    """Nothing of the driver or its kernels is left, and it said one line."""
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 130, output
    assert output.splitlines()[-1] == "interrupted; finished chapters are kept"
    assert "Traceback" not in output
    place = str(paths.KERNELS / "01-a.json")
    commands = [p.read_bytes().decode() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    assert not [command for command in commands if place in command]
    assert not list(paths.KERNELS.glob("*.json"))


@linux
def test_an_interruption_while_kernels_start_leaves_none(checkout):
    chapter(checkout, LONG)
    run = start(checkout)
    until(lambda: list(paths.KERNELS.glob("*.json")))
    os.killpg(run.pid, signal.SIGINT)
    assert_interrupted(run)


ELSEWHERE = """
import signal, threading, time
def interrupt():
    while not list(paths.KERNELS.glob("*.json")):
        time.sleep(0.01)
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
"""


@linux
def test_an_interruption_that_another_thread_gets_is_heeded(checkout):
    chapter(checkout, LONG)
    assert_interrupted(start(checkout, DRIVER + ELSEWHERE + EXECUTING.removeprefix(DRIVER)))


UNDIVIDED = "\nimport os\nos.getpgid = lambda pid: os.getpgrp()\n"


@linux
def test_a_kernel_in_the_group_of_its_driver_is_ended_alone(checkout):
    """As one is that a signal kills before it has a group of its own."""
    chapter(checkout, LONG)
    run = start(checkout, DRIVER + UNDIVIDED + EXECUTING.removeprefix(DRIVER))
    kernel_of(checkout)
    os.kill(run.pid, signal.SIGINT)
    assert_interrupted(run)


def pages(folder, text):
    """Write a book of two pages."""
    write_whole(folder / "index.html", PAGE.format(text))
    write_whole(folder / "chapters" / "one.html", PAGE.format(text))
    return folder


def sealed(folder, text):
    write_whole(pages(folder, text) / render.SEAL, render.seal(folder, text))
    return folder


class Kill(BaseException):
    """Nothing catches it, like the signal."""


@pytest.mark.parametrize("last", range(8))
def test_pages_are_the_former_or_the_new_ones_wherever_a_kill_falls(checkout, monkeypatch, last):
    sealed(paths.HTML, "former")
    fresh = sealed(paths.BUILD / "render" / "html", "new")
    steps = 0

    def killing(function):
        def step(*arguments, **options):
            nonlocal steps
            if steps == last:
                raise Kill
            steps += 1
            return function(*arguments, **options)

        return step

    with monkeypatch.context() as patched:
        for name in ("rename", "unlink", "rmdir"):
            patched.setattr(os, name, killing(getattr(os, name)))
        if last < 7:
            with pytest.raises(Kill):
                render.put_in_place(fresh)
        else:
            render.put_in_place(fresh)
            assert steps == last
    render.clean_up()
    assert render.stands("former" if last < 2 else "new")
    assert not render.former().exists()


def test_former_pages_stay_where_the_new_ones_are_not_sound(checkout, monkeypatch, capfd):
    chapter(checkout)
    paths.HTML.mkdir(parents=True)
    (paths.HTML / "index.html").write_text("former")

    def write(output, *_):
        sealed(output / "_build" / "html", "new")
        page = output / "_build" / "html" / "notebooks" / "01-a.html"
        title = '<h1>T<a class="headerlink" href="#t">#</a></h1>'
        write_whole(page, PAGE.format(f"{title}<video poster='//a.org/x'></video>"))

    monkeypatch.setattr(render, "stage", lambda *_: "new")
    monkeypatch.setattr(render, "sphinx", write)
    monkeypatch.setattr(render, "finish", lambda *_: None)
    monkeypatch.setattr(render, "edition", lambda: None)
    assert book.main([]) == 1
    assert "01-a.html: loads //a.org/x" in capfd.readouterr().err
    assert (paths.HTML / "index.html").read_text() == "former"
    assert not (paths.HTML / render.SEAL).exists()


@pytest.mark.parametrize("name", ["index.html", "chapters/one.html", render.SEAL])
def test_pages_of_which_one_is_missing_or_cut_short_do_not_stand(checkout, name):
    html = sealed(paths.HTML, "text")
    assert render.stands("text")
    assert not render.stands("other text")
    text = (html / name).read_text()
    (html / name).write_text(text[:-1])
    assert not render.stands("text")
    (html / name).unlink()
    assert not render.stands("text")


SPHINX = """
import subprocess
from descent.publish import render
def child(command, **options):
    return run([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(1.5)"],
               close_fds=options["close_fds"])
run, render.subprocess.run = subprocess.run, child
book.exit_status(lambda: render.sphinx(paths.BUILD / "render"))
"""


def test_what_renders_on_after_its_driver_was_killed_keeps_others_waiting(checkout, capfd):
    run = start(checkout, DRIVER + SPHINX)
    assert run.stdout.readline() == "up\n"
    run.kill()
    run.wait()
    with lock.only_build():
        output, _ = run.communicate()  # at once: the child has closed its output
        assert output == ""
    assert "another build is at work in" in capfd.readouterr().out


def test_a_second_build_waits_for_the_first_and_says_so(checkout, capfd):
    code = DRIVER + (
        "import time\n"
        "def make():\n    print('begun', flush=True)\n    time.sleep(1)\n    print('done')\n"
        "book.exit_status(make)"
    )
    first = start(checkout, code)
    assert first.stdout.readline() == "begun\n"
    assert book.exit_status(lambda: None) == 0
    assert str(paths.BUILD) in capfd.readouterr().out
    assert first.communicate()[0] == "done\n"


def test_a_notebook_that_two_want_is_executed_once(checkout, capfd):
    path = chapter(checkout, "import time\ntime.sleep(0.5)")
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(execute.execute, [path, path])
    assert first == second
    assert capfd.readouterr().out.count("executing") == 1


# Full disks and folders that are read-only.


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_stops_the_build_with_a_line_and_the_next_one_goes_on(
    checkout, monkeypatch, capfd
):
    def run():
        return book.exit_status(lambda: execute.execute_all(paths.notebooks()))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        assert run() == 1
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert line == f"cannot write {paths.EXECUTED / '01-a.ipynb'}: No space left on device"
    assert not list(paths.EXECUTED.glob("*.ipynb*"))
    assert run() == 0


def test_a_full_disk_under_sphinx_is_said_in_a_line(checkout, monkeypatch, capfd):
    def failing(*_, **__):
        return subprocess.CompletedProcess([], 2, "Traceback\nOSError: No space left on device\n")

    monkeypatch.setattr(render.subprocess, "run", failing)
    assert book.exit_status(lambda: render.sphinx(paths.BUILD / "render")) == 1
    line = f"cannot write {paths.BUILD / 'render'}: No space left on device"
    assert capfd.readouterr().err.strip() == line


@pytest.mark.parametrize("target", ["book", "pdf"])
def test_a_checkout_that_is_read_only_is_said_in_a_line(checkout, monkeypatch, capfd, target):
    def refuse(path, *_, **__):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert {"book": book, "pdf": pdf}[target].main() == 1
    assert capfd.readouterr().err.strip() == f"cannot write {paths.BUILD}: Permission denied"


# Odd surroundings.


def test_fonts_are_listed_once_and_before_the_kernel_starts(checkout, monkeypatch):
    """On a slow machine matplotlib says on stderr that it lists them, which stops a chapter."""
    code = (
        "import os, pathlib, sys\n"
        "listed = list(pathlib.Path(os.environ['MPLCONFIGDIR']).glob('fontlist*.json'))\n"
        "print('matplotlib' in sys.modules, len(listed))\n"
        "import matplotlib"
    )
    run = execute.execute(chapter(checkout, code))
    loaded, listed = run.cells[0].outputs[0].text.split()
    assert (loaded, listed) == ("False", "1")
    monkeypatch.setattr(subprocess, "run", full)
    execute.find_fonts(run)
    (paths.KERNELS / "matplotlib" / ".fonts.lock").unlink()
    execute.find_fonts(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)")]))
    assert not (paths.KERNELS / "matplotlib" / ".fonts.lock").exists(), "no lock, and no fonts"


def test_kernels_heed_no_setting_of_the_user(checkout, tmp_path, monkeypatch):
    home = tmp_path / "home"
    startup = home / ".ipython" / "profile_default" / "startup" / "00.py"
    write_whole(startup, "print('startup of IPython')")
    write_whole(home / "startup.py", "print('startup of Python')")
    write_whole(home / ".config" / "matplotlib" / "matplotlibrc", "lines.linewidth: 77\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PYTHONSTARTUP", str(home / "startup.py"))
    monkeypatch.setenv("MPLBACKEND", "nothing")
    for name in ("IPYTHONDIR", "MPLCONFIGDIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    before = sorted(home.rglob("*"))
    code = "import matplotlib.pyplot as plt\nprint(plt.rcParams['lines.linewidth'])"
    run = execute.execute(chapter(checkout, code))
    assert run.cells[0].outputs[0].text == "1.5\n"
    assert sorted(home.rglob("*")) == before


def test_a_home_that_cannot_be_written_does_no_harm(checkout, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.write_text("no folder")
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))
    for name in ("IPYTHONDIR", "MPLCONFIGDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    path = chapter(checkout, "import matplotlib.pyplot as plt\nprint('ran')")
    assert execute.execute(path).cells[0].outputs[0].text == "ran\n"


def test_without_git_there_is_no_public_repository(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render.public_repository() is None


def test_a_run_does_not_depend_on_the_surroundings_of_its_driver(checkout, monkeypatch):
    code = "import os\nprint({'a', 'b', 'c', 'd', 'ü'}, hash('a'), os.environ['OMP_NUM_THREADS'])"
    path = chapter(checkout, code)
    outputs = []
    for seed in ("1", "2"):
        for name in ("PYTHONHASHSEED", "OMP_NUM_THREADS"):
            monkeypatch.setenv(name, seed)
        monkeypatch.setenv("LC_ALL", "C" if seed == "1" else "C.UTF-8")
        outputs.append(execute.execute(path).cells[0].outputs)
        (paths.EXECUTED / path.name).unlink()
    assert outputs[0] == outputs[1]


def test_a_kernel_runs_the_library_of_its_driver(checkout, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "src")  # of another folder, seen from the kernel's
    run = execute.execute(chapter(checkout, "import descent\nprint(descent.__file__)"))
    assert Path(run.cells[0].outputs[0].text.strip()) == ROOT / "src" / "descent" / "__init__.py"


NUMBER = re.compile(r"-?\d+\.\d*(?:e[-+]?\d+)?|-?\d+e[-+]?\d+")
PACKED = re.compile(r"(?<=class='descent-data'>)[^<]*")


def shown(run):
    """What a run shows: the words, with a mark for each number, the numbers, and the images."""
    words, numbers, images = [], [], []

    def mark(found):
        numbers.append(float(found[0]))
        return "#"

    for output in (output for cell in run.cells for output in cell.get("outputs", [])):
        data = dict(output.get("data", {"text": output.get("text", "")}))
        if (image := data.pop("image/png", None)) is not None:
            images.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(image))), float))
        for _, text in sorted(data.items()):
            packed = PACKED.search(text)
            unpacked = zlib.decompress(base64.b64decode(packed[0])).decode() if packed else ""
            words.append(NUMBER.sub(mark, PACKED.sub("", text) + unpacked))
    return words, np.array(numbers), images


def test_a_chapter_gives_the_same_again_and_with_two_threads(tmp_path, monkeypatch):
    path = paths.NOTEBOOKS / "12-knowledge-localization.ipynb"
    stored = execute.execute(path)
    two = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    two["OMP_WAIT_POLICY"] = "PASSIVE"  # threads that wait for each other leave the cores alone
    one = execute.kernel_environment()
    monkeypatch.setattr(execute, "kernel_environment", lambda: one | two)
    monkeypatch.setattr(paths, "EXECUTED", tmp_path)
    again = execute.execute(path)
    assert again is not stored
    (words, numbers, images), (words_then, numbers_then, images_then) = shown(again), shown(stored)
    assert words == words_then
    # Two threads add in another order: the last of 16 digits may differ, nothing that is read.
    np.testing.assert_allclose(numbers, numbers_then, rtol=1e-9, atol=1e-9)
    for image, then in zip(images, images_then, strict=True):
        assert (abs(image - then) > 8).mean() < 1e-3  # of 255: no curve lies elsewhere


def test_a_notebook_is_executed_from_within_an_event_loop(checkout):
    async def inside():
        return execute.execute(paths.notebooks()[0])

    # A thread of its own: a browser that tests share has left a loop running in this one.
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(asyncio.run, inside()).result()
    assert run.cells[0].outputs[0].text == "ran\n"


def test_site_is_checked_where_the_path_has_spaces(checkout):
    body = '<a href="chapters/one.html">x</a>'
    pages(paths.HTML, body)
    write_whole(paths.HTML / "chapters" / "one.html", PAGE.format(""))
    assert site.complaints(paths.HTML) == []


def test_what_is_no_chapter_is_said_and_two_of_a_number_are_refused(checkout, capsys):
    chapter(checkout, "1", name="Untitled")
    chapter(checkout, "1", name="100-b")
    assert [path.stem for path in book.chapters()] == ["01-a"]
    said = capsys.readouterr().out
    assert said.count("no chapter, for its name does not begin like 07-: ") == 2
    assert "Untitled.ipynb" in said
    chapter(checkout, "1", name="01-b")
    with pytest.raises(execute.NotebookFailed, match=r"01-a\.ipynb and 01-b\.ipynb have the same"):
        book.chapters()


def test_without_a_checkout_a_line_says_so_and_nothing_is_written(tmp_path, monkeypatch, capsys):
    """As where the library was installed from its wheel."""
    for name in ("ROOT", "BOOK", "NOTEBOOKS", "BUILD"):
        place = tmp_path / getattr(paths, name).relative_to(ROOT)
        monkeypatch.setattr(paths, name, place)
    assert book.main() == 1
    assert capsys.readouterr().err == (
        f"{tmp_path} is no checkout of the book, from which it is made\n"
    )
    assert list(tmp_path.iterdir()) == []
