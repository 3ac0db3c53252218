"""What was measured at one instant and cannot all be true: each contradiction names both sides.

Nothing is corrected here; a person who can ask the patient again decides which side is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping

from isosoma.core.observation import Observation
from isosoma.core.quantity import show
from isosoma.core.vocabulary import VOCABULARY

__all__ = ["Measured", "among", "body_contradiction", "contradictions"]

Measured = Mapping[str, Observation]
"""Variable → what was measured of it at one instant."""

SURE = 3.0
"""Combined standard uncertainties beyond which two ways to one number contradict each other."""

_PRESSURES = (
    ("systolic_pressure", "diastolic_pressure", "mean_arterial_pressure"),
    ("systolic_pulmonary_pressure", "diastolic_pulmonary_pressure", "mean_pulmonary_pressure"),
)
_LV_EDV, _LV_ESV = (
    "left_ventricular_end_diastolic_volume",
    "left_ventricular_end_systolic_volume",
)
_VOLUMES = (
    (_LV_EDV, _LV_ESV),
    ("right_ventricular_end_diastolic_volume", "right_ventricular_end_systolic_volume"),
)
_EF = "left_ventricular_ejection_fraction"
_AREA, _GRADIENT = "aortic_valve_area", "aortic_valve_mean_gradient"
_DENSITY = 1060.0  # [kg/m3] of blood
_LONGEST_EJECTION = 0.45
"""[s], of a slow heart with aortic stenosis (chosen here, unverified)."""
_NOTHING = 1e-12
"""Volume [m3] under which an empty ventricle says nothing."""

_YEAR = 31557600.0  # [s]
_BMI = (8.0, 90.0)  # [kg/m2]
_INFANT = 0.6  # [m]; a preterm child of 0.5 kg and 30 cm has 5.6 kg/m2
_INFANT_BMI = (4.0, 90.0)
# Below age [a]: weight [kg] and height [m] that a person of this age may have. The
# bounds lie beyond the records, so that they tell only a mixture of two people, or of two units.
_OF_AGE = (
    (1.0, (0.2, 30.0), (0.15, 1.1)),
    (5.0, (1.0, 100.0), (0.3, 1.7)),
    (18.0, (2.0, 500.0), (0.4, 2.7)),
    (math.inf, (5.0, 700.0), (0.5, 2.8)),
)


def contradictions(measured: Measured, *, left_is_systemic: bool = True) -> tuple[str, ...]:
    """Return a sentence for each contradiction among what was measured at one instant.

    Parameters
    ----------
    measured : variable → observation [SI].
    left_is_systemic : whether the left ventricle feeds the aorta; not so for some single
        ventricles, whose stroke volume says nothing about the left one.
    """
    found = [*_pressures(measured), *_volumes(measured), *_fraction(measured), *_output(measured)]
    if left_is_systemic:
        found += [*_stroke(measured), *_orifice(measured)]
    return tuple(found)


def among(observations: Iterable[Observation]) -> tuple[str, ...]:
    """Return a sentence for each contradiction among what one device told at one instant."""
    groups: dict[tuple[int, str], dict[str, Observation]] = {}
    for o in observations:
        groups.setdefault((o.at, o.device), {})[o.variable] = o
    return tuple(said for _, group in sorted(groups.items()) for said in contradictions(group))


def _said(o: Observation) -> str:
    return f"{o.variable} of {o.given}"


def _pressures(m: Measured) -> Iterator[str]:
    """A pulse has a top above its bottom, and a mean between them."""
    for high, low, mean in _PRESSURES:
        if high in m and low in m and m[low].value >= m[high].value:
            yield f"{_said(m[low])} is not below {_said(m[high])}"
        if mean in m and high in m and m[mean].value > m[high].value:
            yield f"{_said(m[mean])} is above {_said(m[high])}"
        if mean in m and low in m and m[mean].value < m[low].value:
            yield f"{_said(m[mean])} is below {_said(m[low])}"


def _volumes(m: Measured) -> Iterator[str]:
    """The largest volume of a beat is above its smallest."""
    for full, empty in _VOLUMES:
        if full in m and empty in m and m[empty].value >= max(m[full].value, _NOTHING):
            yield f"{_said(m[empty])} is not below {_said(m[full])}"


def _stroke(m: Measured) -> Iterator[str]:
    if "stroke_volume" in m and _LV_EDV in m and m["stroke_volume"].value > m[_LV_EDV].value:
        yield f"{_said(m['stroke_volume'])} is above {_said(m[_LV_EDV])}"


def _orifice(m: Measured) -> Iterator[str]:
    """Compare an aortic valve's gradient with the least that its area and the stroke volume need.

    No ejection lasts longer than `_LONGEST_EJECTION` t, and no mean of squares is below the square
    of the mean: gradient >= rho/2 (volume / (area t))^2. A leak or a hole only adds flow.
    """
    if not {"stroke_volume", _AREA, _GRADIENT} <= m.keys():
        return
    stroke, area, stated = m["stroke_volume"], m[_AREA], m[_GRADIENT]

    def passing(wider: float, steeper: float) -> float:
        """Return the most that passes [m3], with so many sigmas on the area and the gradient."""
        drop = max(stated.value + steeper * stated.sigma, 0.0)
        speed = math.sqrt(2.0 * drop / _DENSITY)
        return (area.value + wider * area.sigma) * speed * _LONGEST_EJECTION

    most = passing(0.0, 0.0)
    # By whole steps of what is still believed: a root of a small gradient is far from linear.
    doubt = (passing(SURE, 0.0) - most, passing(0.0, SURE) - most, SURE * stroke.sigma)
    if stroke.value - most > math.hypot(*doubt):
        shown = show(VOCABULARY["stroke_volume"], most)
        yield f"{_said(area)} and {_said(stated)} let at most {shown} pass, against {_said(stroke)}"


def _fraction(m: Measured) -> Iterator[str]:
    """Compare a stated ejection fraction with 1 - ESV/EDV, to first order in their noise."""
    if not {_EF, _LV_EDV, _LV_ESV} <= m.keys():
        return
    full, empty, stated = m[_LV_EDV], m[_LV_ESV], m[_EF]
    if not full.value > empty.value:
        return  # the volumes themselves are told by `_volumes`; an empty ventricle ejects nothing
    ratio = empty.value / full.value
    sigma = math.hypot(empty.sigma, ratio * full.sigma) / full.value
    if abs(1.0 - ratio - stated.value) > SURE * math.hypot(sigma, stated.sigma):
        shown = show(VOCABULARY[_EF], 1.0 - ratio, sigma)
        yield f"{_said(full)} and {_said(empty)} give {shown}, against {_said(stated)}"


def _output(m: Measured) -> Iterator[str]:
    """Compare a stated cardiac output with heart rate times stroke volume."""
    if not {"heart_rate", "stroke_volume", "cardiac_output"} <= m.keys():
        return
    rate, stroke, stated = m["heart_rate"], m["stroke_volume"], m["cardiac_output"]
    product = rate.value * stroke.value
    sigma = math.hypot(rate.value * stroke.sigma, stroke.value * rate.sigma)
    if abs(product - stated.value) > SURE * math.hypot(sigma, stated.sigma):
        shown = show(VOCABULARY["cardiac_output"], product, sigma)
        yield f"{_said(rate)} times {_said(stroke)} is {shown}, against {_said(stated)}"


def body_contradiction(weight: float | None, height: float | None, age: float | None) -> str:
    """Return why weight [kg], height [m] and age [s] cannot be one person's; empty if they can."""
    if weight is not None and height is not None:
        low, high = _INFANT_BMI if height < _INFANT else _BMI
        index = weight / height**2
        if not low <= index <= high:
            return (
                f"a weight of {weight:g} kg at a height of {height * 100:g} cm is a body mass "
                f"index of {index:.3g} kg/m2 (it lies in {low:g} to {high:g})"
            )
    if age is None:
        return ""
    years = age / _YEAR
    weights, heights = next((w, h) for end, w, h in _OF_AGE if years < end)
    if weight is not None and not weights[0] <= weight <= weights[1]:
        return f"a weight of {weight:g} kg does not go with an age of {years:.3g} a"
    if height is not None and not heights[0] <= height <= heights[1]:
        return f"a height of {height * 100:g} cm does not go with an age of {years:.3g} a"
    return ""
