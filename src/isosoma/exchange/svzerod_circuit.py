"""A svZeroDSolver input as a circuit: points of one pressure, parts between them, stores on them.

::

    BloodVessel      in ──R,S──┬──L── out        BloodVesselCRL / RC   in ┬──R,S,L── out
                               C                                          C
    RCR              in ──Rp──┬──Rd── Pd         CORONARY   in ──Ra──┬──Ram──┬──Rv── Pv
                              C                                      Ca      Cim (to Pim)
    chamber          in ┬──L── out               valve      up ──|>── down
                        V

Points joined without anything between are one. Names of points are (block, end) pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from isosoma.core.errors import FormatError, InputError, RangeError
from isosoma.exchange.svzerod_document import Block, Document, Heart, Series

__all__ = ["HEART", "READ", "Circuit", "Part", "Point", "Store", "circuit_of"]

Point = tuple[str, str]
HEART = "CLH"
"""The block name svZeroDSolver gives the closed-loop heart."""
INFINITE = float("inf")


@dataclass(frozen=True, slots=True)
class Part:
    """What lies between two points: a resistance, loss, inertance, or a valve with its own.

    Attributes
    ----------
    valve : "" for none, diode or smooth.
    opened, shut, steep : of a valve, its resistances and the steepness between them.
    """

    name: str
    up: Point
    down: Point
    resistance: float = 0.0
    stenosis: float = 0.0
    inertance: float = 0.0
    valve: str = ""
    opened: float = 0.0
    shut: float = 0.0
    steep: float = 0.0


@dataclass(frozen=True, slots=True)
class Store:
    """What holds blood at a point: an elastic wall or a chamber.

    Attributes
    ----------
    kind : elastic, atrium or ventricle, as elements are called.
    values : the element's symbols; V_d and V_s where the volume at rest moves with activation.
    active : kind of activation and its numbers; around: table of the pressure around, or the
        point and factor of the pressure that acts around it.
    start : names of results that may give its first volume or pressure, by preference.
    """

    kind: str
    values: Mapping[str, float]
    active: tuple[str, Mapping[str, float]] | None = None
    around: Series | tuple[Point, float] | float = 0.0
    start: tuple[str, ...] = ()


@dataclass(slots=True)
class Circuit:
    """Parts, stores and sources by point; `joined` lists pairs of points that are one.

    Attributes
    ----------
    pressures, flows : tables of given pressure and of given flow into a point.
    connections : (block, block) pairs, in order, whose pressure and flow are results.
    ends : of each block, the parts that carry its inflow and its outflow, where it has one.
    through : blocks, junctions too, whose inflows equal their outflows at all times.
    physical : whether blood leaves a lung (BloodVesselRC, closed-loop heart) as its pressures say.
        svZeroDSolver passes on what enters it instead, and keeps its pressure apart.
    spilled : parts of lungs whose outflow is replaced by their inflow.
    """

    parts: list[Part] = field(default_factory=list[Part])
    stores: list[tuple[Point, Store]] = field(default_factory=list[tuple[Point, Store]])
    pressures: dict[Point, Series | float] = field(default_factory=dict[Point, Series | float])
    flows: dict[Point, Series | float] = field(default_factory=dict[Point, Series | float])
    joined: list[tuple[Point, Point]] = field(default_factory=list[tuple[Point, Point]])
    connections: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    ends: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    through: set[str] = field(default_factory=set[str])
    spilled: list[str] = field(default_factory=list[str])
    physical: bool = False
    heart: Heart | None = None


def circuit_of(document: Document, *, physical: bool = False) -> Circuit:
    """Return the circuit of an input; `physical` as in `Circuit`.

    Raises
    ------
    InputError
        A kind that is not covered, a block that leads nowhere or to what does not exist, two
        blocks at one end.
    """
    circuit = Circuit(heart=document.heart, physical=physical)
    if document.heart is not None:
        _heart(circuit, document.heart)
    for block in document.blocks.values():
        if block.kind not in KINDS.get(block.family, {}):
            covered = ", ".join(KINDS[block.family])
            raise InputError(f"type {block.kind!r} is not covered", _place(block),
                             f"Covered are {covered}")  # fmt: skip
        KINDS[block.family][block.kind](circuit, block)
    for junction in document.junctions:
        circuit.joined.append(((junction.name, "in"), (junction.name, "out")))
        circuit.through.add(junction.name)
    _connect(circuit, document)
    return circuit


def _place(block: Block) -> str:
    return f"{block.family.removesuffix('s').replace('_', ' ')} {block.name}"


def value(block: Block, key: str, default: float | None = None, least: float = 0.0) -> float:
    """Return a number of a block, at or above `least`; `default` where it is not given."""
    if key in block.series:
        raise InputError(f"{key!r} changes over the cycle, which is not covered", _place(block),
                         "Give one number")  # fmt: skip
    if key not in block.values:
        if default is None:
            raise FormatError(f"{key!r} is missing", _place(block), f"Give {key!r}")
        return default
    return _at_least(block.values[key], key, least, _place(block))


def _at_least(given: float, key: str, least: float, where: str) -> float:
    if given < least:
        raise RangeError(f"{key!r} is {given:g}", where, f"Give {least:g} or more")
    return given


def _above(block: Block, key: str) -> float:
    found = value(block, key)
    if found <= 0.0:
        raise RangeError(f"{key!r} is {found:g}", _place(block), "Give a number above 0")
    return found


def _table(block: Block, key: str) -> Series | float:
    if key in block.series:
        return block.series[key]
    return value(block, key, least=-INFINITE)


def _part(circuit: Circuit, part: Part) -> str:
    """Add a part, or join its ends where there is nothing between; return its name if added."""
    if part.valve or part.resistance or part.stenosis or part.inertance:
        circuit.parts.append(part)
        return part.name
    circuit.joined.append((part.up, part.down))
    return ""


def _hold(circuit: Circuit, point: Point, compliance: float, **more: object) -> None:
    if compliance > 0.0:
        store = Store("elastic", {"C": compliance}, **more)  # type: ignore[arg-type]
        circuit.stores.append((point, store))


def _ends(circuit: Circuit, name: str, first: str, last: str) -> None:
    circuit.ends |= {(name, "in"): first} if first else {}
    circuit.ends |= {(name, "out"): last} if last else {}


def _vessel(circuit: Circuit, block: Block) -> None:
    """Resistance and loss, then compliance, then inertance."""
    name = block.name
    inlet, middle, outlet = ((name, end) for end in ("in", "mid", "out"))
    c = value(block, "C", 0.0)
    r, s = value(block, "R_poiseuille", 0.0), value(block, "stenosis_coefficient", 0.0)
    first = _part(circuit, Part(f"{name}", inlet, middle, r, s))
    last = _part(circuit, Part(f"{name}_L", middle, outlet, inertance=value(block, "L", 0.0)))
    _hold(circuit, middle, c, start=(f"into:{name}",))
    if c == 0.0:
        first, last = first or last, last or first
        circuit.through.add(name)
    _ends(circuit, name, first, last)


def _vessel_crl(circuit: Circuit, block: Block) -> None:
    """Compliance, then resistance, loss and inertance."""
    _compliant_inlet(circuit, block, "C", "R_poiseuille")


def _vessel_rc(circuit: Circuit, block: Block) -> None:
    """Compliance, then resistance; but what enters leaves, unless `physical`."""
    _compliant_inlet(circuit, block, "Cp", "Rpd")
    if not circuit.physical and _above(block, "Cp") and _above(block, "Rpd"):
        circuit.spilled.append(block.name)
        circuit.through.add(block.name)
        del circuit.ends[block.name, "out"]


def _compliant_inlet(circuit: Circuit, block: Block, c_key: str, r_key: str) -> None:
    name = block.name
    r, c = value(block, r_key, 0.0), value(block, c_key, 0.0)
    s, inertance = value(block, "stenosis_coefficient", 0.0), value(block, "L", 0.0)
    only = _part(circuit, Part(name, (name, "in"), (name, "out"), r, s, inertance))
    _hold(circuit, (name, "in"), c, start=(f"at:{name}",))
    if c == 0.0:
        circuit.through.add(name)
    _ends(circuit, name, only if c == 0.0 else "", only)


def _chamber(
    circuit: Circuit, block: Block, kind: str, values: Mapping[str, float], inertance: float
) -> None:
    name = block.name
    active = (block.activation, block.values)
    circuit.stores.append(((name, "in"), Store(kind, values, active, 0.0, (f"Vc:{name}",))))
    outlet = Part(f"{name}_L", (name, "in"), (name, "out"), inertance=inertance)
    _ends(circuit, name, "", _part(circuit, outlet))


def _linear(circuit: Circuit, block: Block) -> None:
    values = {"E_b": value(block, "Epass"), "E_a": value(block, "Emax")}
    _chamber(circuit, block, "atrium", values | {"V0": value(block, "Vrest")}, 0.0)


def _inductor(circuit: Circuit, block: Block) -> None:
    low, high = value(block, "Emin"), value(block, "Emax")
    rest = {"V_d": value(block, "Vrd"), "V_s": value(block, "Vrs")}
    values = {"E_b": low, "E_a": high - low} | rest
    _chamber(circuit, block, "atrium", values, value(block, "Impedance"))


def _exponential(circuit: Circuit, block: Block) -> None:
    names = {"E": "Emax", "V0": "Vaso", "P0": "Kxp", "k": "Kxv"}
    values = {symbol: value(block, key) for symbol, key in names.items()}
    _chamber(circuit, block, "ventricle", values, value(block, "Impedance"))


def _valve(circuit: Circuit, block: Block, kind: str, steep: float) -> None:
    name = block.name
    low, high = value(block, "Rmin"), _above(block, "Rmax")
    part = Part(name, (name, "in"), (name, "out"), valve=kind, opened=low, shut=high, steep=steep)
    circuit.parts.append(part)
    _ends(circuit, name, name, name)
    circuit.through.add(name)


def _piecewise(circuit: Circuit, block: Block) -> None:
    _valve(circuit, block, "diode", 0.0)


def _tanh(circuit: Circuit, block: Block) -> None:
    _valve(circuit, block, "smooth", _above(block, "Steepness"))


def _flow(circuit: Circuit, block: Block) -> None:
    circuit.flows[block.name, "out"] = _table(block, "Q")
    circuit.joined.append(((block.name, "in"), (block.name, "out")))


def _pressure(circuit: Circuit, block: Block) -> None:
    circuit.pressures[block.name, "out"] = _table(block, "P")
    circuit.joined.append(((block.name, "in"), (block.name, "out")))


def _resistance(circuit: Circuit, block: Block) -> None:
    name = block.name
    circuit.pressures[name, "far"] = _table(block, "Pd")
    only = _part(circuit, Part(name, (name, "in"), (name, "far"), value(block, "R")))
    _ends(circuit, name, only, only)
    circuit.joined.append(((name, "in"), (name, "out")))


def _windkessel(circuit: Circuit, block: Block, far: Point) -> None:
    name = block.name
    near, middle = (name, "in"), (name, "mid")
    first = _part(circuit, Part(name, near, middle, value(block, "Rp")))
    last = _part(circuit, Part(f"{name}_Rd", middle, far, _above(block, "Rd")))
    _hold(circuit, middle, value(block, "C"), start=(f"P_c:{name}",))
    _ends(circuit, name, first, last)


def _rcr(circuit: Circuit, block: Block) -> None:
    circuit.pressures[block.name, "far"] = _table(block, "Pd")
    _windkessel(circuit, block, (block.name, "far"))


def _heart_of(circuit: Circuit, block: Block) -> Heart:
    if circuit.heart is None:
        raise InputError("there is no heart to drain into", _place(block),
                         "Give 'closed_loop_blocks', or use an open boundary")  # fmt: skip
    return circuit.heart


def _closed_rcr(circuit: Circuit, block: Block) -> None:
    _heart_of(circuit, block)
    if value(block, "closed_loop_outlet", 0.0) != 1.0:
        raise InputError("'closed_loop_outlet' is not true: it would drain nowhere",
                         _place(block), "Set it to true, or use an RCR")  # fmt: skip
    _windkessel(circuit, block, (HEART, "RA"))


def _coronary_bed(
    circuit: Circuit, block: Block, keys: tuple[str, ...], far: Point,
    around: Series | tuple[Point, float] | float,
) -> None:  # fmt: skip
    """Arteries, the bed within the muscle, veins."""
    name = block.name
    points = [(name, "in"), (name, "artery"), (name, "muscle"), far]
    pieces = zip(keys[:3], points, points[1:], strict=False)
    made = [
        _part(circuit, Part(f"{name}_{key}", up, down, _above(block, key)))
        for key, up, down in pieces
    ]
    _hold(circuit, points[1], value(block, keys[3]))
    _hold(circuit, points[2], value(block, keys[4]), around=around)
    _ends(circuit, name, made[0], made[-1])


def _coronary(circuit: Circuit, block: Block) -> None:
    far = (block.name, "far")
    circuit.pressures[far] = _table(block, "P_v")
    keys = ("Ra1", "Ra2", "Rv1", "Ca", "Cc")
    _coronary_bed(circuit, block, keys, far, _table(block, "Pim"))


def _closed_coronary(circuit: Circuit, block: Block) -> None:
    side, key = ("LV", "iml") if block.kind.endswith("Left") else ("RV", "imr")
    given = _heart_of(circuit, block).values
    if key not in given:
        raise FormatError(f"{key!r} is missing", "closed_loop_blocks[0]", f"Give {key!r}")
    around = ((HEART, side), given[key])
    keys = ("Ra", "Ram", "Rv", "Ca", "Cim")
    _coronary_bed(circuit, block, keys, (HEART, "RA"), around)


Builder = Callable[[Circuit, Block], None]
KINDS: Mapping[str, Mapping[str, Builder]] = {
    "vessels": {
        "BloodVessel": _vessel, "BloodVesselCRL": _vessel_crl, "BloodVesselRC": _vessel_rc,
    },
    "chambers": {
        "LinearElastanceChamber": _linear, "ChamberElastanceInductor": _inductor,
        "ChamberElastanceInductorExponential": _exponential,
    },
    "valves": {"PiecewiseValve": _piecewise, "ValveTanh": _tanh},
    "boundary_conditions": {
        "FLOW": _flow, "PRESSURE": _pressure, "RESISTANCE": _resistance, "RCR": _rcr,
        "CORONARY": _coronary, "ClosedLoopRCR": _closed_rcr,
        "ClosedLoopCoronaryLeft": _closed_coronary, "ClosedLoopCoronaryRight": _closed_coronary,
    },
}  # fmt: skip
"""What is covered, by family and by the file's own name of the type."""


