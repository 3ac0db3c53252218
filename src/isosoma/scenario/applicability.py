"""Whether the model may speak about a rehearsal, why not, and which measurement would help most."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from isosoma.core.evidence import Applicability
from isosoma.core.quantity import show_duration
from isosoma.infer.emulator import Emulator
from isosoma.organs.circulation.body import Person
from isosoma.scenario.complications import physiology_of
from isosoma.scenario.measures import label_of
from isosoma.scenario.playing import Played
from isosoma.twin.fold import Twin

__all__ = ["TELLS", "applicability", "would_help"]

Floats = npt.NDArray[np.float64]

TELLS: Mapping[str, str] = {
    "systemic_resistance": "a cardiac output with a pressure",
    "arterial_compliance": "an arterial line, for the pulse pressure",
    "lv_elastance": "an echo, for ejection fraction and end-systolic volume",
    "rv_elastance": "an echo of the right ventricle, or its pressure",
    "lv_stiffness": "an echo for filling (E to A), or a wedge pressure",
    "blood_volume": "a central venous pressure, or the answer to a bolus of fluid",
    "venous_compliance": "a central venous pressure before and after raising the legs",
    "period": "an ECG",
    "baroreflex_gain": "heart rate and pressure through a change of posture",
    "baroreflex_setpoint": "pressures of usual days",
    "pulmonary_resistance": "a catheter in the pulmonary artery, or an echo of its pressure",
    "lung_shunt": "an arterial blood gas",
    "haemoglobin_start": "a blood count",
    "aortic_area": "an echo, for the aortic valve's area or gradient",
    "mitral_area": "an echo, for the mitral valve's area or gradient",
}
"""Unknown → what would tell it, as a clinician asks for it."""
_MATTERS, _CHANCE, _FEW = 0.05, 8.0, 3
"""Least share of the deciding difference's variance; times 1/members that chance alone may give
(2.8 standard errors); and how many measurements are named."""
_LOST, _TOO_MANY = 0.02, 0.20
"""Share of failed members from which the answer is read with care, and withheld (unverified)."""
_MISFIT, _DISAGREES = 3.0, 10.0
"""Misfit of a calibration, 1 where model and data agree, from which likewise (unverified)."""
_OUTSIDE = 0.05


def applicability(
    played: Played, deciding: Floats, twin: Twin | None = None, at: int = 0,
    emulator: Emulator | None = None,
) -> Applicability:  # fmt: skip
    """Return the verdict: the worst of inputs, data, convergence and distance to what was tested.

    Parameters
    ----------
    deciding : by how much the second choice is worse than the first, (N,); NaN: not known.
    twin : whose belief plays, None for a prior. at : instant of the rehearsal [ns].
    emulator : with which the twin was folded, where it was.
    """
    lost = float(np.isnan(deciding).mean())
    out, edge = list(_out(lost, twin)), list(_edge(played, lost, twin, at, emulator))
    help_ = would_help(played, deciding, twin)
    if help_:
        edge.append(f"{help_[0].partition(':')[0]}, on which the choice hangs")
    if out:
        return Applicability("out", tuple(out + edge), help_)
    return Applicability("edge" if edge else "in", tuple(edge), help_)


def _out(lost: float, twin: Twin | None) -> Iterator[str]:
    if lost > _TOO_MANY:
        yield f"the model lost {100.0 * lost:.0f} % of the members"
    if twin is not None and twin.misfit and twin.misfit[-1] > _DISAGREES:
        yield f"model and data do not agree: misfit {twin.misfit[-1]:.1f}, 1 where they do"


def _edge(
    played: Played, lost: float, twin: Twin | None, at: int, emulator: Emulator | None
) -> Iterator[str]:  # fmt: skip
    if _LOST < lost <= _TOO_MANY:
        yield f"the model lost {100.0 * lost:.0f} % of the members; they count nowhere"
    yield from _body(played.ensemble.person)
    for name in sorted({played.rehearsal.physiology or physiology_of(g) for g in played.graphs}):
        if name in ("norwood", "glenn", "fontan"):
            yield f"{name}: compared with published ranges only, not with patients"
    if twin is None:
        yield "no data of this patient: members are what is usual at this age and size"
        return
    for name, age in sorted(twin.stale(at).items()):
        yield f"the newest {label_of(name)} is {show_duration(age)} old"
    if twin.misfit and _MISFIT < twin.misfit[-1] <= _DISAGREES:
        yield f"model and data agree poorly: misfit {twin.misfit[-1]:.1f}, 1 where they do"
    if emulator is not None and (share := _outside(emulator, played.ensemble.z)) > _OUTSIDE:
        yield f"{100.0 * share:.0f} % of the members lie outside what the emulator was trained on"


def _body(person: Person) -> Iterator[str]:
    """Yield what is unusual about a body: between the tables' rows nothing was measured."""
    index = person.weight / person.height**2
    low, high = (10.0, 25.0) if person.age < 2.0 else (12.0, 40.0)
    if not low <= index <= high:
        yield f"{index:.0f} kg/m2: the model was tested on {low:.0f} to {high:.0f}"


def _outside(emulator: Emulator, z: Floats) -> float:
    apart = ((z[:, None, :] - emulator.centre) * emulator.whiten[None]).sum(axis=2)
    return float(((apart**2).sum(axis=1) > emulator.limit).mean())


def would_help(played: Played, deciding: Floats, twin: Twin | None = None) -> tuple[str, ...]:
    """Return the measurements that would help most, by what each unknown adds to the choice.

    An unknown counts by its share of the variance of the deciding difference over the members, and
    only where the data have not informed it.
    """
    known = {} if twin is None else {i.name: i.by_data for i in twin.informed}
    whole = np.isfinite(deciding)
    shares = _shares(played.ensemble.z[whole], deciding[whole])
    found = sorted(zip(shares, played.ensemble.names, strict=True), reverse=True)
    least = max(_MATTERS, _CHANCE / max(int(whole.sum()), 1))
    named = [n for share, n in found if share >= least and not known.get(n, False)]
    return tuple(f"{label_of(n)} not informed: get {TELLS[n]}" for n in named[:_FEW])


def _shares(z: Floats, deciding: Floats) -> Floats:
    """Return the squared correlation of each unknown with the deciding difference."""
    if len(z) < 3 or deciding.std() == 0.0:
        return np.zeros(z.shape[1])
    a, b = z - z.mean(axis=0), deciding - deciding.mean()
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum())
    return ((a * b[:, None]).sum(axis=0) / np.where(scale > 0.0, scale, np.inf)) ** 2
