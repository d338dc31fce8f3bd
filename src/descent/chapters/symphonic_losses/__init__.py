"""Chapter 9, `notebooks/09-symphonic-losses.ipynb`: its numbers and its pictures."""
