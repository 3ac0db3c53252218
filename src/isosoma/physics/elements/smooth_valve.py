r"""A valve whose resistance rises smoothly from open to shut (Pfaller et al. 2022).

::

    up ──/\/\/──(L)──|~>|──► down     L dq/dt = dp - R q - x,   x = q R_v(x)
    R_v(x) = R_open + (R_shut - R_open) (1 - tanh(k x)) / 2,    x the drop over the valve alone

The drop x of a step obeys x / R_v(x) = (b - x) / r with r = R + L / h + R_fill and
b = dp + L q / h. Its left side rises, its right side falls: one root between 0 and b, found from
the last step's by three steps of Newton held inside. `R_fill` as in `diode`.
"""

from __future__ import annotations

from isosoma.physics.elementary import exp_moderate
from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["SMOOTH_VALVE", "smooth_valve"]


def shut_share(y: float) -> float:
    """Return (1 - tanh y) / 2 [1], the share of being shut."""
    e = exp_moderate(-abs(y))
    e2 = e * e
    return e2 / (1.0 + e2) if y > 0.0 else 1.0 / (1.0 + e2)


def nearer(x: float, b: float, r: float, opened: float, more: float, k: float) -> float:
    """Return the drop [Pa] after one step of Newton from `x`, held between 0 and `b`."""
    share = shut_share(k * x)
    own = opened + more * share
    slope = (1.0 + 2.0 * k * x * more * share * (1.0 - share) / own) / own
    moved = x - (x / own - (b - x) / r) / (slope + 1.0 / r)
    return min(max(moved, min(b, 0.0)), max(b, 0.0))


def smooth_valve(
    dp: float, q: float, x: float, opened: float, more: float, k: float, knee: float, r: float,
    fill: float, mass: float,
) -> tuple[float, float]:  # fmt: skip
    """Return flow [m3/s] and drop over the valve [Pa] after a step at pressure drop `dp` [Pa].

    `x` is the drop of the step before; the root does not need it.
    """
    b = mass * q + dp
    whole = r + fill + mass
    start = min(max(b * opened / (whole + opened), knee), b) if b > 0.0 else b
    first = nearer(start, b, whole, opened, more, k)
    second = nearer(first, b, whole, opened, more, k)
    own = opened + more * shut_share(k * second)
    flow = b / (whole + own)
    return flow, flow * own


SMOOTH_VALVE = Kind(
    "smooth_valve",
    "edge",
    (
        Symbol("R_open", "Pa.s/m3", "resistance of the open valve"),
        Symbol("R_shut", "Pa.s/m3", "resistance of the shut valve"),
        Symbol("k", "Pa-1", "steepness of the change between them"),
        Symbol("R", "Pa.s/m3", "resistance in series"),
        Symbol("R_fill", "Pa.s/m3", "resistance that a step's own filling adds"),
        Symbol("L", "Pa.s2/m3", "inertance in series"),
    ),
    smooth_valve,
    ("R_open", "more", "k", "knee", "R", "R_fill", "mass"),
    {
        "more": "R_shut - R_open",
        "knee": "0.5 * np.log(R_shut / R_open) / k",
        "mass": "L / h",
    },
    (Symbol("q", "m3/s", "flow"), Symbol("x", "Pa", "pressure drop over the valve")),
)
