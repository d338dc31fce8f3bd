"""Put the claims, the exercises and the stored tables, which stand in ``book/``, into the wheel."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class WithTheBook(build_py):
    """The package, and beside its modules what its chapters read."""

    def run(self) -> None:
        """Copy the modules, then the folders; what is installed as editable finds its checkout."""
        place = Path(self.build_lib) / "descent"
        if not self.editable_mode:
            # What a former build left there, a module that is no more for instance, would go along.
            shutil.rmtree(place, ignore_errors=True)
        super().run()
        if not self.editable_mode:
            for name in ("claims", "exercises", "sweeps"):
                shutil.copytree(Path("book") / name, place / "_book" / name)


setup(cmdclass={"build_py": WithTheBook})
