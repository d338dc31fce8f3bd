"""Run a chapter under a browser's limits: ``as_in_a_browser.py CHECKOUT CHAPTER``.

CHECKOUT is the unpacked archive. Only the standard library and the packages that the
page asks for can be imported, with what they need; no thread, process or socket starts.
Prints the outputs of every cell as JSON.
"""

import json
import os
import re
import subprocess
import sys
import threading
from importlib.abc import MetaPathFinder
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path


def with_needs(names):
    """Return the distributions and all that they require, without their extras."""
    found, waiting = set(), list(names)
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            needs = requires(name) or []
        except PackageNotFoundError:
            continue
        found.add(name)
        waiting += [re.match(r"[\w.-]+", need)[0] for need in needs if "extra ==" not in need]
    return found


class Only(MetaPathFinder):
    """Find the standard library, the library and the given packages, and nothing else."""

    def __init__(self, finders, distributions):
        self.finders = list(finders)
        allowed = with_needs(distributions)
        given = {
            name
            for name, owners in packages_distributions().items()
            if {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners} & allowed
        }
        self.allowed = sys.stdlib_module_names | given | {"descent"}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.allowed and "_sysconfigdata" not in name:
            return None
        found = (finder.find_spec(name, path, target) for finder in self.finders)
        return next((spec for spec in found if spec), None)


def refuse(*_, **__):
    raise OSError("not in a browser")


def main(checkout, chapter, *distributions):
    for module in [name for name in sys.modules if name.partition(".")[0] == "descent"]:
        del sys.modules[module]
    sys.path[0] = str(checkout / "src")
    sys.meta_path[:] = [Only(sys.meta_path, distributions)]
    threading.Thread.start = subprocess.Popen.__init__ = os.fork = os.system = refuse
    sys.addaudithook(lambda event, _: refuse() if event in ("socket.connect", "os.fork") else None)

    from descent.publish import cells

    assert Path(cells.__file__).is_relative_to(checkout)
    session = cells.Session(checkout / "notebooks" / f"{chapter}.ipynb")
    print(json.dumps([session.run(source) for source in session.sources]))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), *sys.argv[2:])
