"""The circulation as a graph, and its rewirings.

::

    la ─mitral─► lv ─aortic─► ao ─aorta─► sa ─┬─upper─► vu ─cava_superior─┐
     ▲                        └─coronary─► co ─┼──coronary_veins──────────┤
    pv ◄─lung─ pc ◄─pulmonary_artery─ pa       └─lower─► vl ─cava_inferior─┤
     └── pulmonary_veins ─► la         ▲                 └─filtration─► ti │
                                       └─pulmonary─ rv ◄─tricuspid─ ra ◄───┘

A rewiring takes a graph and gives a graph: the solver does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from isosoma.physics.network import Edge, Graph, Node, check_graph, rebound, with_edge, without

__all__ = ["REWIRINGS", "adult", "asd", "bt_shunt", "fenestration", "fontan", "glenn", "pda",
           "sano", "vsd"]  # fmt: skip

_HEART = ("thorax", "pericardium")
_PULMONARY_VEINS = {
    "C": "pulmonary_venous_compliance",
    "V_u": "pulmonary_venous_unstressed",
    "V_c": "pulmonary_venous_collapse",
}


def _valve(name: str, up: str, down: str, area: str, rates: tuple[str, str]) -> Edge:
    bind = {
        "A_max": f"{area}_area",
        "A_min": f"{area}_leak",
        "l": f"{area}_length",
        "Kvo": rates[0],
        "Kvc": rates[1],
        "rho": "blood_density",
        "A_shut": "shut_area",
    }
    return Edge(name, "valve", up, down, bind)


def _ventricle(side: str) -> Node:
    bind = {"E": f"E_{side}", "V0": f"{side}_v0", "P0": f"{side}_p0", "k": f"{side}_stiffness"}
    return Node(side, "ventricle", bind, _HEART, "e_v")


def _atrium(side: str) -> Node:
    bind = {"E_b": f"{side}_passive", "E_a": f"E_{side}", "V0": f"{side}_v0"}
    return Node(side, "atrium", bind, _HEART, "e_a")


def _elastic(name: str, c: str, unstressed: str | float = 0.0, *outside: str) -> Node:
    return Node(name, "elastic", {"C": c, "V_u": unstressed}, outside)


def adult() -> Graph:
    """Return the normal circulation after birth."""
    inlet, outlet = ("inlet_opening", "inlet_closing"), ("aortic_rate", "aortic_rate")
    nodes = (
        _atrium("la"), _ventricle("lv"), _atrium("ra"), _ventricle("rv"),
        _elastic("ao", "aortic_compliance", 0.0, "thorax"),
        _elastic("sa", "arterial_compliance"),
        Node("vu", "vein", {"C": "C_vu", "V_u": "Vu_vu", "V_c": "collapse_vu"}),
        Node("vl", "vein", {"C": "C_vl", "V_u": "Vu_vl", "V_c": "collapse_vl"}),
        _elastic("co", "coronary_compliance", "coronary_unstressed", "squeeze"),
        _elastic("pa", "pulmonary_arterial_compliance", 0.0, "thorax"),
        _elastic("pc", "pulmonary_capillary_compliance", 0.0, "thorax"),
        Node("pv", "vein", _PULMONARY_VEINS, ("thorax",)),
        _elastic("ti", "tissue_compliance", "Vu_ti"),
    )  # fmt: skip
    edges = (
        _valve("mitral", "la", "lv", "mitral", inlet),
        _valve("aortic", "lv", "ao", "aortic", outlet),
        _valve("tricuspid", "ra", "rv", "tricuspid", inlet),
        _valve("pulmonary", "rv", "pa", "pulmonary", ("pulmonary_rate", "pulmonary_rate")),
        Edge("aorta", "inertance", "ao", "sa", {"R": "R_aorta", "L": "aortic_inertance"}),
        Edge("upper", "conductance", "sa", "vu", {"G": "G_upper"}),
        Edge("lower", "conductance", "sa", "vl", {"G": "G_lower"}),
        Edge("cava_superior", "resistance", "vu", "ra", {"R": "R_vu"}),
        Edge("cava_inferior", "resistance", "vl", "ra", {"R": "R_vl"}),
        Edge("coronary", "conductance", "ao", "co", {"G": "G_coronary"}),
        Edge("coronary_veins", "resistance", "co", "ra", {"R": "coronary_venous_resistance"}),
        Edge("pulmonary_artery", "inertance", "pa", "pc",
             {"R": "pulmonary_arterial_resistance", "L": "pulmonary_arterial_inertance"}),
        Edge("lung", "resistance", "pc", "pv", {"R": "pulmonary_resistance"}),
        Edge("pulmonary_veins", "resistance", "pv", "la", {"R": "pulmonary_venous_resistance"}),
        Edge("filtration", "conductance", "vl", "ti", {"G": "capillary_conductance"}),
    )  # fmt: skip
    return check_graph(
        Graph("circulation", nodes, edges, {"vl": "blood_in", "sa": "pump_out", "ra": "pump_in"})
    )


def _hole(name: str, up: str, down: str) -> Edge:
    bind = {"A": f"{name}_area", "Cd": "discharge", "l": "hole_length", "rho": "blood_density",
            "A_shut": "shut_area"}  # fmt: skip
    return Edge(name, "orifice", up, down, bind)


def vsd(graph: Graph) -> Graph:
    """Return the graph with a hole between the ventricles, left to right."""
    return with_edge(graph, _hole("vsd", "lv", "rv"))


def asd(graph: Graph) -> Graph:
    """Return the graph with a hole between the atria, left to right."""
    return with_edge(graph, _hole("asd", "la", "ra"))


def pda(graph: Graph) -> Graph:
    """Return the graph with an open duct from aorta to pulmonary artery."""
    return with_edge(graph, _hole("pda", "ao", "pa"))


def _tube(name: str, up: str, down: str) -> Edge:
    return Edge(name, "tube", up, down, {"D": f"{name}_diameter", "l": f"{name}_length",
                "mu": "blood_viscosity", "rho": "blood_density"})  # fmt: skip


def bt_shunt(graph: Graph) -> Graph:
    """Return the graph with a modified Blalock-Taussig tube from systemic to pulmonary artery."""
    return with_edge(graph, _tube("bt_shunt", "sa", "pa"))


def sano(graph: Graph) -> Graph:
    """Return the graph with a Sano tube from the right ventricle to the pulmonary artery."""
    return with_edge(graph, _tube("sano", "rv", "pa"))


def glenn(graph: Graph) -> Graph:
    """Return the graph with the superior cava joined to the pulmonary artery."""
    return rebound(graph, "cava_superior", down="pa")


def fontan(graph: Graph) -> Graph:
    """Return the graph with both cavae joined to the pulmonary artery, without a right ventricle.

    The right atrium stays where the coronary veins end, open to the left (a common atrium).
    """
    joined = rebound(rebound(graph, "cava_superior", down="pa"), "cava_inferior", down="pa")
    alone = without(joined, "rv", "ra")
    veins = next(e for e in graph.edges if e.name == "coronary_veins")
    inflow = {k: v for k, v in graph.inflow.items() if k != "ra"} | {"pa": "pump_in"}
    drained = Edge(veins.name, veins.kind, veins.up, "la", veins.bind)
    return check_graph(Graph(alone.name, alone.nodes, (*alone.edges, drained), inflow))


def fenestration(graph: Graph) -> Graph:
    """Return a Fontan graph with a hole from the cavae's pathway to the common atrium."""
    return with_edge(graph, _hole("fenestration", "pa", "la"))


def _closing(edge: str) -> Callable[[Graph], Graph]:
    return lambda graph: without(graph, edge)


REWIRINGS: Mapping[str, Callable[[Graph], Graph]] = MappingProxyType(
    {f.__name__: f for f in (vsd, asd, pda, bt_shunt, sano, glenn, fontan, fenestration)}
    | {
        f"close_{edge}": _closing(edge)
        for edge in ("vsd", "asd", "pda", "bt_shunt", "sano", "fenestration")
    }
)
"""What may be done to the topology, by name."""
