"""Chapter 10, `notebooks/10-without-gradients.ipynb`: its numbers and its pictures."""
