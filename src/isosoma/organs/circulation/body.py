"""From the reference adult to a person: size, age and sex, newborn to old.

Resistance proportional to weight^-0.75 alone would give a newborn an adult's pressure. So the
person is made similar to the reference adult in three scales: pressure from the mean arterial
pressure of the age, time from its heart rate, volume from stroke volume (cardiac output of the age
over heart rate). Every parameter follows by its dimension; what is neural, chemical or blood keeps
its value. The right side keeps the adult's pulmonary pressures.

The table gives medians: heart rate of Fleming et al. 2011 (10.1016/S0140-6736(10)62226-X); mean
pressure of Zubrow et al. 1995 (newborn) and the fourth NHBPEP report 2004
(10.1542/peds.114.2.S2.555); output from a cardiac index of 3.3 to 4.3 L/min/m2 (Knirsch et al.
2012, Cattermole et al. 2017, secondary); haemoglobin and oxygen use from textbook tables
(unverified).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from isosoma.core.errors import RangeError
from isosoma.core.units import to_si
from isosoma.organs.circulation.aortic_root import MEASURED
from isosoma.organs.circulation.drugs import DRUGS, kinetics
from isosoma.organs.circulation.parameters import PARAMETERS

__all__ = ["Person", "inputs_of", "theta_of", "typical"]

# age [a], weight [kg], HR [/min], MAP [mmHg], output [mL/min/kg], Hb [g/dL], VO2 [mL/min/kg],
# breaths [/min]
_TABLE = np.array(
    [
        (0.0, 3.5, 135, 50, 210, 16.5, 6.5, 40),
        (0.5, 7.5, 138, 60, 195, 11.5, 7.5, 32),
        (1.0, 10.0, 122, 62, 180, 12.0, 7.2, 27),
        (5.0, 18.0, 97, 70, 155, 12.5, 6.2, 21),
        (10.0, 32.0, 84, 76, 125, 13.5, 5.0, 18),
        (18.0, 70.0, 70, 92, 82, 14.0, 3.5, 14),
        (120.0, 75.0, 70, 98, 76, 14.0, 3.3, 14),
    ]
)
_ADULT = (75.0, 67.5, 98.5, 5.85)
"""Weight [kg], HR [/min], MAP [mmHg] and output [L/min] that the table's medians give."""

_PRESSURE = (
    "lv_p0", "rv_p0", "pericardial_p0", "baroreflex_setpoint", "baroreflex_width",
    "cardiopulmonary_pressure", "cardiopulmonary_width", "tissue_pressure",
)  # fmt: skip
_VOLUME = (
    "lv_v0", "rv_v0", "la_v0", "ra_v0", "pericardial_v0", "pericardial_softness",
    "venous_unstressed", "pulmonary_venous_unstressed", "blood_volume", "tissue_volume",
    "coronary_unstressed", "gain_veins", "venous_collapse", "pulmonary_venous_collapse",
)  # fmt: skip
_ELASTANCE = (
    "lv_elastance", "rv_elastance", "la_passive", "la_active", "ra_passive", "ra_active",
    "gain_lv", "gain_rv",
)  # fmt: skip
_COMPLIANCE = (
    "aortic_compliance", "arterial_compliance", "venous_compliance",
    "pulmonary_arterial_compliance", "pulmonary_capillary_compliance",
    "pulmonary_venous_compliance", "tissue_compliance", "coronary_compliance",
)  # fmt: skip
_RESISTANCE = (
    "aortic_resistance", "systemic_resistance", "gain_resistance", "venous_resistance",
    "pulmonary_arterial_resistance", "pulmonary_resistance", "pulmonary_venous_resistance",
    "coronary_resistance", "coronary_venous_resistance",
)  # fmt: skip
_CONDUCTANCE = ("capillary_conductance", "myocardial_demand")
_INERTANCE = ("aortic_inertance", "pulmonary_arterial_inertance")
_STIFFNESS = ("lv_stiffness", "rv_stiffness")
_TIME = ("period", "gain_period", "gain_vagal", "systole_base")
_AREA = ("mitral_area", "aortic_area", "tricuspid_area", "pulmonary_area", "shut_area")
_LENGTH = ("mitral_length", "aortic_length", "tricuspid_length", "pulmonary_length")
_ROOT = (
    "lvot_diameter", "left_ostium", "right_ostium",
    *(f"{n}{s}" for n in MEASURED for s in ("", "_sigma")),
)  # fmt: skip
_VALVE_RATE = ("inlet_opening", "inlet_closing", "aortic_rate", "pulmonary_rate")


