"""Sums over the paths of a causal network, and the measures that are made of them."""

import math
from collections.abc import Collection, Mapping
from fractions import Fraction

from descent.causal.network import Network, Node, Number, check_outside, check_part, number


def responses(network: Network, varied: Node, avoid: Collection[Node] = ()) -> dict[Node, Number]:
    r"""Return the sums over all paths from one node, by forward accumulation.

    .. math:: r_n = 1, \qquad r_v = \sum_{u \to v} r_u w_{uv}, \qquad r_a = 0 \ (a \in A)

    Parameters
    ----------
    network : Network
        The edges.
    varied : node
        n, where the paths begin; not in ``avoid``.
    avoid : collection of nodes
        A: no path leads through these.

    Returns
    -------
    dict of node to number
        For every node, the derivative by n in the world in which A is replayed. Units of
        the node over units of n.

    Raises
    ------
    TypeError, ValueError
        If a node is none of the network's, or ``varied`` is in ``avoid``.
    FloatingPointError
        If a sum does not fit a float.

    Examples
    --------
    >>> responses(Network({("a", "b"): 2.0, ("b", "c"): 3.0, ("a", "c"): 1.0}), "a")
    {'a': 1.0, 'b': 2.0, 'c': 7.0}
    """
    sums = _forward(network, varied, check_part(network, "avoid", avoid))
    return {node: number(network, value) for node, value in sums.items()}


def sensitivities(
    network: Network, measured: Node, avoid: Collection[Node] = ()
) -> dict[Node, Number]:
    r"""Return the sums over all paths to one node, by backward accumulation.

    .. math:: r_m = 1, \qquad r_u = \sum_{u \to v} w_{uv} r_v, \qquad r_a = 0 \ (a \in A)

    Parameters
    ----------
    network : Network
        The edges.
    measured : node
        m, where the paths end; not in ``avoid``.
    avoid : collection of nodes
        A: no path leads through these.

    Returns
    -------
    dict of node to number
        For every node, the derivative of m by it in the world in which A is replayed.

    Raises
    ------
    TypeError, ValueError, FloatingPointError
        As `responses`.

    Examples
    --------
    >>> sensitivities(Network({("a", "b"): 2.0, ("b", "c"): 3.0, ("a", "c"): 1.0}), "c")
    {'c': 1.0, 'b': 3.0, 'a': 7.0}
    """
    held = check_part(network, "avoid", avoid)
    end = check_outside(network, "measured", measured, held)
    sums = _accumulated(end, network.order[::-1], network.effects, held)
    return {node: number(network, value) for node, value in sums.items()}


def _forward(network: Network, varied: Node, held: frozenset[Node]) -> dict[Node, Fraction]:
    """Return each node's sum over the paths from a node that avoid A."""
    start = check_outside(network, "varied", varied, held)
    return _accumulated(start, network.order, network.causes, held)


def _accumulated(
    origin: Node,
    order: tuple[Node, ...],
    before: Mapping[Node, Mapping[Node, Fraction]],
    held: frozenset[Node],
) -> dict[Node, Fraction]:
    """Return each node's sum over the paths from the origin, in the order that is given."""
    sums: dict[Node, Fraction] = {}
    for node in order:
        if node == origin:
            sums[node] = Fraction(1)
        elif node in held:
            sums[node] = Fraction(0)
        else:
            arriving = before[node].items()
            sums[node] = sum((sums[other] * slope for other, slope in arriving), Fraction(0))
    return sums


def _ratio(
    network: Network, part: Collection[Node], varied: Node, measured: Node
) -> Fraction | None:
    """Return Comp, None where the disturbance arrives through A alone."""
    held = check_part(network, "part", part)
    end = check_outside(network, "measured", measured, held)
    in_y = _forward(network, varied, held)[end]
    in_x = _forward(network, varied, frozenset())[end]
    if in_y == 0 and in_x == 0:
        raise ValueError(
            f"measured must be reached by a disturbance of {varied!r} in one world at least; "
            f"got {measured!r}, where it arrives in neither"
        )
    return in_x / in_y if in_y else None


def comp(network: Network, part: Collection[Node], varied: Node, measured: Node) -> Number:
    r"""Compression of a disturbance by a set of nodes: the ratio of its sizes in two worlds.

    .. math:: \operatorname{Comp}(A; n, m) =
              r_m[\text{all paths}] \,/\, r_m[\text{paths that avoid } A]

    Parameters
    ----------
    network : Network
        The edges.
    part : collection of nodes
        A, the nodes that are replayed in world Y.
    varied, measured : node
        n and m, not in A.

    Returns
    -------
    number
        Signed. inf if the disturbance reaches m through A alone. A float that is too small for
        floats is 0: use `op` then.

    Raises
    ------
    TypeError, ValueError
        If a node is none of the network's, n or m is in A, or the disturbance arrives at m
        in neither world.
    FloatingPointError
        If the ratio does not fit a float.

    Notes
    -----
    Source: 003, posts 7 and 8. `descent.influence.comp` of a map is this for A at all times
    of its `unrolled` network, n at the begin and m at the time that is asked for.

    Examples
    --------
    >>> network = Network({("n", "A"): -1.0, ("A", "m"): 0.5, ("n", "m"): 1.0})
    >>> comp(network, {"A"}, "n", "m")
    0.5
    """
    ratio = _ratio(network, part, varied, measured)
    return math.inf if ratio is None else number(network, ratio)


def op(network: Network, part: Collection[Node], varied: Node, measured: Node) -> float:
    r"""Optimization of a node by a set of nodes.

    .. math:: \operatorname{Op}(A; n, m) = -\log |\operatorname{Comp}(A; n, m)|

    Natural logarithm.

    Parameters
    ----------
    network, part, varied, measured
        As in `comp`.

    Returns
    -------
    float
        Nats. Positive: A shrinks the disturbance; inf if nothing is left of it; -inf if it
        arrives through A alone.

    Raises
    ------
    TypeError, ValueError
        As `comp`.

    Notes
    -----
    Source: 003, post 8, "Op(A; n, m)", whose time t is the place of m here.

    Examples
    --------
    >>> round(op(Network({("n", "A"): -1.0, ("A", "m"): 0.5, ("n", "m"): 1.0}), {"A"}, "n", "m"), 6)
    0.693147
    """
    ratio = _ratio(network, part, varied, measured)
    if not ratio:
        return -math.inf if ratio is None else math.inf
    if 0.5 < abs(ratio) < 2:
        return -math.log1p(abs(ratio) - 1)
    # Numerator and denominator may be beyond the floats; their logarithms are not.
    return math.log(ratio.denominator) - math.log(abs(ratio.numerator))
