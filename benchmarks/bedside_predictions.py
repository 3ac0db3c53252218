"""Whether a watch over a locked prediction finds a bleed in time, and explains what went wrong.

    python3 dev.py bench bedside_predictions [--cases 8] [--quiet 96] [--bleeds 16] [--seed 1]

Hidden plants are draws of an adult's prior. The belief about each is the members of another draw
that are nearest to one minute of its noisy readings: arterial line, ECG, oximeter, central venous
line, a reading each 5 s. Quiet plants are watched for ten minutes each; bleeds of 10 mL/min/kg
begin at 120 s; each of five causes, of random severity, is explained one minute after the alert.
The truth is the twin's own model: what the model leaves out is not in this. Last line: one JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from isosoma.core.intervention import Intervention
from isosoma.core.observation import Observation
from isosoma.core.units import to_si
from isosoma.organs.circulation.body import Person
from isosoma.scenario.ensemble import begun, drawn, part, standing
from isosoma.scenario.explanation import CAUSES, Readings, explain, perturbation
from isosoma.scenario.hindsight import score
from isosoma.scenario.prediction import OUTPUTS, Prediction, quantiles
from isosoma.scenario.watching import Alert, Watching, watch
from isosoma.twin.course import Running, follow

Floats = npt.NDArray[np.float64]

PERSON = Person()
EVERY, SECONDS, ONSET, LEARNT = 5.0, 600.0, 120.0, 60.0
NEAREST, TOLD, LIBRARY, LATER = 24, 6, 192, 60.0
SIGMA = {n: to_si(2.0, "mm[Hg]") for n in OUTPUTS} | {
    "central_venous_pressure": to_si(1.0, "mm[Hg]"), "oxygen_saturation": 0.01,
    "heart_rate": to_si(2.0, "/min"),
}  # fmt: skip
"""Noise of a reading, the breath's wave among it."""
RANGE = {
    "bleeding": (4.0, 12.0), "vasoplegia": (0.35, 0.65), "pump failure": (0.3, 0.6),
    "tamponade": (4.0, 8.0), "sensor": (10.0, 40.0),
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Library:
    """Members the belief is chosen from, at time 0, and their quiet course (frames, N)."""

    run: Running
    times: Floats
    quiet: dict[str, Floats]


def library() -> Library:
    """Return the library, played for ten minutes."""
    run, _ = standing(begun(drawn(PERSON, LIBRARY, seed=7), ()), ())
    course = follow(run, (), SECONDS, EVERY)
    return Library(run, course.times, {n: course.output(n) for n in OUTPUTS})


def noisy(course: dict[str, Floats], rng: np.random.Generator) -> dict[str, Floats]:
    """Return readings of a course (frames,)."""
    return {n: v + SIGMA[n] * rng.standard_normal(v.shape) for n, v in course.items()}


def nearest(known: Library, y: dict[str, Floats]) -> npt.NDArray[np.int64]:
    """Return the members nearest to the first minute, in sigmas."""
    first = known.times <= LEARNT
    far = sum(((known.quiet[n][first].mean(axis=0) - y[n][first].mean()) / SIGMA[n]) ** 2
              for n in OUTPUTS)  # fmt: skip
    return np.argsort(np.nan_to_num(np.asarray(far), nan=np.inf), kind="stable")[:NEAREST]


def predicted(known: Library, chosen: npt.NDArray[np.int64]) -> Prediction:
    """Return the prediction that the chosen members make."""
    values = {n: quantiles(known.quiet[n][:, chosen]) for n in OUTPUTS}
    return Prediction("bench", "wait", 0, known.times, values, "")


def readings(times: Floats, y: dict[str, Floats], after: float) -> list[Observation]:
    """Return the readings after a time, in order."""
    return [
        Observation("p", n, round(t * 1e9), round(t * 1e9), float(y[n][i]), SIGMA[n])
        for i, t in enumerate(times) if t > after for n in OUTPUTS if np.isfinite(y[n][i])
    ]  # fmt: skip


def watched(said: Prediction, seen: list[Observation]) -> tuple[Alert, float] | None:
    """Return the first alert, and when it came [s]."""
    state = Watching(said, EVERY)
    for o in seen:
        state, alert = watch(state, o)
        if alert is not None:
            return alert, o.at / 1e9
    return None


def plants(count: int, seed: int) -> Running:
    """Return hidden plants at time 0."""
    return standing(begun(drawn(PERSON, count, seed=seed), ()), ())[0]


def played(run: Running, acts: tuple[Intervention, ...], seconds: float) -> dict[str, Floats]:
    """Return the outputs, (frames, N)."""
    course = follow(run, acts, seconds, EVERY)
    return {n: course.output(n) for n in OUTPUTS}


def quiet(known: Library, count: int, rng: np.random.Generator, seed: int) -> dict[str, float]:
    """Return false alerts per 24 h, and how well the bands hold the readings."""
    whole = played(plants(count, seed + 1000), (), SECONDS)
    alerts, inside = 0, list[tuple[float, float]]()
    for i in range(count):
        y = noisy({n: v[:, i] for n, v in whole.items()}, rng)
        said = predicted(known, nearest(known, y))
        seen = readings(known.times, y, LEARNT)
        alerts += watched(said, seen) is not None
        inside += [(s.inside_50, s.inside_90) for s in score(said, seen).values()]
    hours = count * (SECONDS - LEARNT) / 3600.0
    half, most = np.mean(inside, axis=0)
    return {"quiet_hours": hours, "false_alerts": alerts, "false_alerts_24h": 24.0 * alerts / hours,
            "inside_50": float(half), "inside_90": float(most)}  # fmt: skip


def bleeds(known: Library, count: int, rng: np.random.Generator, seed: int) -> dict[str, float]:
    """Return how soon a bleed of 10 mL/min/kg is found."""
    act = perturbation("bleeding", 10.0, ONSET, PERSON)
    whole = played(plants(count, seed + 2000), (act,), ONSET + 300.0)
    waits = list[float]()
    for i in range(count):
        y = noisy({n: v[:, i] for n, v in whole.items()}, rng)
        times = known.times[: len(y[OUTPUTS[0]])]
        found = watched(predicted(known, nearest(known, _padded(y, known))),
                        readings(times, y, LEARNT))  # fmt: skip
        right = found is not None and found[1] >= ONSET
        waits.append(found[1] - ONSET if found is not None and right else np.inf)
    finite = [w for w in waits if np.isfinite(w)]
    return {"bleeds": count, "bleeds_in_120s": int(np.sum(np.array(waits) <= 120.0)),
            "bleed_found_median_s": float(np.median(finite)), "bleed_found_most_s": max(finite),
            "bleeds_missed": count - len(finite)}  # fmt: skip


def _padded(y: dict[str, Floats], known: Library) -> dict[str, Floats]:
    rows = len(known.times)
    return {n: np.pad(v, (0, rows - len(v)), mode="edge") for n, v in y.items()}


def explained(known: Library, cases: int, seed: int) -> dict[str, object]:
    """Return how often the right cause comes first."""
    rng = np.random.Generator(np.random.Philox(seed + 3000))
    hidden, table, missed, right = plants(cases * len(CAUSES), seed + 3000), Counter(), 0, 0
    for k in range(cases * len(CAUSES)):
        cause = CAUSES[k % len(CAUSES)]
        first = _first(known, part(hidden, k, k + 1), cause, rng)
        table[f"{cause} > {first}"] += 1
        right += first == cause
        missed += first == "no alert"
        print(f"{cause} > {first}", flush=True)
    total = cases * len(CAUSES)
    wrong = {k: v for k, v in sorted(table.items()) if len(set(k.split(" > "))) > 1}
    return {"cases": total, "right_first": right / total, "not_noticed": missed, "wrong": wrong}


def _first(known: Library, plant: Running, cause: str, rng: np.random.Generator) -> str:
    severity = float(np.exp(rng.uniform(*np.log(RANGE[cause]))))
    acts = () if cause == "sensor" else (perturbation(cause, severity, ONSET, PERSON),)
    y = noisy({n: v[:, 0] for n, v in played(plant, acts, ONSET + 360.0).items()}, rng)
    times = known.times[: len(y[OUTPUTS[0]])]
    if cause == "sensor":
        name, sign = OUTPUTS[rng.integers(len(OUTPUTS))], rng.choice([-1.0, 1.0])
        y[name] = y[name] + sign * severity * SIGMA[name] * (times >= ONSET)
    chosen = nearest(known, _padded(y, known))
    found = watched(predicted(known, chosen), readings(times, y, LEARNT))
    if found is None or found[1] < ONSET:
        return "no alert" if found is None else "false alert"
    alert, at = found
    upto = times <= at + LATER
    run = part(known.run, 0, LIBRARY)
    few = chosen[:TOLD]
    told = Running(
        run.model, {k: v[few] for k, v in run.state.items()},
        {k: v[few] for k, v in run.theta.items()}, {k: v[few] for k, v in run.inputs.items()},
        run.tick, run.origin, run.failed[few],
    )  # fmt: skip
    data = Readings(times[upto], {n: v[upto] for n, v in y.items()}, SIGMA)
    return explain(told, (), PERSON, data, alert.onset)[0].cause


def main() -> None:
    """Run the benchmark."""
    reader = argparse.ArgumentParser()
    for name, usual in (("cases", 8), ("quiet", 96), ("bleeds", 16), ("seed", 1)):
        reader.add_argument(f"--{name}", type=int, default=usual)
    args, begin = reader.parse_args(), time.perf_counter()
    rng = np.random.Generator(np.random.Philox(args.seed))
    known = library()
    out: dict[str, object] = dict(quiet(known, args.quiet, rng, args.seed))
    print(json.dumps(out), flush=True)
    out |= bleeds(known, args.bleeds, rng, args.seed)
    print(json.dumps(out), flush=True)
    out |= explained(known, args.cases, args.seed)
    print(json.dumps(out | {"seconds": round(time.perf_counter() - begin, 1)}))


if __name__ == "__main__":
    main()
