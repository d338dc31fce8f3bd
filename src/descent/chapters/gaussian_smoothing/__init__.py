"""Chapter 7, `notebooks/07-gaussian-smoothing.ipynb`: its numbers and its pictures."""