_VESSEL = frozenset(("R_poiseuille", "C", "L", "stenosis_coefficient"))
_BED = frozenset(("Ra", "Ram", "Rv", "Ca", "Cim"))
READ: Mapping[str, frozenset[str]] = {
    "BloodVessel": _VESSEL, "BloodVesselCRL": _VESSEL,
    "BloodVesselRC": frozenset(("Rpd", "Cp", "L", "stenosis_coefficient")),
    "LinearElastanceChamber": frozenset(("Emax", "Epass", "Vrest")),
    "ChamberElastanceInductor": frozenset(("Emax", "Emin", "Vrd", "Vrs", "Impedance")),
    "ChamberElastanceInductorExponential": frozenset(("Emax", "Impedance", "Kxp", "Kxv", "Vaso")),
    "PiecewiseValve": frozenset(("Rmin", "Rmax")),
    "ValveTanh": frozenset(("Rmin", "Rmax", "Steepness")),
    "FLOW": frozenset("Q"), "PRESSURE": frozenset("P"), "RESISTANCE": frozenset(("R", "Pd")),
    "RCR": frozenset(("Rp", "C", "Rd", "Pd")),
    "CORONARY": frozenset(("Ra1", "Ra2", "Rv1", "Ca", "Cc", "Pim", "P_v")),
    "ClosedLoopRCR": frozenset(("Rp", "C", "Rd", "closed_loop_outlet")),
    "ClosedLoopCoronaryLeft": _BED, "ClosedLoopCoronaryRight": _BED,
}  # fmt: skip
"""What is read of each type; anything else has no effect and is told."""


