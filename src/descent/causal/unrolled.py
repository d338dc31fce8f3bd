"""A map's trajectory as a causal network: a node for each variable and step."""

import numpy as np

from descent.arguments import came, check_count, check_real
from descent.causal.network import Edge, Network
from descent.dynamics import Map
from descent.dynamics.system import Initial, state_of


def unrolled(system: Map, initial: Initial, steps: int, *, begin: float = 0.0) -> Network:
    r"""Return the network of a map along one trajectory: a node for each variable and step.

    .. math:: (j, k) \to (i, k + 1) : \quad
              \frac{\partial F_i}{\partial s_j}\big(s_k, t_k\big), \qquad t_k = t_0 + k\, \Delta t

    Parameters
    ----------
    system : Map
        With a Jacobian. Entries that are 0 make no edge, but the nodes of a variable are
        always joined, so that all stand in the network.
    initial : array (d,) or mapping of name to number
        One start.
    steps : int
        1 or more.
    begin : float
        t_0, the time of the start.

    Returns
    -------
    Network
        Nodes (name, k) for k = 0 … steps.

    Raises
    ------
    TypeError, ValueError
        If the system is no map or has no Jacobian, or the start is more than one.
    FloatingPointError
        If the trajectory leaves the finite numbers.

    Examples
    --------
    >>> from descent.causal import comp
    >>> from descent.systems import linear_thermostat
    >>> network = unrolled(linear_thermostat(0.19, 25.0), [35.0, 10.0], 2)
    >>> A = [("thermostat", k) for k in range(3)]
    >>> round(comp(network, A, ("room", 0), ("room", 2)), 12)
    0.81
    """
    if not isinstance(system, Map):
        raise TypeError(f"system must be a Map: a flow has no steps; got {came(system)}")
    if system.jacobian is None:
        raise ValueError("system must have a jacobian: its entries are the edges; got None")
    steps, time = check_count("steps", steps, least=1), check_real("begin", begin)
    state = state_of(system, initial)
    if state.ndim != 1:
        raise ValueError(f"initial must be one start, of shape ({len(state)},); got {came(state)}")
    edges: dict[Edge, float] = {}
    for k in range(steps):
        at = time + k * system.dt
        for name, row in zip(system.names, system.jacobian(state, at), strict=True):
            for other, slope in zip(system.names, row, strict=True):
                if slope or other == name:
                    edges[(other, k), (name, k + 1)] = float(slope)
        state = np.array([float(value) for value in system.step(state, at)])
        if not np.isfinite(state).all():
            raise FloatingPointError(f"the trajectory leaves the finite numbers in step {k + 1}")
    return Network(edges)
