"""Networks, their training, the images they learn from, and where their knowledge lies."""
