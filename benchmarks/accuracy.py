"""What the step costs in accuracy: every clinical index at 1 ms beside the solution at 10 us.

    .venv/bin/python benchmarks/accuracy.py [--write] [--seconds 120]

Runs every case of `CASES` from the same beginning with each step of `STEPS` (reflexes, oxygen,
drugs and the sampling of beats shrink with it, so that the finest is the limit of all of them) and
compares the mean of each index over the last 6 s. ``--write`` renews docs/circulation-accuracy.md.
About a minute of one core.

Breath is held, so that the beats compared are at one point of it. A regurgitant volume is measured
against the volume that its ventricle ejects, since what a sound valve passes as it shuts is next to
nothing; all else against its own value. E/A and the mitral valve's mean gradient are indices up to
100 beats a minute: above, the waves fuse, and an end of filling a sample off is 2 % of that mean.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isosoma.core.units import to_si
from isosoma.organs.circulation.body import Person, inputs_of, theta_of
from isosoma.organs.circulation.model import Circulation
from isosoma.organs.circulation.parameters import shown
from isosoma.organs.circulation.steps import step_for
from isosoma.physics.ensemble import Precision

Floats = npt.NDArray[np.float64]
STEPS = (1e-3, 5e-4, 2.5e-4)
"""The product's step and two finer ones [s]."""
REFERENCE = 1e-5
"""The step [s] of the solution that all are compared with."""
FUSED = 100.0
"""Heart rate [/min] above which E and A waves fuse."""
PAGE = Path(__file__).resolve().parents[1] / "docs" / "circulation-accuracy.md"

_AGES = {
    "newborn": Person(0.0, 3.5, 0.5),
    "1 year": Person(1.0, 10.0, 0.75),
    "5 years": Person(5.0, 18.0, 1.1),
    "10 years": Person(10.0, 32.0, 1.38),
    "adult": Person(),
}


@dataclass(frozen=True, slots=True)
class Case:
    """Who, paced at what rate [/min] (0: the reflexes' own), with which parameters changed."""

    age: str
    rate: float = 0.0
    disease: str = ""
    changed: Mapping[str, float] = field(default_factory=dict[str, float])  # clinical units

    @property
    def name(self) -> str:
        """Return the case in words."""
        paced = f"paced at {self.rate:g}/min" if self.rate else "own rate"
        return ", ".join(w for w in (self.age, self.disease, paced) if w)


def _stenosis(area: float, *rates: float) -> tuple[Case, ...]:
    words = f"aortic stenosis {area:g} cm2"
    return tuple(Case("adult", r, words, {"aortic_area": area}) for r in rates)


def _leak(area: float, *rates: float) -> tuple[Case, ...]:
    words = f"mitral regurgitation {area:g} cm2"
    return tuple(Case("adult", r, words, {"mitral_leak": area}) for r in rates)


CASES = (
    *(Case("adult", r) for r in (0.0, 40.0, 60.0, 80.0, 100.0, 120.0, 140.0, 160.0, 180.0, 200.0)),
    *(Case("newborn", r) for r in (0.0, 100.0, 160.0, 200.0)),
    *(Case("1 year", r) for r in (0.0, 200.0)),
    *(Case("5 years", r) for r in (0.0, 180.0)),
    *(Case("10 years", r) for r in (0.0, 160.0)),
    *_stenosis(0.8, 0.0, 40.0, 120.0, 160.0),
    *_stenosis(0.6, 0.0, 120.0),
    *_leak(0.4, 0.0, 40.0, 80.0, 120.0, 160.0, 200.0),
)
FEW = (CASES[0], CASES[1], CASES[7], CASES[10], CASES[13], CASES[20], CASES[26], CASES[29])
"""What a test runs on every change."""


def bundles(cases: Sequence[Case], model: Circulation) -> tuple[dict[str, Floats], ...]:
    """Return parameters and inputs of the cases, each of shape (cases,) [SI]."""
    thetas = [theta_of(_AGES[c.age]) for c in cases]
    rests = [inputs_of(_AGES[c.age]) for c in cases]
    theta = {p.name: np.array([t[p.name] for t in thetas]) for p in model.parameters}
    for i, case in enumerate(cases):
        for name, value in case.changed.items():
            theta[name][i] = to_si(value, shown(name))
    inputs = {p.name: np.array([r.get(p.name, p.rest) for r in rests]) for p in model.inputs}
    inputs["pacing_rate"] = np.array([c.rate / 60.0 for c in cases])
    inputs["thoracic_swing"] = np.zeros(len(cases))
    return theta, inputs


def indices(
    cases: Sequence[Case], step: float, seconds: float, precision: Precision = "double"
) -> dict[str, Floats]:
    """Return every index [SI], shape (cases,): its mean over the last 6 s of `seconds`."""
    model = Circulation(step=step, precision=precision)
    theta, inputs = bundles(cases, model)
    state, tick, seen = model.start(theta), 0, list[Mapping[str, Floats]]()
    for at in np.linspace(seconds - 6.0, seconds, 13):
        until = round(at / step)
        outcome = model.advance(tick, until, state, theta, inputs)
        state, tick = outcome.state, until
        seen.append(outcome.outputs)
        if outcome.failed.any():
            raise RuntimeError(f"{cases[int(np.argmax(outcome.failed))].name} diverged at {at} s")
    return {name: np.mean([s[name] for s in seen], axis=0) for name in seen[0]}


