"""Draw a test function: `descent-viz-loss` of this checkout, installed or not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from descent.commands.viz_loss import main

if __name__ == "__main__":
    main()
