"""Whether a rehearsal finds what would go wrong with patients whose truth it is not shown.

    python3 dev.py bench bedside_complications [--patients 200] [--members 64] [--seed 211]
                                               [--kept FILE]

Each blinded patient is a draw of the prior of one of four people, newborn to old. A twin is folded
from their cuff, oximeter, ECG and one echo, with noise, and rehearses three options; in one of them
a complication was planted, or a near miss, or nothing. Doses are a ladder of steps of 1.3: on the
truth's own ladder the plant stands one step above the first that does harm, 1.3 to 1.7 times the
dose that just does it, and the near miss two below, 0.6 to 0.8 times. What the truth meets in each
option is the label of each chance. The model is the truth's own: what it leaves out is not in this.

found: a planted complication whose chance is `FOUND` or more. False: such a chance of what the
truth does not meet; beside their share of all that is not met stands that of all that is told.
Brier skill: against the base rate of each complication. `FOUND` was chosen on 80 patients of seed
101; those of the default seed were not looked at before. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from isosoma.core.observation import GOOD, Observation, Verdict
from isosoma.core.units import to_si
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.acts import read_act
from isosoma.organs.circulation.body import Person, typical
from isosoma.scenario.chances import FOUND, jeffreys
from isosoma.scenario.comparing import compare
from isosoma.scenario.complication_table import complications
from isosoma.scenario.complications import find
from isosoma.scenario.ensemble import Ensemble, drawn, of_twin
from isosoma.scenario.playing import Played, played
from isosoma.scenario.preferences import Tables, preferences
from isosoma.scenario.rehearsal import Option, Rehearsal, Step
from isosoma.twin.fold import Subject, Twin, fold
from isosoma.twin.release import Release

Floats = npt.NDArray[np.float64]

PEOPLE = (typical(40.0), typical(72.0, True), typical(8.0), typical(0.1))
SECONDS, RUNGS, STEP = 300.0, 10, 1.3
TABLES = Tables(complications(), preferences())
NAMES = tuple(p.name for p in complications().predicates if not p.only)
_HOUR, _NOW = 3600 * 10**9, 1_790_000_000 * 10**9
_NOISE = {
    "systolic_pressure": to_si(4.0, "mm[Hg]"), "diastolic_pressure": to_si(4.0, "mm[Hg]"),
    "mean_arterial_pressure": to_si(3.5, "mm[Hg]"), "oxygen_saturation": 0.01,
    "heart_rate": to_si(1.0, "/min"),
}  # fmt: skip
_ECHO = {"left_ventricular_end_diastolic_volume": 0.08, "left_ventricular_ejection_fraction": 0.06}
"""Noise of an echo, as a share of the value."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """A family of acts: text with a place for the dose, its first rung, unit, target.

    `per_kg` : whether the dose is for a kg of body weight. down: whether less is worse.
    """

    act: str
    first: float
    unit: str
    target: str
    per_kg: bool = True
    down: bool = False

    def rung(self, k: int, person: Person) -> str:
        """Return the act at rung `k`."""
        dose = self.first * STEP ** (-k if self.down else k) * (person.weight if self.per_kg else 1)
        return self.act.format(f"{dose:.4g} {self.unit}")


LADDERS = (
    Ladder("bleed {} in 3 min at 20 s", 4.0, "mL", "low output"),
    Ladder("induction {} ventilated at 20 s", 0.3, "mg/kg", "low pressure", False),
    Ladder("tamponade {} in 1 min at 20 s", 0.4, "mL", "low pressure"),
    Ladder("fio2 {} at 20 s", 50.0, "%", "desaturation", False, down=True),
    Ladder("phenylephrine {} at 20 s", 5.0, "ug", "left ventricle overloaded"),
    Ladder("fluid {} in 3 min at 20 s", 4.0, "mL", "pulmonary oedema"),
)


@dataclass(frozen=True, slots=True)
class _Known:
    """What a log would tell."""

    readings: tuple[Observation, ...]
    verdicts: tuple[Verdict, ...]


def _rehearsal(acts: list[str]) -> Rehearsal:
    options = tuple(
        Option(f"{i}", tuple(Step(read_act(a)) for a in ([act] if act else [])))
        for i, act in enumerate(acts)
    )
    return Rehearsal("what goes wrong?", options, SECONDS)


def _labels(seen: Played) -> Floats:
    """Return who meets what, shape (options, complications, members)."""
    found = find(seen, TABLES.complications)
    rows = [{f.predicate.name: f.raised for f in row} for row in found]
    return np.array([[row[n] for n in NAMES] for row in rows], np.float64)


def _twin(baseline: dict[str, float], person: Person, rng: np.random.Generator, name: str) -> Twin:
    """Return the twin that an hour of noisy readings and an echo make."""
    out = list[Observation]()

    def read(variable: str, at: int, sigma: float, device: str) -> None:
        row = VOCABULARY[variable]
        value = float(
            np.clip(baseline[variable] + sigma * rng.standard_normal(), row.low, row.high)
        )
        if row.unit == "1":
            value = min(value, 1.0)
        out.append(Observation(name, variable, at, at, value, sigma, device=device))

    for quarter in range(4):
        for variable, sigma in _NOISE.items():
            device = "cuff" if "pressure" in variable else "monitor"
            read(variable, _NOW - _HOUR + quarter * _HOUR // 4, sigma, device)
    for variable, share in _ECHO.items():
        read(variable, _NOW - _HOUR // 2, share * baseline[variable], "echo")

    return fold(_Known(tuple(out), (GOOD,) * len(out)), Subject(name, person), Release(), _NOW)


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One patient: what was planted where; chance and truth, (options, complications)."""

    key: str
    kind: str
    place: int
    target: int
    chances: Floats
    truth: Floats

    @property
    def told(self) -> float:
        """Return the chance told of the target where the act is."""
        return float(self.chances[self.place, self.target])


