"""Parameter groups of optimizers that have no learning rate."""

from collections.abc import Sequence
from typing import Any


class Rateless(dict[str, Any]):
    """A parameter group whose missing learning rate is named, where a scheduler asks for it."""

    owner = "this optimizer"

    def __missing__(self, key: str) -> Any:
        """Raise a KeyError that says why there is no such entry."""
        if key == "lr":
            raise KeyError(f"{self.owner} has no learning rate to schedule")
        raise KeyError(key)


def rateless(groups: Sequence[dict[str, Any]], owner: str) -> list[dict[str, Any]]:
    """Return groups that say that their owner has no learning rate.

    Examples
    --------
    >>> rateless([{"params": []}], "a population")[0]["lr"]
    Traceback (most recent call last):
    ...
    KeyError: 'a population has no learning rate to schedule'
    """
    made = [Rateless(group) for group in groups]
    for group in made:
        group.owner = owner
    return list(made)
