"""Descent: the library behind the book on how optimizers move.

Import its modules by name (``from descent import landscapes, markov``): the
package itself imports none, so that a chapter loads only what it uses.
"""
