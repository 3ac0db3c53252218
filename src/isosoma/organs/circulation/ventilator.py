"""What a ventilator and the airway do to the thorax, and to the air that reaches the alveoli.

::

    pleural pressure, breathing   as at rest, + 0.54 PEEP
    pleural pressure, apnoea      as at the end of a breath, + 0.54 PEEP
    pleural pressure, ventilated  0.54 (PEEP + dP / 3)  ±  0.54 dP / 2
    tidal volume = C dP;  alveolar ventilation = rate (tidal - dead space)

0.54: share of the airway's pressure that reaches the pleura, lung and chest wall being about
equally stiff (reference, section 1.7). Inspiration takes a third of the cycle. Compliance of
0.7 mL/cmH2O/kg under anaesthesia, dead space of 2.2 mL/kg (both unverified textbook values).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isosoma.core.units import to_si
from isosoma.organs.circulation.body import Person, inputs_of

__all__ = ["Breathing", "held"]

TRANSMITTED = 0.54
COMPLIANCE = to_si(0.7, "mL/cm[H2O]")
"""Of lung and chest wall per kg of body weight [m3/Pa per kg]."""
DEAD_SPACE = to_si(2.2, "mL")
"""Per kg of body weight [m3 per kg]."""
TIDAL = to_si(7.0, "mL")
"""Default tidal volume per kg of body weight [m3 per kg]."""
PEEP = to_si(5.0, "cm[H2O]")
"""Default pressure at the end of a breath [Pa]."""
INSPIRATION = 1.0 / 3.0


@dataclass(frozen=True, slots=True)
class Breathing:
    """How somebody breathes.

    Attributes
    ----------
    rate : of the ventilator [Hz].
    tidal : volume of a breath [m3]; 0: by default, or by `pressure`.
    pressure : above PEEP during inspiration [Pa]; 0: whatever `tidal` takes.
    peep : [Pa].
    """

    mode: Literal["spontaneous", "apnoea", "ventilated"] = "spontaneous"
    rate: float = 0.2
    tidal: float = 0.0
    pressure: float = 0.0
    peep: float = 0.0


def held(breathing: Breathing, person: Person) -> dict[str, float]:
    """Return what is held of the circulation's inputs [SI]."""
    rest = inputs_of(person)
    if breathing.mode == "ventilated":
        return _ventilated(breathing, person)
    above = TRANSMITTED * breathing.peep
    if breathing.mode == "spontaneous":
        return rest | {"thoracic_mean": rest["thoracic_mean"] + above}
    end = rest["thoracic_mean"] + rest["thoracic_swing"]
    return rest | {
        "thoracic_mean": end + above,
        "thoracic_swing": 0.0,
        "alveolar_ventilation": 0.0,
    }


def _ventilated(breathing: Breathing, person: Person) -> dict[str, float]:
    compliance = COMPLIANCE * person.weight
    tidal = breathing.tidal or TIDAL * person.weight
    if breathing.pressure:
        tidal = compliance * breathing.pressure
    drive = tidal / compliance
    moved = max(tidal - DEAD_SPACE * person.weight, 0.0)
    return {
        "thoracic_mean": TRANSMITTED * (breathing.peep + INSPIRATION * drive),
        "thoracic_swing": 0.5 * TRANSMITTED * drive,
        "breathing_frequency": breathing.rate,
        "alveolar_ventilation": breathing.rate * moved,
    }
