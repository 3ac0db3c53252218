"""What blood carries: a scalar, well mixed in every node of a network and moved by its flows.

Upwind and implicit in time: a mixture lies between what was there and what came, whatever the step.
"""

from __future__ import annotations

from isosoma.physics.network import Graph
from isosoma.physics.program import Line

__all__ = ["carry"]


def carry(graph: Graph, scalar: str, dt: str) -> tuple[Line, ...]:
    """Return lines that move ``{scalar}_{node}`` for `dt` (a name, [s]) with the flows q_EDGE."""
    lines, moved = list[Line](), list[Line]()
    for node in graph.nodes:
        terms = [(f"max(q_{e.name}, 0.0)", e.up) for e in graph.edges if e.down == node.name]
        terms += [(f"max(-q_{e.name}, 0.0)", e.down) for e in graph.edges if e.up == node.name]
        own, new = f"{scalar}_{node.name}", f"{scalar}_{node.name}_next"
        gain = " + ".join(q for q, _ in terms)
        brought = " + ".join(f"{q} * {scalar}_{place}" for q, place in terms)
        volume = f"V_{node.name}"
        lines.append(
            f"{new} = ({volume} * {own} + {dt} * ({brought})) / ({volume} + {dt} * ({gain}))"
        )
        moved.append(f"{own} = {new}")
    return (*lines, *moved)
