"""Chapter 13, `notebooks/13-ways-out.ipynb`: its numbers and its pictures."""
