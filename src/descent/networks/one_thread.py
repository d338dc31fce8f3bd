"""Small matrix products are computed by one thread.

A library for linear algebra gives each product to all threads, which wait for each other after
it. Where a step is a product of a few thousand numbers, they wait for longer than they compute.
"""

import importlib.util
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

__all__ = ["one_thread"]


def one_thread() -> AbstractContextManager[Any]:
    """Let matrix products use one thread inside a ``with`` block.

    Where `threadpoolctl` is missing, as in a browser, nothing changes but the time.

    Examples
    --------
    >>> import numpy as np
    >>> with one_thread():
    ...     product = np.eye(2) @ np.ones(2)
    >>> product
    array([1., 1.])
    """
    pools = _pools()
    return nullcontext() if pools is None else pools.limit(limits=1)


@cache
def _pools() -> Any:
    """Return the libraries' threads; to look for them takes as long as many steps."""
    if importlib.util.find_spec("threadpoolctl") is None:
        return None
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
