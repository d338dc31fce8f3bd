#!/usr/bin/env bash
# nbmake passes a cell tagged raises-exception that raises nothing.
#
# Question: does a notebook fail whose cell is tagged raises-exception and does not raise?
# Guess: it fails, as pytest.raises does. Seen with nbmake 1.5.5: it passes; the tag only allows
# an error, and lets the cells below run after one.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet --disable-pip-version-check nbmake==1.5.5 ipykernel==7.4.0
cd "$place"
cat > write.py <<'CODE'
import nbformat
from nbformat.v4 import new_code_cell, new_notebook

kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
for name, source in (("quiet", "1 + 1"), ("loud", "1 / 0")):
    for tags in ([], ["raises-exception"]):
        cell = new_code_cell(source, metadata={"tags": tags})
        nbformat.write(new_notebook(cells=[cell], metadata=kernel), f"{name}{len(tags)}.ipynb")
CODE
env/bin/python write.py
outcome() { env/bin/python -m pytest -q -p no:cacheprovider --nbmake "$1.ipynb" > "$1.txt" 2>&1 && echo passed || echo failed; }
found="raising, untagged: $(outcome loud0); raising, tagged: $(outcome loud1); not raising, tagged: $(outcome quiet1)"
echo "nbmake 1.5.5: $found"
env/bin/python - "$found" <<'CODE'
import sys

assert sys.argv[1] == (
    "raising, untagged: failed; raising, tagged: passed; not raising, tagged: passed"
), "the tag is read otherwise now"
CODE