def errors(found: Mapping[str, Floats], exact: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the share by which each index is off; 0 where it is no index."""
    out = dict[str, Floats]()
    full, empty = (f"left_ventricular_end_{end}_volume" for end in ("diastolic", "systolic"))
    ejected = exact[full] - exact[empty]
    for name, value in exact.items():
        scale = ejected if name.endswith("regurgitant_volume") else np.abs(value)
        out[name] = (found[name] - value) / scale
    fused = 60.0 * exact["heart_rate"] > FUSED
    for name in ("mitral_e_to_a", "mitral_valve_mean_gradient"):
        out[name] = np.where(fused, 0.0, out[name])
    return out


def worst(error: Mapping[str, Floats]) -> tuple[Floats, list[str]]:
    """Return the largest error of each case, shape (cases,), and the index it is on."""
    names = list(error)
    table = np.abs(np.array([error[n] for n in names]))
    at = table.argmax(axis=0)
    return table.max(axis=0), [names[i] for i in at]


def used(case: Case, rate: float) -> float:
    """Return the step [s] that `step_for` gives a case at the rate [Hz] it has."""
    return step_for(rate, leaking="mitral_leak" in case.changed)


def measure(cases: Sequence[Case] = FEW, seconds: float = 40.0) -> dict[str, float]:
    """Return the largest error (a share) at 1 ms: of the cases that use it, and of all."""
    exact = indices(cases, REFERENCE, seconds)
    error, _ = worst(errors(indices(cases, 1e-3, seconds), exact))
    mine = [used(c, float(r)) == 1e-3 for c, r in zip(cases, exact["heart_rate"], strict=True)]
    return {
        "worst_index_error_1ms": float(error[mine].max()),
        "worst_index_error_1ms_all_cases": float(error.max()),
    }


_HEAD = """# Circulation: accuracy of the step

<!-- Made by `benchmarks/accuracy.py --write`, a minute of one core; do not edit. -->

The largest error [%] over every clinical index, against the same model at 10 us: {seconds:g} s
from one beginning, mean of the last 6 s, breath held. With the step shrink the intervals of
reflexes, oxygen, drugs and the sampling of beats, so that the reference is the limit of them all.
The name is the index which that error is on. `step_for` of `isosoma.organs.circulation.steps`
gives the step by heart rate and leak: 1 ms up to 170/min (100/min with a leaking valve), 0.5 ms up
to 190/min (180/min), 0.25 ms above.

A regurgitant volume is measured against the volume that the ventricle ejects, all else against its
own value; E/A and the mean mitral gradient count up to 100/min, above which the waves fuse (at
160/min an adult's gradient of 9.7 mmHg is 2.1 % low at 1 ms). The mean aortic gradient of a sound
valve is a few mmHg, so its error is hundredths of 1 mmHg.

| case | rate | 1 ms | 0.5 ms | 0.25 ms | step used | error with it |
|---|---|---|---|---|---|---|
"""


def page(seconds: float, rates: Floats, by: Mapping[float, Mapping[str, Floats]]) -> str:
    """Return the page: a row for each case, and which miss 1 % with the step that they use."""
    found = {step: worst(error) for step, error in by.items()}
    out, missed = _HEAD.format(seconds=seconds), list[str]()
    for i, case in enumerate(CASES):
        step = used(case, float(rates[i]))
        cells = [
            f"{100 * share[i]:.2f} {names[i].replace('_', ' ')}" for share, names in found.values()
        ]
        own = 100.0 * found[step][0][i]
        missed += [f"{case.name} ({own:.3f} %)"] if own > 1.0 else []
        row = [case.name, f"{60 * rates[i]:.0f}", *cells, f"{1e3 * step:g} ms", f"{own:.2f}"]
        out += "| " + " | ".join(row) + " |\n"
    said = "; ".join(missed) or "none"
    return out + f"\nCases over 1 % with the step that they use: {said}.\n" + order(by)


def order(by: Mapping[float, Mapping[str, Floats]]) -> str:
    """Return a sentence with the measured order of convergence, median over indices and cases."""
    steps = list(by)
    said = list[str]()
    for coarse, fine in pairwise(steps):
        said.append(f"{np.median(orders(by[coarse], by[fine])):.2f}")
    return (
        "\nOrder of convergence (log2 of the ratio of errors where the step halves, median over "
        f"all indices and cases): {said[0]} from 1 to 0.5 ms, {said[1]} from 0.5 to 0.25 ms.\n"
    )


def orders(coarse: Mapping[str, Floats], fine: Mapping[str, Floats]) -> Floats:
    """Return the order of every index and case that is off by more than 1e-4, shape (n,)."""
    a = np.abs(np.array([coarse[n] for n in coarse]))
    b = np.abs(np.array([fine[n] for n in coarse]))
    seen = (a > 1e-4) & (b > 0.0)
    return np.log2(a[seen] / b[seen])


def single(by: Mapping[float, Mapping[str, Floats]]) -> str:
    """Return a sentence on what single precision is off from double, by the step of both."""
    said = list[str]()
    for step, error in by.items():
        share, names = worst(error)
        at = int(share.argmax())
        where = f"{names[at].replace('_', ' ')}, {CASES[at].name}"
        said.append(f"{100.0 * share[at]:.4f} % at {1e3 * step:g} ms ({where})")
    return (
        "\nSingle precision against double at the same step, the largest difference over all "
        f"indices and cases: {'; '.join(said)}.\n"
    )


def main() -> int:
    """Run, print, and write where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="renew the page")
    parser.add_argument("--seconds", type=float, default=120.0, help="simulated [s]")
    asked = parser.parse_args()
    exact = indices(CASES, REFERENCE, asked.seconds)
    found = {step: indices(CASES, step, asked.seconds) for step in STEPS}
    by = {step: errors(it, exact) for step, it in found.items()}
    less = {s: errors(indices(CASES, s, asked.seconds, "single"), found[s]) for s in STEPS}
    text = page(asked.seconds, exact["heart_rate"], by) + single(less)
    print(text)
    if asked.write:
        PAGE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
