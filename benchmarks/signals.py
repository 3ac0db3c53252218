"""Live beats, class, rhythm and alarms on annotated records, beside the offline detectors.

    python3 dev.py bench signals [--data DIR] [--no-peers] [--records 100,108] [--alarms]

DIR is a folder of WFDB records with ``.atr`` marks (default: the shared development records).
Prints a table and, as its last line, one JSON object. Rules: beats as in `isosoma.signals.scoring`
(channel 0, whole record). V: annotated V and E against detections called V; a missed V is a miss;
a false V is one on an N or S class beat or on no beat; fusion, paced and unknown beats count
neither way. AF: windows of 64 intervals, half overlapping, intervals beside our own V left out,
paced records left out. Alarms: both leads are given, as at a bedside; those of the pressure are
measured by `pressure_alarms`, on arterial waves. `--alarms` measures alarms alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pressure_alarms
from scipy.signal import resample_poly
from tqdm import tqdm

from isosoma.exchange.annotations import BEAT_SYMBOLS, Annotations, read_annotations
from isosoma.exchange.wfdb import read_record
from isosoma.signals import beats as detector
from isosoma.signals import scoring
from isosoma.signals.cosen import cosen
from isosoma.signals.events import RULES
from isosoma.signals.monitor import monitor_start, monitor_tick
from isosoma.signals.synthetic import Episode, Plan, synthesise

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data" / "signals"
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NORMAL_OR_S = "NLRejAaJSn"
VENTRICULAR = "VE"
RATES = (128, 250, 500, 1000)
WITHIN = 10.0  # [s] a red flag may take


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One record, its marks, and what the monitor made of it."""

    name: str
    hz: float
    ecg: Floats  # (leads, n) [V]
    marks: Annotations
    r: Ints
    decided: Ints
    kind: Ints
    alarms: tuple[tuple[str, float], ...]

    @property
    def fibrillation(self) -> list[tuple[int, int]]:
        """Spans between ``[`` and ``]`` [samples]."""
        out, since = list[tuple[int, int]](), -1
        for at, symbol in zip(self.marks.sample, self.marks.symbol, strict=True):
            if symbol == "[":
                since = int(at)
            elif symbol == "]" and since >= 0:
                out.append((since, int(at)))
                since = -1
        return [*out, (since, 1 << 60)] if since >= 0 else out

    @property
    def beats(self) -> tuple[Ints, npt.NDArray[np.str_]]:
        """Annotated beats: samples and symbols."""
        symbols = np.array(self.marks.symbol)
        keep = np.isin(symbols, list(BEAT_SYMBOLS))
        return self.marks.sample[keep], symbols[keep]


def volts(path: Path, hz: float | None = None) -> tuple[float, Floats, list[str]]:
    """Rate, all signals of the highest rate (n signals, n samples) in header unit, names."""
    record = read_record(path)
    hz = hz or max(s.hz for s in record.signals)
    kept = [s for s in record.signals if s.hz == hz]
    rows = [(s.samples.astype(np.float64) - s.baseline) / s.gain for s in kept]
    for row, s in zip(rows, kept, strict=True):
        for a, b in s.missing:
            row[a:b] = np.nan
    return hz, np.array(rows), [s.name for s in kept]


def alarms_of(ecg: Floats, hz: float, pulse: Floats | None = None) -> tuple[Any, Any]:
    """Beats and raised alarms (name, instant [s]) of one patient, ecg (leads, n) [V]."""
    state = monitor_start(1, hz, leads=len(ecg))
    out = monitor_tick(state, ecg[None], None if pulse is None else pulse[None])
    e = out.events
    raised = [
        (RULES[r].name, float(at)) for r, at, up in zip(e.rule, e.at, e.raised, strict=True) if up
    ]
    return out.beats, tuple(raised)


