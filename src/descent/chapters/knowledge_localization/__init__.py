"""Chapter 12, `notebooks/12-knowledge-localization.ipynb`: its numbers and its pictures."""
