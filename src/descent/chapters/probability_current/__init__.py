"""Chapter 2, `notebooks/02-probability-current.ipynb`: its numbers and its pictures."""
