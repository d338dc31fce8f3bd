"""The tables of this folder, and the list of public functions, are modules of their own."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "public_inputs"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # for `import relation`, `import public`
