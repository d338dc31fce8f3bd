"""Directed acyclic graphs, whose edges are derivatives of effects by causes."""

from collections.abc import Collection, Hashable, Mapping
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from numbers import Rational, Real

from descent.arguments import came, check_real, did_you_mean

Node = Hashable
Edge = tuple[Node, Node]
Number = float | Fraction


class Network:
    """A causal network: a directed acyclic graph with a derivative on each edge.

    Parameters
    ----------
    edges : mapping of (cause, effect) to number
        The effect's derivative by this cause with its other causes held; finite. Nodes are
        whatever can be a key: names, pairs of name and time, points of a lattice. A float
        counts as the binary fraction that it is: where paths cancel (0.1 + 0.2 − 0.3), give
        `fractions.Fraction` or integers.

    Attributes
    ----------
    rational : bool
        Whether all numbers came as fractions or integers. Results are fractions then, and
        floats otherwise.
    order : tuple of nodes
        Each behind its causes. One of many such orders; no result depends on which.
    causes, effects : dict of node to dict of node to Fraction
        The edges that arrive at a node and those that leave it.

    Raises
    ------
    TypeError, ValueError
        If an edge is no pair, its number is none or not finite, or the causes run in a circle.

    Examples
    --------
    A heater that answers the room's temperature, two steps of it:

    >>> from descent.causal import comp
    >>> from fractions import Fraction as F
    >>> network = Network({
    ...     ("room 0", "room 1"): 1, ("room 0", "heater 1"): F(-1, 5),
    ...     ("room 1", "room 2"): 1, ("heater 1", "room 2"): 1})
    >>> comp(network, ["heater 1"], "room 0", "room 2")
    Fraction(4, 5)
    """

    def __init__(self, edges: Mapping[Edge, Number]) -> None:
        if not isinstance(edges, Mapping):
            raise TypeError(f"edges must map (cause, effect) to a number; got {came(edges)}")
        if not edges:
            raise ValueError("edges must hold at least one edge; got none")
        self.rational = all(isinstance(weight, Rational) for weight in edges.values())
        self.causes: dict[Node, dict[Node, Fraction]] = {}
        self.effects: dict[Node, dict[Node, Fraction]] = {}
        for edge, weight in edges.items():
            if not isinstance(edge, tuple) or len(edge) != 2:
                raise TypeError(f"edges must have pairs (cause, effect) as keys; got {edge!r}")
            cause, effect = edge
            for node in edge:
                self.causes.setdefault(node, {})
                self.effects.setdefault(node, {})
            slope = _fraction(f"edges[{edge!r}]", weight)
            self.causes[effect][cause] = self.effects[cause][effect] = slope
        try:
            self.order = tuple(TopologicalSorter(self.causes).static_order())
        except CycleError as circle:
            raise ValueError(
                "edges must not run in a circle: give a variable one node for each moment "
                f"(`unrolled` does); got {' → '.join(map(repr, circle.args[1]))}"
            ) from None

    def __repr__(self) -> str:
        edges = sum(map(len, self.effects.values()))
        return f"Network({len(self.order)} nodes, {edges} edges)"


def _fraction(name: str, value: object) -> Fraction:
    """Return a finite real number as the fraction that it is; an error if it is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a real number; got {came(value)}")
    if not isinstance(value, Rational):
        return Fraction(check_real(name, float(value)))
    return Fraction(int(value.numerator), int(value.denominator))


def number(network: Network, value: Fraction) -> Number:
    """Return a sum as a fraction or a float, as the network's edges came."""
    if network.rational:
        return value
    try:
        return float(value)
    except OverflowError:
        raise FloatingPointError(
            "a sum over paths does not fit a float; give the edges as fractions.Fraction"
        ) from None


def _check_node(network: Network, name: str, node: Node) -> Node:
    """Return a node; an error that names the nearest ones if the network has none like it."""
    if not isinstance(network, Network):
        raise TypeError(f"network must be a Network; got {came(network)}")
    try:
        known = node in network.causes
    except TypeError:  # a list, which can be no key
        raise TypeError(f"{name} must be a node, which can be hashed; got {came(node)}") from None
    if not known:
        meant = did_you_mean(node, (other for other in network.order if isinstance(other, str)))
        raise ValueError(f"{name} must be a node of the network; got {node!r}{meant}")
    return node


def check_outside(network: Network, name: str, node: Node, held: frozenset[Node]) -> Node:
    """Return a node; an error if the network has none like it, or it is in A."""
    if _check_node(network, name, node) in held:
        raise ValueError(f"{name} must not be in A, which is replayed; got {node!r}")
    return node


def check_part(network: Network, name: str, nodes: Collection[Node]) -> frozenset[Node]:
    """Return a set of nodes; an error if it holds none like it, or is a single text."""
    if isinstance(nodes, str) or not isinstance(nodes, Collection):
        raise TypeError(f"{name} must be a collection of nodes; got {came(nodes)}")
    return frozenset(_check_node(network, name, node) for node in nodes)