def run_record(path: Path) -> Run:
    """Monitor one record and read its marks."""
    hz, rows, _ = volts(path)
    ecg = rows[:2] * 1e-3
    beats, raised = alarms_of(ecg, hz)
    marks = read_annotations(path.with_suffix(".atr"))
    order = np.argsort(beats.r, kind="stable")
    return Run(
        path.stem, hz, ecg, marks, beats.r[order], beats.decided[order], beats.kind[order], raised
    )


def count(run: Run, found: Ints, reach: float) -> scoring.Score:
    """Score detections of one record at a tolerance [s]."""
    return scoring.score(run.beats[0], found, int(reach * run.hz), run.fibrillation)


def by_rate(runs: list[Run]) -> dict[int, float]:
    """F1 at 150 ms of the records resampled to other rates [Hz], by polyphase filters."""
    out = dict[int, float]()
    for hz in RATES:
        total = scoring.Score(0, 0, 0)
        for run in runs:
            share = gcd(hz, int(run.hz))
            ecg = resample_poly(np.nan_to_num(run.ecg[0]), hz // share, int(run.hz) // share)
            found = detector.tick(detector.start(1, float(hz)), ecg[None]).r
            total += count(run, np.round(np.sort(found) * run.hz / hz).astype(np.int64), 0.15)
        out[hz] = round(scoring.f1(total), 4)
    return out


def ventricular(run: Run) -> tuple[int, int, int]:
    """True, missed and false V beats."""
    at, symbols = run.beats
    keep, kept = scoring.drop(at, run.fibrillation), scoring.drop(run.r, run.fibrillation)
    at, symbols, r, kind = at[keep], symbols[keep], run.r[kept], run.kind[kept]
    pair = scoring.match(at, r, int(0.15 * run.hz))
    called = np.where(pair >= 0, kind[np.maximum(pair, 0)] == 2, False)
    is_v = np.isin(symbols, list(VENTRICULAR))
    alone = np.ones(len(r), np.bool_)
    alone[pair[pair >= 0]] = False
    false = (called & np.isin(symbols, list(NORMAL_OR_S))).sum() + (alone & (kind == 2)).sum()
    return int((called & is_v).sum()), int((~called & is_v).sum()), int(false)


def af_spans(run: Run) -> list[tuple[int, int]]:
    """Where the expert's rhythm is AF [samples]."""
    changes = [
        (int(a), x)
        for a, s, x in zip(run.marks.sample, run.marks.symbol, run.marks.aux, strict=True)
        if s == "+" and x.startswith("(")
    ]
    ends = [a for a, _ in changes[1:]] + [run.ecg.shape[1]]
    return [(a, e) for (a, x), e in zip(changes, ends, strict=True) if x.startswith("(AFIB")]


def af_windows(run: Run) -> tuple[list[float], list[float]]:
    """COSEn of windows in AF and not in AF."""
    if "/" in run.marks.symbol:
        return [], []
    plain = (run.kind[1:] != 2) & (run.kind[:-1] != 2)
    rr, at = np.diff(run.r)[plain] / run.hz, run.r[1:][plain]
    inside, outside = list[float](), list[float]()
    spans = af_spans(run)
    for i in range(0, len(rr) - 63, 32):
        value = cosen(rr[i : i + 64])
        if np.isfinite(value):
            middle = ~scoring.drop(at[i : i + 64], spans)
            (inside if middle.mean() > 0.5 else outside).append(value)
    return inside, outside


def _rate(at: Floats, beats: int, low: float, high: float) -> Floats:
    """Mean rates over `beats` intervals that end within [low, high] [1/min]."""
    if len(at) <= beats:
        return np.zeros(0)
    rates = 60.0 * beats / (at[beats:] - at[:-beats])
    return rates[(at[beats:] >= low) & (at[beats:] <= high)]


def is_true(run: Run, name: str, at: float) -> bool:
    """Whether the expert's marks support an alarm at `at` [s]."""
    samples, symbols = run.beats
    wild = run.marks.sample[np.array(run.marks.symbol) == "!"] / run.hz
    t = np.sort(np.concatenate([samples / run.hz, wild]))
    if name == "ventricular fibrillation":
        return any(a / run.hz <= at <= b / run.hz + 5 for a, b in run.fibrillation)
    if name in ("asystole", "pause"):
        gaps = np.diff(t)[(t[1:] > at - 1) & (t[:-1] < at)]
        return bool(len(gaps)) and gaps.max() >= (4.0 if name == "asystole" else 2.9)
    if name == "ventricular tachycardia":
        v = np.sort(np.concatenate([samples[np.isin(symbols, ["V"])] / run.hz, wild]))
        v = v[(v > at - 12) & (v <= at)]
        return bool(np.any(v[4:] - v[:-4] < 2.6)) if len(v) > 4 else False
    if name == "extreme bradycardia":
        return bool(np.any(_rate(t, 5, at - 12, at + 1) < 42))
    if name == "extreme tachycardia":
        return bool(np.any(_rate(t, 16, at - 12, at + 1) > 136))
    if name == "atrial fibrillation":
        return any(a / run.hz - 5 <= at <= b / run.hz + 60 for a, b in af_spans(run))
    return False


def alarm_table(runs: list[Run]) -> dict[str, list[int]]:
    """True and false alarms by name."""
    out: dict[str, list[int]] = {}
    for run in runs:
        for name, at in run.alarms:
            out.setdefault(name, [0, 0])[0 if is_true(run, name, at) else 1] += 1
    return out


def red_flags(runs: list[Run]) -> tuple[int, int, list[float]]:
    """Found and all red flags of known onset, and the delays [s]: VF, and asystole we simulate."""
    delays, total = list[float](), 0
    for run in runs:
        for a, b in run.fibrillation:
            if b - a < 4 * run.hz:
                continue
            total += 1
            hits = [t - a / run.hz for n, t in run.alarms if n == "ventricular fibrillation"]
            delays += [d for d in hits if 0 <= d <= WITHIN][:1]
    rng = np.random.default_rng(1)
    for run in tqdm(runs, desc="simulated asystole", leave=False):
        onset = int(120 * run.hz)
        ecg = run.ecg[:1, : onset + int(15 * run.hz)].copy()
        tail = ecg[0, onset:]
        tail[:] = ecg[0, onset - 1] + 15e-6 * rng.standard_normal(len(tail))
        total += 1
        delays += asystole_delay(ecg, run.hz, 120.0)
    for seed in range(10):
        plan = Plan(episodes=(Episode("asystole", 60.0, 90.0),))
        total += 1
        delays += asystole_delay(synthesise(75.0, 250.0, seed, plan).ecg[None], 250.0, 60.0)
    return len(delays), total, delays


def asystole_delay(ecg: Floats, hz: float, onset: float) -> list[float]:
    """Delay of the asystole alarm [s], empty where it did not come in time."""
    _, raised = alarms_of(ecg, hz)
    late = [t - onset for n, t in raised if n == "asystole" and t >= onset]
    return [d for d in late if d <= WITHIN][:1]


def recorded_false_alarms() -> tuple[int, list[str]]:
    """Every alarm in a recorded false asystole and a false VT: how many, and which."""
    wrong, told = 0, list[str]()
    for name in ("a103l", "v102s"):
        path = SHARED / "icu_waveforms" / f"{name}.hea"
        if not path.is_file():
            continue
        hz, rows, names = volts(path, 250.0)
        pulse = rows[names.index("PLETH")]
        _, raised = alarms_of(rows[:2] * 1e-3, hz, pulse)
        wrong += len(raised)
        told += [f"{name} {n} at {t:.0f} s" for n, t in raised]
    return wrong, told


def fleet(patients: int, monitor: bool) -> float:
    """CPU time of one tick of 1 s at 250 Hz, median of 12 [ms]; one core."""
    made = synthesise(80.0, 250.0, 7, Plan(ventricular=0.05)).ecg
    one: Any = monitor_start(patients, 250.0) if monitor else detector.start(patients, 250.0)
    shift = (np.arange(patients) * 97) % 15000
    spent = list[float]()
    for second in range(15):
        chunk = made[shift[:, None] + np.arange(250)[None, :] + 250 * second]
        began = time.process_time()
        if monitor:
            monitor_tick(one, chunk)
        else:
            detector.tick(one, chunk)
        spent.append(1e3 * (time.process_time() - began))
    return float(np.median(spent[3:]))


def run_peers(runs: list[Run]) -> dict[str, dict[str, float]]:
    """F1 of the peers: the better of raw and constant-delay-corrected detections."""
    python = os.environ.get("ISOSOMA_PEERS")
    if not python or not runs:
        return {}
    out: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "hz").write_text(str(runs[0].hz))
        for run in runs:
            np.save(place / f"{run.name}.npy", run.ecg[0] * 1e3)
        script = Path(__file__).with_name("signals_peers.py")
        subprocess.run([python, script, place], check=True)
        names = sorted({p.name.split(".", 1)[1][:-4] for p in place.glob("*.npz")})
        for name in names:
            found = {r.name: np.load(place / f"{r.name}.{name}.npz")["r"] for r in runs}
            out[name] = _best(runs, found)
    return out


