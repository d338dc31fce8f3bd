"""Chapter 4, `notebooks/04-without-uncertainty.ipynb`: its numbers and its pictures."""
