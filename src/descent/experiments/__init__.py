"""A chapter: its numbers in one module, its figures and explorers in ``<chapter>_figures``."""
