"""Chapter 1, `notebooks/01-modelling-sgd.ipynb`: its numbers and its pictures."""
