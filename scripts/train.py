"""Optimize a test function: `descent-train` of this checkout, installed or not."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from descent.commands.entry import train

if __name__ == "__main__":
    train()
