"""Chapter 11, `notebooks/11-finding-knowledge.ipynb`: its numbers and its pictures."""