def _heart(circuit: Circuit, heart: Heart) -> None:
    """Four chambers, a lung and the aortic root of a closed-loop heart."""

    def given(key: str) -> float:
        if key not in heart.values:
            raise FormatError(f"{key!r} is missing", "closed_loop_blocks[0]", f"Give {key!r}")
        return _at_least(heart.values[key], key, 0.0, "closed_loop_blocks[0]")

    shape = {k: given(k) for k in ("Tsa", "tpwave")}
    for side in ("la", "ra"):
        names = {"E": "Emax", "V0": "Vaso", "P0": "Kxp", "k": "Kxv"}
        values = {symbol: given(f"{key}_{side}") for symbol, key in names.items()}
        name = side.upper()
        store = Store("ventricle", values, ("wrapping_cosine", shape), 0.0, (f"V_{name}:{HEART}",))
        circuit.stores.append(((HEART, name), store))
    for side in ("lv", "rv"):
        name = side.upper()
        values = {"E_b": 0.0, "E_a": given(f"E{side}_s"), "V0": given(f"V{side}_u")}
        store = Store("atrium", values, ("elastance", {}), 0.0, (f"V_{name}:{HEART}",))
        circuit.stores.append(((HEART, name), store))
    _hold(circuit, (HEART, "pul"), given("Cp"), start=(f"P_pul:{HEART}",))
    _hold(circuit, (HEART, "out"), given("Cpa"), start=(f"at:{HEART}",))
    _heart_parts(circuit, given)