def _best(runs: list[Run], found: dict[str, Ints]) -> dict[str, float]:
    def figures(shift: dict[str, int]) -> dict[str, float]:
        a, b = scoring.Score(0, 0, 0), scoring.Score(0, 0, 0)
        out: dict[str, float] = {}
        for run in runs:
            moved = found[run.name] - shift[run.name]
            one = count(run, moved, 0.15)
            a, b = a + one, b + count(run, moved, 0.075)
            if run.name == "108":
                out["f1_150_record_108"] = round(scoring.f1(one), 4)
        return {"f1_150": round(scoring.f1(a), 4), "f1_75": round(scoring.f1(b), 4), **out}

    def delay(run: Run) -> int:
        pair = scoring.match(run.beats[0], np.sort(found[run.name]), int(0.15 * run.hz))
        hit = pair >= 0
        if not hit.any():
            return 0
        return int(np.median(np.sort(found[run.name])[pair[hit]] - run.beats[0][hit]))

    one = int(np.median([delay(run) for run in runs]))
    raw, corrected = figures({r.name: 0 for r in runs}), figures({r.name: one for r in runs})
    return max(raw, corrected, key=lambda f: f["f1_75"])


def intake() -> dict[str, float]:
    """Durable intake rates, where its benchmark lies beside this one."""
    path = Path(__file__).with_name("intake_rate.py")
    if not path.is_file():
        return {}
    spec = importlib.util.spec_from_file_location("intake_rate", path)
    if spec is None or spec.loader is None:
        return {}
    module = importlib.util.module_from_spec(spec)
    sys.modules["intake_rate"] = module
    spec.loader.exec_module(module)
    return dict(module.measure())


