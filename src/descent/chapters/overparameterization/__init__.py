"""Chapter 8, `notebooks/08-overparameterization.ipynb`: its numbers and its pictures."""