def _line(one: Asked) -> str:
    row = {"key": one.key, "kind": one.kind, "place": one.place, "target": NAMES[one.target]}
    row |= {"chances": one.chances.tolist(), "truth": one.truth.tolist()}
    return json.dumps(row)


def _read(line: str) -> Asked:
    row = json.loads(line)
    arrays = np.array(row["chances"]), np.array(row["truth"])
    return Asked(row["key"], row["kind"], row["place"], NAMES.index(row["target"]), *arrays)


def _plan(
    first: list[int], person: Person, rng: np.random.Generator
) -> tuple[str, int, int, list[str]]:
    """Return kind, place, ladder and acts of a patient, whose ladders do harm from `first` on."""
    kind = ("planted", "near", "none")[rng.integers(3)]
    order = rng.permutation([i for i, k in enumerate(first) if _roomy(k)])
    others = [LADDERS[i].rung(max(first[i] - 4, 0), person) for i in order[1:2]]
    others += [""] * (2 - len(others))
    place, harmful = int(rng.integers(3)), first[order[0]]
    rung = {"planted": harmful + 1, "near": harmful - 2, "none": 0}[kind]
    act = LADDERS[order[0]].rung(rung, person)
    return kind, place, int(order[0]), [*others[:place], act, *others[place:]]


def _roomy(first: int) -> bool:
    """Return whether a ladder has room for a near miss below the harm and a plant above."""
    return 3 <= first < RUNGS - 1


def _harm(truths: Ensemble) -> list[Floats]:
    """Return for each ladder the first rung that does its harm to each member; RUNGS for none."""
    out = list[Floats]()
    for ladder in LADDERS:
        acts = [ladder.rung(k, truths.person) for k in range(RUNGS)]
        hurt = _labels(played(_rehearsal(acts), truths))[:, NAMES.index(ladder.target)] > 0.0
        out.append(np.where(hurt.any(axis=0), hurt.argmax(axis=0), RUNGS))
    return out


def _only(truths: Ensemble, i: int) -> Ensemble:
    one = {k: v[i : i + 1] for k, v in truths.changed.items()}
    return replace(truths, z=truths.z[i : i + 1], changed=one)


def _asked(
    truths: Ensemble, count: int, given: argparse.Namespace, done: dict[str, Asked]
) -> Iterator[Asked]:
    """Yield `count` patients with one body, each rehearsed by a twin that never saw the truth."""
    kept = [a for k, a in done.items() if k.startswith(f"{truths.key}.")]
    yield from kept[:count]
    if len(kept) >= count:
        return
    harm, left = _harm(truths), count - len(kept)
    for i in range(truths.members):
        first = [int(h[i]) for h in harm]
        if f"{truths.key}.{i}" in done or not any(map(_roomy, first)):
            continue
        yield _one(_only(truths, i), f"{truths.key}.{i}", first, given)
        left -= 1
        if not left:
            return


