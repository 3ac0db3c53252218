"""From one graph to another while blood flows: no drop and no oxygen is lost.

What both graphs have keeps its value, tones, drugs and delays with it. The blood of a chamber or
vessel that is taken out is dealt to all that stay in proportion to what they hold, as from a
reservoir, so that no pressure jumps; its oxygen goes with it. What is new begins empty, and a new
way without flow.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from isosoma.core.model import Bundle
from isosoma.organs.circulation.rows import state_units
from isosoma.physics.network import Graph

__all__ = ["transfer"]

Floats = npt.NDArray[np.float64]
_TISSUE = "ti"
_SHUT = 1e-9
"""State of a valve that has not opened yet [1]; zero would decay into denormals."""


def transfer(old: Graph, new: Graph, state: Bundle) -> dict[str, Floats]:
    """Return the state of `new`, arrays of shape (members, ...), from that of `old`.

    Volumes are conserved to rounding, and so is saturation times volume over all blood.
    """
    wanted = state_units(new)
    zero = np.zeros_like(np.asarray(state["phi"], np.float64))
    out: dict[str, Floats] = {name: np.array(state.get(name, zero), np.float64) for name in wanted}
    out |= {k: np.array(v, np.float64) for k, v in state.items() if k.startswith("ring_")}
    known = {e.name for e in old.edges}
    for edge in new.edges:
        if edge.name not in known and f"zeta_{edge.name}" in out:
            out[f"zeta_{edge.name}"] = zero + _SHUT
    return out | _dealt(old, new, out, state)


def _dealt(old: Graph, new: Graph, out: Mapping[str, Floats], state: Bundle) -> dict[str, Floats]:
    """Return volumes and saturations of the nodes after what was taken out is dealt to them."""
    before = {n.name for n in old.nodes}
    stay = [n.name for n in new.nodes if n.name in before and n.name != _TISSUE]
    gone = sorted(before - {n.name for n in new.nodes})
    fresh = [n.name for n in new.nodes if n.name not in before]
    zero = np.zeros_like(out["phi"])
    spilt = sum((np.asarray(state[f"V_{n}"]) for n in gone), zero)
    carried = sum((np.asarray(state[f"V_{n}"]) * _sat(state, n) for n in gone), zero)
    whole = sum((np.maximum(out[f"V_{n}"], 0.0) for n in stay), zero)
    mixed = sum((out[f"V_{n}"] * _sat(out, n) for n in stay), zero) / whole
    rows = {f"S_{n}": mixed for n in fresh if n != _TISSUE}
    if not gone:
        return rows
    for name in stay:
        held = out[f"V_{name}"]
        share = np.maximum(held, 0.0) / whole
        rows[f"V_{name}"] = held + share * spilt
        oxygen = held * _sat(out, name) + share * carried
        rows[f"S_{name}"] = oxygen / np.where(rows[f"V_{name}"] > 0.0, rows[f"V_{name}"], 1.0)
    return rows


def _sat(state: Bundle, node: str) -> Floats:
    """Return the saturation in a node [1]; tissue carries none."""
    row = state.get(f"S_{node}")
    return np.zeros(1) if row is None else np.asarray(row, np.float64)
