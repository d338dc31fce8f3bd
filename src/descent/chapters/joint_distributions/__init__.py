"""Chapter 3, `notebooks/03-joint-distributions.ipynb`: its numbers and its pictures."""
