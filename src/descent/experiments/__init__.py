"""One module a chapter: the functions that its figures, claims and explorers call."""