def figures(runs: list[Run]) -> dict[str, Any]:
    """Everything measured on annotated records, in the keys of the JSON line."""
    wide, narrow, hard = (scoring.Score(0, 0, 0),) * 3
    true = missed = false = 0
    print(f"{'record':>8} {'beats':>6} {'missed':>6} {'false':>6} {'F1 150':>7} {'F1 75':>7}")
    for run in runs:
        a, b = count(run, run.r, 0.15), count(run, run.r, 0.075)
        wide, narrow = wide + a, narrow + b
        hard = a if run.name == "108" else hard
        t, m, f = ventricular(run)
        true, missed, false = true + t, missed + m, false + f
        gone, wrong = a.beats - a.matched, a.detections - a.matched
        print(
            f"{run.name:>8} {a.beats:6} {gone:6} {wrong:6} "
            f"{scoring.f1(a):7.4f} {scoring.f1(b):7.4f}   V {t + m:5} missed {m:4} false {f:4}"
        )
    late = np.concatenate([(r.decided - r.r) / r.hz for r in runs])
    windows = [af_windows(run) for run in runs]
    inside = np.array([v for w in windows for v in w[0]])
    outside = np.array([v for w in windows for v in w[1]])
    return {
        "f1_150": round(scoring.f1(wide), 4),
        "f1_75": round(scoring.f1(narrow), 4),
        "f1_150_record_108": round(scoring.f1(hard), 4) if hard.beats else None,
        "v_sensitivity": round(true / max(true + missed, 1), 4),
        "v_ppv": round(true / max(true + false, 1), 4),
        "delay_p95_s": round(float(np.quantile(late, 0.95)), 4),
        "delay_max_s": round(float(late.max()), 3),
        "af_auc": round(scoring.roc_area(inside, outside), 4) if len(inside) else None,
        "af_windows": [len(inside), len(outside)],
    }