def _heart_parts(circuit: Circuit, given: Callable[[str], float]) -> None:
    valves = (
        ("RA", "RV", "Rra_v", "Lra_v"), ("RV", "pul", "Rrv_a", "Lrv_a"),
        ("LA", "LV", "Rla_v", "Lla_v"), ("LV", "out", "Rlv_ao", "Llv_a"),
    )  # fmt: skip
    for up, down, r, inertance in valves:
        part = Part(f"{HEART}_{up}", (HEART, up), (HEART, down), 0.0, 0.0, given(inertance),
                    "diode", given(r), INFINITE)  # fmt: skip
        circuit.parts.append(part)
    lung = Part(f"{HEART}_lung", (HEART, "pul"), (HEART, "LA"), given("Rpd"))
    circuit.parts.append(lung)
    if not circuit.physical:
        circuit.spilled.append(lung.name)


def _connect(circuit: Circuit, document: Document) -> None:
    """Join the ends of blocks as junctions, valves, vessels and the heart say."""
    known = set(document.blocks) | {j.name for j in document.junctions} | {HEART}
    pairs = dict.fromkeys(_pairs(document))  # two valves in a row name each other
    seen = dict[Point, str]()
    junctions = {j.name for j in document.junctions} | {HEART}
    for up, down in pairs:
        for name, other in ((up, down), (down, up)):
            if name not in known:
                raise InputError(f"{other} leads to {name!r}, which is not there", other,
                                 "Name a block that exists")  # fmt: skip
        for end, other in (((up, "out"), down), ((down, "in"), up)):
            if end in seen and end[0] not in junctions:
                raise InputError(f"{seen[end]} and {other} both meet one end of it", end[0],
                                 "Join more than two blocks by a junction")  # fmt: skip
            seen[end] = other
        circuit.connections.append((up, down))
        circuit.joined.append(((up, "out"), (down, "in")))
    _check_ends(document, seen)


def _pairs(document: Document) -> Iterable[tuple[str, str]]:
    for block in document.blocks.values():
        if block.up:
            yield block.up, block.name
        if block.down:
            yield block.name, block.down
    for junction in document.junctions:
        yield from ((name, junction.name) for name in junction.inlets)
        yield from ((junction.name, name) for name in junction.outlets)
    if document.heart is not None:
        yield from ((HEART, name) for name in document.heart.outlets)


def _check_ends(document: Document, seen: Mapping[Point, str]) -> None:
    """Refuse ends of blocks that meet nothing."""
    for block in document.blocks.values():
        met = [end for end in ("in", "out") if (block.name, end) in seen]
        if block.family == "boundary_conditions":
            if not met:
                raise InputError("no block uses it", _place(block), "Use it or take it out")
        elif len(met) < 2:
            lacks = "inlet" if "out" in met else "outlet"
            raise InputError(f"its {lacks} meets nothing", _place(block),
                             "Join it to a junction, a valve or a boundary condition")  # fmt: skip