def _one(truth: Ensemble, key: str, first: list[int], given: argparse.Namespace) -> Asked:
    rng = np.random.default_rng([given.seed, *key.encode()])
    kind, place, ladder, acts = _plan(first, truth.person, rng)
    plan = _rehearsal(acts)
    alone = played(plan, truth)
    rest = {n: float(v[0]) for n, v in alone.baseline.items()}
    twin = _twin(rest, truth.person, rng, key)
    told = compare(played(plan, of_twin(twin, _NOW, given.members)), TABLES)
    rows = [{c.name: c.chance for c in o.chances} for o in told.options]
    chances = np.array([[row[n] for n in NAMES] for row in rows])
    target = NAMES.index(LADDERS[ladder].target)
    return Asked(key, kind, place, target, chances, _labels(alone)[:, :, 0])


def _scores(asked: list[Asked]) -> dict[str, object]:
    """Return what was promised, and what stands beside it."""
    chances, truth = np.array([a.chances for a in asked]), np.array([a.truth for a in asked])
    planted = np.array([a.told for a in asked if a.kind == "planted"]) >= FOUND
    near = np.array([a.told for a in asked if a.kind == "near"]) >= FOUND
    base = truth.mean(axis=(0, 1), keepdims=True)
    brier, reference = np.mean((chances - truth) ** 2), np.mean((base - truth) ** 2)
    flagged = chances >= FOUND
    return {
        "complication_sensitivity": float(planted.mean()),
        "sensitivity_95": jeffreys(int(planted.sum()), len(planted)),
        "found_of_all_met": float(flagged[truth > 0].mean()),
        "false_findings": float(flagged[truth == 0].mean()),
        "false_of_all_told": float(1.0 - truth[flagged].mean()),
        "near_misses_flagged": float(near.mean()),
        "brier_skill": float(1.0 - brier / reference),
        "base_rate": float(truth.mean()),
        "patients": len(asked),
        "planted": len(planted),
    }


def _rules(asked: list[Asked]) -> Iterator[str]:
    """Yield what other chances from which one is told would find, and tell falsely."""
    chances, truth = np.array([a.chances for a in asked]), np.array([a.truth for a in asked])
    planted = np.array([a.told for a in asked if a.kind == "planted"])
    near = np.array([a.told for a in asked if a.kind == "near"])
    yield "told from  planted found  false, of unmet  of told  near misses"
    for rule in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        told = chances >= rule
        shares = (planted >= rule).mean(), told[truth == 0].mean(), 1.0 - truth[told].mean()
        yield "{:9.2f}  {:13.3f}  {:15.4f}  {:7.3f}  {:11.3f}".format(
            rule, *shares, (near >= rule).mean()
        )


def _calibration(asked: list[Asked]) -> Iterator[str]:
    chances = np.concatenate([a.chances.ravel() for a in asked])
    truth = np.concatenate([a.truth.ravel() for a in asked])
    yield "told         met   of"
    for low, high in pairwise((0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98, 1.0001)):
        inside = (chances >= low) & (chances < high)
        if inside.any():
            met, count = truth[inside].mean(), int(inside.sum())
            yield f"{low:4.2f}-{min(high, 1.0):4.2f}  {met:6.3f}  {count:4d}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--seed", type=int, default=211)
    parser.add_argument("--kept", type=Path, help="patients so far: the run goes on from there")
    given = parser.parse_args()
    began, asked, known = time.perf_counter(), list[Asked](), dict[str, Asked]()
    if given.kept and given.kept.exists():
        known = {a.key: a for a in map(_read, given.kept.read_text().splitlines())}
    count = max(given.patients // len(PEOPLE), 2)
    for k, person in enumerate(PEOPLE):
        truths = drawn(person, 3 * count // 2, 1000 * given.seed + k)
        for one in _asked(truths, count, given, known):
            asked.append(one)
            if given.kept and one.key not in known:
                with given.kept.open("a") as file:
                    file.write(_line(one) + "\n")
            if len(asked) % 10 == 0:
                spent = time.perf_counter() - began
                print(f"{person.age:g} years: {len(asked)} so far, {spent:.0f} s", flush=True)
    print("\n".join([*_calibration(asked), *_rules(asked)]))
    for name, target in ((n, NAMES.index(n)) for n in dict.fromkeys(x.target for x in LADDERS)):
        own = [a.told >= FOUND for a in asked if a.kind == "planted" and a.target == target]
        print(f"{name}: {sum(own)} of {len(own)} planted found")
    print(json.dumps(_scores(asked)))


if __name__ == "__main__":
    main()
