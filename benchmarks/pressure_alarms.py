"""Pressure alarms on real arterial waves: as they were recorded, and with falls of known time.

    python3 dev.py bench pressure_alarms [--beds 48]

Prints a table and, as its last line, one JSON object. *As recorded*: three records that give mmHg.
*Replayed*: hours of real waves, looped, each bed at a level of its own that wanders; in each hour
one fall and one rise of the mean are planted, and each artefact once: flush, tap closed for a
sample, zeroing, movement, a damped line, a lost line, spikes. A real bed has far fewer of each.

Truth is the mean of the clean wave over 10 s (for a systolic alarm, the median top of 2 s). An
alarm is true where that was beyond the limit within the 30 s before (2 mmHg of grace); an excursion
is missed where the mean lay 2 mmHg beyond the limit for 30 s on end and no alarm of that side stood
within 45 s of its beginning. While no pulse can be seen (flush, tap, zero, movement, lost) nobody
can tell, and the clock of a miss does not run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.io import loadmat
from scipy.ndimage import uniform_filter1d
from scipy.signal import butter, sosfilt

from isosoma.core.units import to_si
from isosoma.exchange.wfdb import read_record
from isosoma.signals.events import RULES
from isosoma.signals.monitor import monitor_start, monitor_tick

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "signals"
Floats = npt.NDArray[np.float64]
HZ, HOUR, BEDS = 125.0, 3600, 48
MMHG = to_si(1.0, "mm[Hg]")
GRACE, LONG, IN_TIME, BLIND = 2.0, 30, 45, 10  # [mmHg], [s], [s], [s]
SIDES = {
    "low": ("very low arterial pressure", "low arterial pressure"),
    "high": ("high arterial pressure",),
}
LIMITS = {r.name: r.level / MMHG for r in RULES if r.measure == "mean_pressure"}
TOPS = {r.name: (r.level / MMHG, r.above) for r in RULES if r.measure == "systolic_pressure"}
ARTEFACTS = ("flush", "tap", "zero", "movement", "damped", "lost", "spikes")


class Bed(NamedTuple):
    """One hour of a bed [mmHg]: what the line gives, the clean wave, and when nobody can tell."""

    seen: Floats
    clean: Floats
    blind: npt.NDArray[np.bool_]


def waves() -> dict[str, Floats]:
    """Real arterial waves at 125 Hz [mmHg]; the level of 03700181 is not to be trusted."""
    found = {"abpsampledata": loadmat(SHARED / "ppg" / "abpsampledata.mat")["data_simp"][:, 0]}
    for name, signal in (("TestICU", "col 3"), ("041s", "ABP"), ("03700181", "ABP")):
        record = read_record(SHARED / "icu_waveforms" / f"{name}.hea")
        one = next(s for s in record.signals if s.name == signal)
        found[name] = (one.samples - one.baseline) / one.gain
    return {name: np.asarray(x, np.float64) for name, x in found.items()}


def alarms_of(pressure: Floats) -> list[list[tuple[str, float, bool]]]:
    """Changes (rule, instant [s], begins) of every bed, pressure (beds, n) [mmHg]."""
    beds, second = len(pressure), int(HZ)
    state, still = monitor_start(beds, HZ), np.zeros((beds, second))
    out: list[list[tuple[str, float, bool]]] = [[] for _ in range(beds)]
    for at in range(0, pressure.shape[1] - second + 1, second):
        part = pressure[:, at : at + second] * MMHG
        e = monitor_tick(state, still, part, "arterial_pressure").events
        for bed, rule, t, up in zip(*(c.tolist() for c in e), strict=True):
            if "arterial pressure" in RULES[rule].name or "systolic" in RULES[rule].name:
                out[bed].append((RULES[rule].name, t, up))
    return out


def truth(clean: Floats) -> Floats:
    """Mean over the 10 s before each whole second [mmHg]."""
    n = int(10 * HZ)
    sums = np.concatenate([[0.0], np.cumsum(clean)])
    ends = np.arange(1, len(clean) // int(HZ) + 1) * int(HZ)
    starts = np.maximum(ends - n, 0)
    return (sums[ends] - sums[starts]) / (ends - starts)


def excursions(mean: Floats, side: str, blind: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Spans [s] of 30 s and more beyond the limit by the grace, where somebody can tell."""
    limit = LIMITS["low arterial pressure" if side == "low" else "high arterial pressure"]
    beyond = mean < limit - GRACE if side == "low" else mean > limit + GRACE
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (beyond & ~blind).astype(int), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= LONG]


