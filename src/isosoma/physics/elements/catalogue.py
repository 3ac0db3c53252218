"""All kinds of elements by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from isosoma.physics.elements.chamber import ATRIUM, VENTRICLE
from isosoma.physics.elements.compliance import ELASTIC, VEIN
from isosoma.physics.elements.diode import DIODE
from isosoma.physics.elements.inertance import INERTANCE
from isosoma.physics.elements.kind import Kind
from isosoma.physics.elements.orifice import ORIFICE
from isosoma.physics.elements.resistance import CONDUCTANCE, RESISTANCE
from isosoma.physics.elements.smooth_valve import SMOOTH_VALVE
from isosoma.physics.elements.source import SOURCE
from isosoma.physics.elements.stenosis import STENOSIS
from isosoma.physics.elements.tube import TUBE
from isosoma.physics.elements.valve import VALVE

__all__ = ["KINDS"]

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            ELASTIC, VEIN, VENTRICLE, ATRIUM, SOURCE,
            VALVE, ORIFICE, RESISTANCE, CONDUCTANCE, INERTANCE, TUBE,
            DIODE, SMOOTH_VALVE, STENOSIS,
        )
    }
)  # fmt: skip
