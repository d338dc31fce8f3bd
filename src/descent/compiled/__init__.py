"""Functions written for numpy, traced and translated for the processor's vectors."""
