"""Chapter 6, `notebooks/06-thermostats-and-lorenz.ipynb`: its numbers and its pictures."""