def main() -> int:
    """Run everything and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED / "mitdb")
    parser.add_argument("--records", default="")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--alarms", action="store_true")
    asked = parser.parse_args()
    paths = sorted(p for p in asked.data.glob("*.hea") if p.with_suffix(".atr").is_file())
    paths = [p for p in paths if not asked.records or p.stem in asked.records.split(",")]
    if not paths:
        print(f"{asked.data} holds no .hea with an .atr beside it", file=sys.stderr)
        return 2
    runs = [run_record(p) for p in tqdm(paths, desc="records")]
    found = alarm_figures(runs)
    if asked.alarms:
        print(json.dumps(found))
        return 0
    found |= figures(runs) | fleet_figures(runs, peers=not asked.no_peers) | intake()
    print(json.dumps(found))
    return 0


def alarm_figures(runs: list[Run]) -> dict[str, Any]:
    """Everything about alarms: how many, how many of them true, and what is missed."""
    hits, total, delays = red_flags(runs)
    table = alarm_table(runs)
    days = sum(r.ecg.shape[1] / r.hz for r in runs) / 86400.0
    print("\nalarms over", f"{24 * days:.1f} h:")
    for name, (good, bad) in sorted(table.items()):
        print(f"  {name:26} true {good:4}  false {bad:4}")
    wrong, told = recorded_false_alarms()
    print("recorded false alarms:", "; ".join(told) or "nothing raised")
    if delays:
        print(f"red flags {hits} of {total}, slowest {max(delays):.1f} s")
    good, bad = (sum(v[i] for v in table.values()) for i in (0, 1))
    return {
        "false_alarms": wrong,
        "red_flags_found": hits,
        "red_flags_total": total,
        "alarms_per_bed_day": round((good + bad) / days, 2),
        "true_alarms_per_bed_day": round(good / days, 2),
        "false_alarms_per_bed_day": round(bad / days, 2),
        **pressure_alarms.measure(pressure_alarms.BEDS),
    }


def fleet_figures(runs: list[Run], peers: bool) -> dict[str, Any]:
    """Cost of a fleet, beats at other rates, and the peers."""
    sizes = {p: round(fleet(p, False), 3) for p in (100, 1000, 10000)}
    whole = {p: round(fleet(p, True), 3) for p in (100, 1000, 10000)}
    print("fleet tick [ms per core], beats alone:", sizes, " beats, rhythm, events:", whole)
    rates = by_rate(runs)
    print("F1 at 150 ms, resampled to [Hz]:", rates)
    found = run_peers(runs) if peers else {}
    for name, row in found.items():
        print(f"{name:>12}", row)
    return {
        "f1_150_by_hz": rates,
        "fleet_tick_ms": sizes[1000],
        "fleet_tick_ms_by_patients": sizes,
        "fleet_monitor_tick_ms_by_patients": whole,
        "observations_per_s": None,
        "samples_per_s": None,
        "peers": found,
    }


if __name__ == "__main__":
    sys.exit(main())
