r"""Does a region optimize? Comp and Op on a causal network, without any clock.

A network is a directed acyclic graph. Its nodes are events, an edge says by how much the
effect changes when its cause does, and a disturbance travels along the paths. With the
nodes of A replayed, no path leads through A, so that for two nodes n and m outside of it

.. math:: \operatorname{Comp}(A; n, m) =
          \frac{\sum_{\text{paths } n \to m} \prod_{\text{edges}} w}
               {\sum_{\text{paths } n \to m \text{ that avoid } A} \prod_{\text{edges}} w},
          \qquad \operatorname{Op} = -\log |\operatorname{Comp}| \ \text{(nats)}.

No node has a time. Whoever gives it one, slice by slice, makes a map of the network, and
`descent.influence` measures the same number there, whichever way the slices lie. A is any
set of nodes: one variable all the time, one event, or what a boundary in space and time encloses.

The sums are those of accumulation: forward, for all m at once, the sum at a node is that
of its causes' sums times the edges; backward, for all n at once, that of its effects'. They
are exact: a float is a fraction, and long paths neither overflow nor drown in rounding.

Source: 003, post 7, "The Setup" (the network) and its wish to do without absolute time. Sums
over paths: S. Wright, The method of path coefficients (1934); accumulation: F. L. Bauer,
Computational graphs and rounding error (1974). A look-alike is *path patching* of neural
networks, which replaces values of finite size; here the disturbance is small.
"""

from descent.causal.network import Network
from descent.causal.paths import comp, op, responses, sensitivities
from descent.causal.unrolled import unrolled

__all__ = ["Network", "comp", "op", "responses", "sensitivities", "unrolled"]