def judged(said: list[tuple[str, float, bool]], bed: Bed) -> dict[str, Any]:
    """True and false alarms by rule, excursions, which of them were missed, and delays [s]."""
    mean, out = truth(bed.clean), dict[str, Any](true={}, false={}, found=0, missed=0, delays=[])
    for name, t, up in said:
        if up and name in LIMITS:
            past = mean[max(int(t) - 30, 0) : int(t)]
            low = name in SIDES["low"]
            real = past.min() < LIMITS[name] + GRACE if low else past.max() > LIMITS[name] - GRACE
            kind = out["true" if real else "false"]
            kind[name] = kind.get(name, 0) + 1
        elif up and name in TOPS:
            kind = out["true" if _top_beyond(bed.clean, name, int(t)) else "false"]
            kind[name] = kind.get(name, 0) + 1
    for side, names in SIDES.items():
        for a, b in excursions(mean, side, bed.blind):
            stood = standing(said, names, a, min(b, a + IN_TIME))
            out["found" if stood is not None else "missed"] += 1
            out["delays"] += [] if stood is None else [stood - a]
    return out


def _top_beyond(clean: Floats, name: str, t: int) -> bool:
    """Whether a systolic limit was passed in the 30 s before an instant [s]."""
    limit, above = TOPS[name]
    part = clean[int(max(t - 30, 0) * HZ) : int(t * HZ)]
    two = int(2 * HZ)
    top = float(np.median(part[: len(part) // two * two].reshape(-1, two).max(axis=1)))
    return top > limit - GRACE if above else top < limit + GRACE


def standing(
    said: list[tuple[str, float, bool]], names: tuple[str, ...], a: int, b: int
) -> float | None:
    """When one of the alarms first stood within [a, b] [s]; None for never."""
    raised = set[str]()
    for name, t, up in said:
        if t > b:
            break
        if name in names:
            (raised.add if up else raised.discard)(name)
        if raised and t >= a:
            return t
    return float(a) if raised else None


def looped(wave: Floats, seconds: int, rng: np.random.Generator) -> Floats:
    """The wave over and over, from a random beat on, joined where it has its lowest points."""
    n = round(2 * HZ)
    a = int(np.argmin(wave[:n]))
    b = len(wave) - n + int(np.argmin(wave[-n:]))
    one = wave[a:b] - np.linspace(0.0, wave[b] - wave[a], b - a)
    many = np.tile(one, int(seconds * HZ) // len(one) + 2)
    start = int(rng.integers(len(one)))
    return many[start : start + int(seconds * HZ)]


def bed_of(wave: Floats, rng: np.random.Generator) -> Bed:
    """One hour: a level of its own, one fall and one rise, each artefact once."""
    t = np.arange(int(HOUR * HZ)) / HZ
    x = looped(wave, HOUR, rng)
    swing = rng.uniform(38.0, 62.0) / float(np.median(_swings(x)))
    slow = uniform_filter1d(rng.standard_normal(HOUR // 10), 18) * 4.0 * np.sqrt(18)
    level = rng.normal(88.0, 6.0) + np.interp(t, np.arange(HOUR // 10) * 10.0, slow)
    usual = float(np.mean(level))
    for to, at in ((rng.uniform(40.0, 60.0), 600), (rng.uniform(126.0, 145.0), 2300)):
        begin, fall, hold = at + rng.uniform(0, 200), rng.uniform(10, 120), rng.uniform(60, 300)
        knots = np.cumsum([begin, fall, hold, 60.0])
        level = level + (to - usual) * np.interp(t, knots, [0.0, 1.0, 1.0, 0.0])
    clean = level + swing * (x - x.mean())
    return _disturbed(clean, rng)


def _swings(x: Floats) -> Floats:
    """Height of each 2 s [mmHg]."""
    whole = x[: len(x) // 250 * 250].reshape(-1, 250)
    return whole.max(axis=1) - whole.min(axis=1)


def _disturbed(clean: Floats, rng: np.random.Generator) -> Bed:
    """Add each artefact once, at random, anywhere."""
    seen, blind = clean.copy(), np.zeros(HOUR, np.bool_)
    lengths = {"flush": 4, "tap": 45, "zero": 20, "movement": 20, "damped": 240, "lost": 20,
               "spikes": 30}  # fmt: skip
    for kind in ARTEFACTS:
        a = int(rng.integers(60, HOUR - 300))
        b = a + lengths[kind]
        span = slice(int(a * HZ), int(b * HZ))
        part = seen[span]
        if kind == "flush":
            part[:] = 290.0 + rng.standard_normal(len(part))
        elif kind == "tap":  # the bag fills the closed line
            part[:] = part[0] + np.linspace(0.0, 120.0, len(part)) + rng.standard_normal(len(part))
        elif kind == "zero":
            part[:] = rng.standard_normal(len(part))
        elif kind == "movement":
            noise = np.asarray(sosfilt(butter(2, [0.5, 5.0], "band", fs=HZ, output="sos"),
                            rng.standard_normal(len(part))))  # fmt: skip
            part += noise / noise.std() * 25.0
        elif kind == "damped":
            part[:] = sosfilt(butter(1, 1.5, fs=HZ, output="sos"), part - part[0]) + part[0]
        elif kind == "lost":
            part[:] = np.nan
        else:
            for i in rng.integers(0, len(part) - 30, 20):
                part[i : i + 20] += rng.choice([-1.0, 1.0]) * 80.0
        if kind not in ("damped", "spikes"):
            blind[a : b + BLIND] = True
    return Bed(seen, clean, blind)


def summed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """All beds together."""
    out: dict[str, Any] = {"found": 0, "missed": 0, "delays": [], "true": {}, "false": {}}
    for row in rows:
        for key in ("found", "missed", "delays"):
            out[key] += row[key]
        for key in ("true", "false"):
            for name, n in row[key].items():
                out[key][name] = out[key].get(name, 0) + n
    return out


def recorded(found: dict[str, Floats]) -> dict[str, Any]:
    """The three records whose level is known."""
    out: dict[str, Any] = {}
    for name in ("abpsampledata", "TestICU", "041s"):
        x = found[name]
        said = alarms_of(x[None])[0]
        whole = Bed(x, x, np.zeros(len(x) // int(HZ), np.bool_))
        row = judged(said, whole)
        out[name] = {"seconds": len(x) / HZ, "mean": round(float(x.mean()), 1), **row}
        print(
            f"{name}: {len(x) / HZ:.0f} s, mean {x.mean():.1f} mmHg: {said}; missed {row['missed']}"
        )
    return out


def measure(beds: int) -> dict[str, Any]:
    """Run both parts over so many bed-hours, print a table and return the figures."""
    found = waves()
    records = recorded(found)
    rng = np.random.default_rng(7)
    real = [found[n] for n in ("abpsampledata", "TestICU", "03700181")]
    rows, days = list[dict[str, Any]](), beds / 24.0
    for first in range(0, beds, 12):
        made = [bed_of(real[i % 3], rng) for i in range(first, min(first + 12, beds))]
        said = alarms_of(np.array([b.seen for b in made]))
        rows += [judged(s, b) for s, b in zip(said, made, strict=True)]
    all_ = summed(rows)
    for name in sorted({*all_["true"], *all_["false"]}):
        print(
            f"  {name:28} true {all_['true'].get(name, 0):4}  false {all_['false'].get(name, 0):4}"
        )
    delays = all_["delays"]
    return {
        "pressure_bed_days": round(days, 2),
        "pressure_artefacts": beds * len(ARTEFACTS),
        "pressure_true_per_bed_day": round(sum(all_["true"].values()) / days, 1),
        "pressure_false_per_bed_day": round(sum(all_["false"].values()) / days, 1),
        "pressure_excursions": all_["found"] + all_["missed"],
        "pressure_missed": all_["missed"],
        "pressure_delay_median_s": float(np.median(delays)) if delays else None,
        "pressure_delay_max_s": float(np.max(delays)) if delays else None,
        "pressure_recorded_missed": sum(r["missed"] for r in records.values()),
        "pressure_recorded_false": sum(sum(r["false"].values()) for r in records.values()),
    }  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beds", type=int, default=BEDS, help="bed-hours to replay")
    print(json.dumps(measure(parser.parse_args().beds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
