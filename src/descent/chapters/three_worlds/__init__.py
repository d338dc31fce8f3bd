"""Chapter 5, `notebooks/05-three-worlds.ipynb`: its numbers and its pictures."""
