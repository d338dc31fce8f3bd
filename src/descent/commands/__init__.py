"""The command line: `descent-train`, `descent-viz-loss`, and what they alone need."""
