"""The 28-state reference circulation: the engine's elements in the smallest whole body.

::

    LV -AV-> aorta -R,L-> arteries -Rs-> veins -R-> RA -TV-> RV
    RV -PV-> pulmonary artery -R,L-> capillaries -R-> pulmonary veins -R-> LA -MV-> LV
    shunts, where asked for: LV -> RV (VSD), LA -> RA (ASD), aorta -> pulmonary artery (PDA)

Four double-Hill chambers, four valves with inertia and opening states, and Ursino's baroreflex with
its beds lumped and without delays. Its numbers are un-tuned: it checks code and measures speed, and
is no patient. It has no refill from tissue and no reserve in collapsing veins, so that its answer
to losing a litre or more is too steep; `Circulation` is the model to use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import ModelError
from isosoma.core.units import to_si
from isosoma.organs.circulation.reflex import carotid, sympathetic, vagal
from isosoma.physics.activation import ATRIAL, VENTRICULAR, hill_lines
from isosoma.physics.elementary import log_moderate
from isosoma.physics.network import Edge, Graph, Node, prepare, stage, states_of, with_edge
from isosoma.physics.program import Call, Delay, Program, Stage

__all__ = ["PRINTED", "SHUNTS", "START", "STEP", "graph28", "program28", "start28"]

Floats = npt.NDArray[np.float64]

STEP = 1e-3
"""Of the network [s]; the reflex runs every tenth."""
REFLEX = 10

SHUNTS = {"vsd": ("lv", "rv"), "asd": ("la", "ra"), "pda": ("ao", "pa")}
"""Name: the chambers or vessels that a hole joins."""

_P, _V, _E, _C = "mm[Hg]", "mL", "mm[Hg]/mL", "mL/mm[Hg]"
_R, _L, _K = "mm[Hg].s/mL", "mm[Hg].s2/mL", "mm[Hg]-1.s-1"

PRINTED: Mapping[str, tuple[float, str]] = {
    "T0": (0.58, "s"),
    "Elv0": (2.1, _E), "Erv0": (0.45, _E), "Ela_a": (0.22, _E), "Ela_b": (0.13, _E),
    "Era_a": (0.12, _E), "Era_b": (0.075, _E),
    "V0lv": (10.0, _V), "V0rv": (25.0, _V), "V0la": (10.0, _V), "V0ra": (10.0, _V),
    "P0lv": (1.15, _P), "klv": (0.0165, "mL-1"), "P0rv": (0.7, _P), "krv": (0.0125, "mL-1"),
    "a_shift": (0.8, "1"),
    "A_mv": (4.5, "cm2"), "A_av": (3.4, "cm2"), "A_tv": (5.5, "cm2"), "A_pv": (3.6, "cm2"),
    "rg_mv": (0.0, "cm2"), "rg_av": (0.0, "cm2"), "rg_tv": (0.0, "cm2"), "rg_pv": (0.0, "cm2"),
    "l_mv": (2.0, "cm"), "l_av": (1.5, "cm"), "l_tv": (2.0, "cm"), "l_pv": (1.5, "cm"),
    "Ko_mv": (39.9966, _K), "Kc_mv": (53.3288, _K), "Ko_av": (15.99864, _K),
    "Kc_av": (15.99864, _K), "Ko_tv": (39.9966, _K), "Kc_tv": (53.3288, _K),
    "Ko_pv": (26.6644, _K), "Kc_pv": (26.6644, _K),
    "C_ao": (0.45, _C), "R_ao": (0.035, _R), "L_ao": (0.0011, _L), "C_sa": (1.0, _C),
    "Rs0": (0.50, _R), "C_sv": (70.0, _C), "Vu0": (2350.0, _V), "R_sv": (0.045, _R),
    "C_pa": (2.2, _C), "R_pa": (0.012, _R), "L_pa": (0.0004, _L), "C_pc": (3.0, _C),
    "R_pc": (0.055, _R), "C_pv": (14.0, _C), "Vu_pv": (90.0, _V), "R_pv": (0.012, _R),
    "Pn": (92.0, _P), "ka": (11.758, _P), "fmin": (2.52, "Hz"), "fmax": (47.78, "Hz"),
    "tauP": (2.076, "s"), "fes_inf": (2.1, "Hz"), "fes_0": (16.11, "Hz"), "fes_min": (2.66, "Hz"),
    "kes": (0.0675, "s"), "fev0": (3.2, "Hz"), "fev_inf": (6.3, "Hz"), "fcs0": (25.0, "Hz"),
    "kev": (7.06, "Hz"),
    "G_Elv": (0.475, _E), "G_Erv": (0.10, _E), "G_R": (0.53, _R), "G_Vu": (-398.0, _V),
    "G_Ts": (-0.13, "s"), "G_Tv": (0.09, "s2"),
    "tE": (8.0, "s"), "tR": (6.0, "s"), "tVu": (20.0, "s"), "tTs": (2.0, "s"), "tTv": (1.5, "s"),
}  # fmt: skip
"""Name: value and unit, as the reference set prints them; un-tuned, own (unverified)."""

START: Mapping[str, tuple[float, str]] = {
    "V_la": (60.0, _V), "V_lv": (130.0, _V), "V_ra": (60.0, _V), "V_rv": (140.0, _V),
    "p_ao": (85.0, _P), "p_sa": (84.0, _P), "V_sv": (2480.0, _V), "p_pa": (15.0, _P),
    "p_pc": (12.0, _P), "V_pv": (190.0, _V), "felt": (92.0, _P),
    "dElv": (0.522708022, _E), "dErv": (0.110043794, _E), "dRs": (0.583232109, _R),
    "dVu": (-437.97430083, _V), "dTs": (-0.143056932, "s"), "dTv": (0.428981885, "s"),
}  # fmt: skip
"""The beginning: efferents where they rest at a felt pressure of 92 mmHg; all else 0."""

_FIXED = {"rho": 1060.0, "A_shut": 2e-6, "Cd": 0.8, "l_shunt": 1e-5}
_EFFERENTS = ("dElv", "dErv", "dRs", "dVu", "dTs", "dTv")
_HELD = ("E_lv", "E_rv", "G_s", "Vu_sv", "per_T", "per_tauP")


def _chambers() -> tuple[Node, ...]:
    def atrium(side: str) -> Node:
        bind = {"E_b": f"E{side}_b", "E_a": f"E{side}_a", "V0": f"V0{side}"}
        return Node(side, "atrium", bind, (), "e_a")

    def ventricle(side: str) -> Node:
        bind = {"E": f"E_{side}", "V0": f"V0{side}", "P0": f"P0{side}", "k": f"k{side}"}
        return Node(side, "ventricle", bind, (), "e_v")

    return atrium("la"), ventricle("lv"), atrium("ra"), ventricle("rv")


def _valve(name: str, up: str, down: str) -> Edge:
    own = {"A_max": f"A_{name}", "A_min": f"rg_{name}", "l": f"l_{name}"}
    rates = {"Kvo": f"Ko_{name}", "Kvc": f"Kc_{name}", "rho": "rho", "A_shut": "A_shut"}
    return Edge(f"valve_{name}", "valve", up, down, own | rates)


def graph28(shunts: Sequence[str] = ()) -> Graph:
    """Return the graph, with some of `SHUNTS`.

    Raises
    ------
    ModelError
        A shunt that is none.
    """
    unstressed = {"sv": "Vu_sv", "pv": "Vu_pv"}
    vessels = tuple(
        Node(n, "elastic", {"C": f"C_{n}", "V_u": unstressed.get(n, 0.0)})
        for n in ("ao", "sa", "sv", "pa", "pc", "pv")
    )
    edges = (
        _valve("mv", "la", "lv"), _valve("av", "lv", "ao"), _valve("tv", "ra", "rv"),
        _valve("pv", "rv", "pa"),
        Edge("aorta", "inertance", "ao", "sa", {"R": "R_ao", "L": "L_ao"}),
        Edge("systemic", "conductance", "sa", "sv", {"G": "G_s"}),
        Edge("venous", "resistance", "sv", "ra", {"R": "R_sv"}),
        Edge("pulmonary", "inertance", "pa", "pc", {"R": "R_pa", "L": "L_pa"}),
        Edge("capillary", "resistance", "pc", "pv", {"R": "R_pc"}),
        Edge("return_", "resistance", "pv", "la", {"R": "R_pv"}),
    )  # fmt: skip
    graph = Graph("reference28", (*_chambers(), *vessels), edges)
    for name in shunts:
        if name not in SHUNTS:
            raise ModelError(f"{name!r} is no shunt", todo=f"There are {', '.join(SHUNTS)}")
        bind = {"A": f"A_{name}", "Cd": "Cd", "l": "l_shunt", "rho": "rho", "A_shut": "A_shut"}
        graph = with_edge(graph, Edge(name, "orifice", *SHUNTS[name], bind))
    return graph


def effort(firing: float, least: float) -> float:
    """Return ln(f - f_min + 1) of sympathetic firing [Hz]; 0 below f_min."""
    return log_moderate(max(firing - least, 0.0) + 1.0)


def _reflex() -> Stage:
    drives = (
        Call(carotid, ("felt", "Pn", "ka", "fmin", "fmax"), ("f_cs",)),
        Call(sympathetic, ("f_cs", "0.0 * f_cs", "fes_inf", "fes_0", "kes", "fes_0"), ("f_es",)),
        Call(vagal, ("f_cs", "fev0", "fev_inf", "fcs0", "kev"), ("f_ev",)),
        Call(effort, ("f_es", "fes_min"), ("tone",)),
    )
    lags = {"dElv": "tE", "dErv": "tE", "dRs": "tR", "dVu": "tVu", "dTs": "tTs", "dTv": "tTv"}
    gains = {"dElv": "G_Elv", "dErv": "G_Erv", "dRs": "G_R", "dVu": "G_Vu", "dTs": "G_Ts"}
    moved = tuple(
        f"{x} = {x} + {REFLEX}.0 * h * ({gains.get(x, 'G_Tv')} * "
        f"{'f_ev' if x == 'dTv' else 'tone'} - {x}) / {lag}"
        for x, lag in lags.items()
    )
    return Stage("reflex", REFLEX, (*drives, *moved))


@lru_cache(maxsize=8)
def program28(shunts: tuple[str, ...] = (), kept: tuple[str, ...] = ()) -> Program:
    """Return the program of the reference circulation.

    Parameters
    ----------
    shunts : names of `SHUNTS` in the graph; each has an area ``A_NAME`` [m2].
    kept : rows whose last values lie in rings of `window` [s], a row.
    """
    graph = graph28(shunts)
    lines, prepared = prepare(graph)
    held = (
        "E_lv = Elv0 + dElv", "E_rv = Erv0 + dErv", "G_s = 1.0 / (Rs0 + dRs)",
        "Vu_sv = Vu0 + dVu", "per_T = 1.0 / (T0 + dTs + dTv)",
    )  # fmt: skip
    before = (
        "x_a = phi - a_shift",
        "x_a = x_a + 1.0 if x_a < 0.0 else x_a",
        *hill_lines(VENTRICULAR, "e_v", f"phi * {1.0 / VENTRICULAR.tau2!r}"),
        *hill_lines(ATRIAL, "e_a", f"x_a * {1.0 / ATRIAL.tau2!r}"),
    )
    after = (
        "felt = felt + h * (p_ao - felt) * per_tauP",
        "phi = phi + h * per_T",
        "phi = phi - 1.0 if phi >= 1.0 else phi",
    )
    stages = (
        Stage("prepare", 0, (*lines, "per_tauP = 1.0 / tauP")),
        Stage("held", REFLEX, held), stage(graph, before, (), after), _reflex(),
    )  # fmt: skip
    areas = tuple(f"A_{name}" for name in shunts)
    rows = dict.fromkeys((
        *states_of(graph), "phi", "felt", *_EFFERENTS, *_HELD, *prepared, *PRINTED, *_FIXED,
        *areas, "window", *kept,
    ))  # fmt: skip
    delays = tuple(Delay(row, f"kept_{row}", "window", "network") for row in kept)
    return Program("reference28", tuple(rows), stages, delays)


def start28(program: Program, changes: Sequence[Mapping[str, float]] = ({},)) -> dict[str, Floats]:
    """Return the rows of one member for each of `changes`, at the beginning.

    Parameters
    ----------
    changes : for each member, values in place of `PRINTED` and `START`, in the units printed
        there; ``A_vsd`` and its like in cm2.

    Raises
    ------
    ModelError
        A change of what is neither.
    """
    units = {k: u for k, (_, u) in (*PRINTED.items(), *START.items())}
    units |= {f"A_{name}": "cm2" for name in SHUNTS}
    for name in {k for change in changes for k in change}:
        if name not in units:
            raise ModelError(f"{name!r} is no parameter of the reference set", todo="See PRINTED")
    members = len(changes)
    out = {row: np.zeros(members) for row in program.rows}
    out |= {k: np.full(members, v) for k, v in _FIXED.items()}
    printed = {k: v for k, (v, _) in (*PRINTED.items(), *START.items())}
    for name, unit in units.items():
        values = [to_si(float(c.get(name, printed.get(name, 0.0))), unit) for c in changes]
        out[name] = np.array(values)
    for vessel in ("ao", "sa", "pa", "pc"):
        out[f"V_{vessel}"] = out.pop(f"p_{vessel}") * out[f"C_{vessel}"]
    return {row: out.get(row, np.zeros(members)) for row in program.rows}
