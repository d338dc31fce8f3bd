"""Descent: the library behind the book on how optimizers move.

Import its modules by name (``from descent import landscapes, markov``): the
package itself imports none, so that a chapter loads only what it uses.
"""

from descent import extras

__version__ = "0.1.0"

extras.name_what_is_missing()