@dataclass(frozen=True, slots=True)
class Person:
    """Whose circulation it is: age [a], weight [kg], height [m], sex at birth."""

    age: float = 40.0
    weight: float = 75.0
    height: float = 1.77
    female: bool = False


def _check(person: Person) -> None:
    bounds = {"age": (0.0, 120.0), "weight": (0.4, 400.0), "height": (0.25, 2.6)}
    for name, (low, high) in bounds.items():
        value = getattr(person, name)
        if not low <= value <= high:
            raise RangeError(f"{name} of {value:g} lies outside {low:g} to {high:g}", "person",
                             "Give age in years, weight in kg and height in m")  # fmt: skip


def _of_age(person: Person) -> dict[str, float]:
    """Return the medians of the age, adapted to the weight by its power 0.75."""
    names = ("weight", "rate", "pressure", "output", "haemoglobin", "use", "breaths")
    # Between the rows the table is read over sqrt(age): childhood changes fast at its beginning.
    at = math.sqrt(person.age)
    row = {
        n: float(np.interp(at, np.sqrt(_TABLE[:, 0]), _TABLE[:, i + 1]))
        for i, n in enumerate(names)
    }
    size = (person.weight / row["weight"]) ** 0.75 * row["weight"]
    return row | {"output": row["output"] * size * 1e-3, "use": row["use"] * size}


def theta_of(person: Person) -> dict[str, float]:
    """Return the medians of all parameters [SI] for a person.

    Raises
    ------
    RangeError
        Nobody has that age, weight or height.
    """
    _check(person)
    row = _of_age(person)
    _, rate0, pressure0, output0 = _ADULT
    m, f, q = row["pressure"] / pressure0, rate0 / row["rate"], row["output"] / output0
    v = q * f
    area = q / math.sqrt(m)
    scales = (
        (_PRESSURE, m), (_VOLUME, v), (_ELASTANCE, m / v), (_COMPLIANCE, v / m),
        (_RESISTANCE, m / q), (_CONDUCTANCE, q / m), (_INERTANCE, m * f * f / v),
        (_STIFFNESS, 1.0 / v), (_TIME, f), (_AREA, area), (_LENGTH, math.sqrt(m) * f),
        (_VALVE_RATE, 1.0 / (m * f)), (_ROOT, math.sqrt(area)),
    )  # fmt: skip
    out = {n: float(np.ravel(p.prior.real(np.zeros(1)))[0]) for n, p in PARAMETERS.items()}
    for names, scale in scales:
        for name in names:
            out[name] *= scale
    for name in ("rv_elastance", "gain_rv", "pulmonary_resistance"):
        out[name] /= math.sqrt(m)
    out |= {
        "haemoglobin_start": to_si(row["haemoglobin"], "g/dL"),
        "oxygen_consumption": to_si(row["use"], "mL/min"),
        "lung_volume": out["lung_volume"] * person.weight / 75.0,
    }
    for drug in DRUGS.values():
        for i, effect in enumerate(drug.effects):
            for key, scale in (("veins", v), ("period", f)):
                if key in effect:
                    out[f"{drug.name}_{key}_{i}"] *= scale
    return out | kinetics(person.age, person.weight, person.height, person.female)


def inputs_of(person: Person) -> dict[str, float]:
    """Return what is held at rest [SI] and depends on the person: breath."""
    _check(person)
    row = _of_age(person)
    m = row["pressure"] / _ADULT[2]
    return {
        "thoracic_mean": to_si(-4.0 * m, "mm[Hg]"),
        "thoracic_swing": to_si(2.0 * m, "mm[Hg]"),
        "breathing_frequency": row["breaths"] / 60.0,
        "alveolar_ventilation": to_si(row["use"] * 17.2, "mL/min"),
    }


def typical(age: float, female: bool = False) -> Person:
    """Return a person of this age [a] with the median weight, and a height that goes with it.

    Height by a body mass index of 15.5 kg/m2 in the newborn and child, rising to 24 at 18 years
    (rounded medians of growth charts, unverified); it only enters the lean mass of the kinetics.
    """
    _check(Person(age=age))
    weight = float(np.interp(math.sqrt(age), np.sqrt(_TABLE[:, 0]), _TABLE[:, 1]))
    index = float(np.interp(age, [0.0, 10.0, 18.0], [15.5, 16.5, 24.0]))
    return Person(age, weight, math.sqrt(weight / index), female)
