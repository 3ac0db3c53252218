"""What complications look at: outputs of the circulation, and what is computed from several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import VocabularyError
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.body import Person
from isosoma.organs.circulation.outputs import OUTPUTS

__all__ = ["DERIVED", "Derived", "body_surface", "label_of", "measure", "units_of"]

Floats = npt.NDArray[np.float64]
Bundle = Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Derived:
    """A measure computed from outputs: SI unit, unit in which it is shown, meaning, formula."""

    unit: str
    shown: str
    meaning: str
    of: Callable[[Bundle, Person], Floats]


def body_surface(person: Person) -> float:
    """Return the body surface area [m2] after Haycock et al. 1978 (kg, cm -> m2)."""
    return 0.024265 * person.weight**0.5378 * (100.0 * person.height) ** 0.3964


def _share(part: Floats, whole: Floats) -> Floats:
    """Return a share [1]; 0 where there is no whole, NaN where either is unknown."""
    positive = whole > 0.0
    out = np.divide(part, whole, out=np.zeros_like(part), where=positive)
    return np.where(np.isnan(part + whole), np.nan, out)


def _perfusion(o: Bundle, _: Person) -> Floats:
    return o["diastolic_pressure"] - o["left_atrial_pressure"]


def _index(o: Bundle, person: Person) -> Floats:
    return o["cardiac_output"] / body_surface(person)


def _mitral(o: Bundle, _: Person) -> Floats:
    name = "left_ventricular_end_{}_volume"
    return _share(
        o["mitral_regurgitant_volume"], o[name.format("diastolic")] - o[name.format("systolic")]
    )


def _aortic(o: Bundle, _: Person) -> Floats:
    leak = o["aortic_regurgitant_volume"]
    return _share(leak, o["stroke_volume"] + leak)


DERIVED: Mapping[str, Derived] = MappingProxyType(
    {
        "coronary_perfusion_pressure": Derived(
            "Pa", "mm[Hg]",
            "Diastolic arterial pressure less mean left atrial pressure, which stands in for that "
            "at the end of ventricular diastole.",
            _perfusion,
        ),
        "cardiac_index": Derived(
            "m/s", "L/min/m2", "Cardiac output by body surface (Haycock).", _index
        ),
        "mitral_regurgitant_fraction": Derived(
            "1", "%", "Share of the left ventricle's stroke that goes back to the atrium.", _mitral
        ),
        "aortic_regurgitant_fraction": Derived(
            "1", "%", "Share of what is ejected that comes back through the aortic valve.", _aortic
        ),
    }
)  # fmt: skip


def measure(name: str, outputs: Bundle, person: Person) -> Floats:
    """Return a measure [SI] from outputs of any shape.

    Raises
    ------
    VocabularyError
        Nobody measures that.
    """
    if name in DERIVED:
        return DERIVED[name].of(outputs, person)
    if name not in OUTPUTS:
        raise VocabularyError(
            f"no measure is called {name!r}", todo=f"There are {', '.join((*DERIVED, *OUTPUTS))}"
        )
    return outputs[name]


def units_of(name: str) -> tuple[str, str]:
    """Return the SI unit of a measure, and the one in which it is shown."""
    if name in DERIVED:
        return DERIVED[name].unit, DERIVED[name].shown
    row = VOCABULARY[name]
    return row.unit, row.shown


def label_of(name: str) -> str:
    """Return a measure in words."""
    return name.replace("_", " ")
