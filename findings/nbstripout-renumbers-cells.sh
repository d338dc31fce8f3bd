#!/usr/bin/env bash
# nbstripout replaces the ids of cells by their numbers.
#
# Question: does a notebook keep the ids of its cells when nbstripout removes its outputs?
# Guess: a reader would say that a link to a cell by its id stays good. Seen with nbstripout 0.9.1: the ids become 0, 1, 2,
# so such a link breaks; with --keep-id they stay.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check nbstripout==0.9.1
cd "$place"
cat > write.py <<'CODE'
import nbformat
from nbformat.v4 import new_code_cell, new_notebook

cells = [new_code_cell("1", id="the-table"), new_code_cell("2", id="the-figure")]
for name in ("plain.ipynb", "kept.ipynb"):
    nbformat.write(new_notebook(cells=cells), name)
CODE
env/bin/python write.py
env/bin/nbstripout plain.ipynb
env/bin/nbstripout --keep-id kept.ipynb
env/bin/python - <<'CODE'
from importlib.metadata import version

import nbformat

found = {name: [cell.id for cell in nbformat.read(f"{name}.ipynb", 4).cells] for name in ("plain", "kept")}
print(f"nbstripout {version('nbstripout')}: {found}")
assert found == {"plain": ["0", "1"], "kept": ["the-table", "the-figure"]}, "ids are treated otherwise"
CODE
