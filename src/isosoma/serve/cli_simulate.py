"""`isosoma simulate circulation`: what happens to a person, beat by beat, and how it changes."""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.errors import FormatError, InputError, IsosomaError, LimitError
from isosoma.core.quantity import NO_VALUE, show
from isosoma.core.units import convert, ucum
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.acts import read_acts, write_act
from isosoma.organs.circulation.outputs import OUTPUTS
from isosoma.organs.circulation.parameters import shown
from isosoma.organs.circulation.published import Finding, run_case
from isosoma.serve.progress import progress
from isosoma.serve.simulation import (
    Beat,
    Plan,
    Simulation,
    age_of,
    begun,
    duration,
    graph_of,
    person_of,
    plan,
    simulate,
)
from isosoma.twin.course import frames
from isosoma.twin.starting import SETTLING

__all__ = ["run", "summary_of"]

WINDOW = 10.0
"""Beats averaged before the first act, and at the end [s]: two breaths and more."""
_LARGEST = 1_000_000
_ROWS = {"p": ("Pa", "mm[Hg]"), "V": ("m3", "mL"), "q": ("m3/s", "mL/s")}


def run(arguments: argparse.Namespace) -> int:
    """Simulate; 0 well, 1 where the circulation diverged or a case was missed, 2 refused."""
    _check(arguments)
    if arguments.case:
        return _case(Path(arguments.case), arguments.json)
    wanted = _plan(arguments)
    if arguments.csv:
        return _waveforms(wanted, arguments.hz)
    with progress("simulating", wanted.seconds, "s") as told:
        done = simulate(wanted, told)
    if arguments.plot:
        from isosoma.serve.simulate_chart import draw

        Path(arguments.plot).write_text(draw(done), "utf-8")
    print(json.dumps(plain(done), allow_nan=False) if arguments.json else table(done))
    if done.failed:
        print(f"isosoma: {' '.join(done.end.advice)}", file=sys.stderr)
    return 1 if done.failed else 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse arguments that would be left unheard."""
    given = {
        k: getattr(arguments, k) for k in ("person", "set", "do", "graph", "span", "plot", "csv")
    }
    said = [f"--{'for' if k == 'span' else k}" for k, v in given.items() if v]
    if arguments.case and said:
        raise FormatError(
            f"a published case has its own {', '.join(said)}", "--case", "Leave out one of them"
        )
    if arguments.csv and arguments.plot:
        raise FormatError("waveforms come without a picture", "--csv", "Run it again for --plot")


def _plan(arguments: argparse.Namespace) -> Plan:
    person = person_of(arguments.person)
    text = None
    if arguments.graph:
        text = _read(Path(arguments.graph))
    seconds = duration(arguments.span) if arguments.span else 0.0
    try:
        graph = graph_of(text)
    except IsosomaError as error:
        raise error.at(Path(arguments.graph).name) from error
    return plan(person, graph, arguments.set, read_acts(arguments.do), seconds)


def _read(path: Path) -> str:
    if path.stat().st_size > _LARGEST:
        raise LimitError(f"{path.name} is larger than {_LARGEST // 1_000_000} MB")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("the file is no text", path.name) from error


def _shown(name: str, value: float) -> float | None:
    """Return a value in its shown unit; None where it has none."""
    row = VOCABULARY[name]
    if not math.isfinite(value):
        return None
    return float(f"{convert(value, row.unit, row.shown, row.molar_mass or None):.6g}")


def _mean(beats: list[Beat], name: str) -> float:
    return float(np.mean([b.values[name] for b in beats])) if beats else math.nan


def summary_of(done: Simulation) -> dict[str, dict[str, float]]:
    """Return for every output [SI] what it was before the first act, is at the end, and its span.

    Means over the beats of 10 s, and of the last beat where a heart has stopped.
    """
    first, last = min(done.first_act, done.plan.seconds), done.plan.seconds
    before = [b for b in done.beats if first - WINDOW < b.time <= first]
    end = [b for b in done.beats if b.time > last - WINDOW] or list(done.beats[-1:])
    out = dict[str, dict[str, float]]()
    for name in OUTPUTS:
        values = [b.values[name] for b in done.beats] or [math.nan]
        out[name] = {
            "before": _mean(before, name) if done.plan.acts else math.nan,
            "end": math.nan if done.failed else _mean(end, name),
            "lowest": min(values),
            "highest": max(values),
        }
    return out


def _change(row: Mapping[str, float]) -> float:
    """Return the change at the end against before [%]."""
    return 100.0 * (row["end"] / row["before"] - 1.0) if row["before"] else math.nan


def plain(done: Simulation) -> dict[str, Any]:
    """Return a simulation as plain numbers in shown units."""
    wanted, who = done.plan, done.plan.person
    summary = {
        name: {k: _shown(name, v) for k, v in row.items()} | {"change_percent": _percent(row)}
        for name, row in summary_of(done).items()
    }
    beats = [
        {"time": round(b.time, 3)} | {n: _shown(n, v) for n, v in b.values.items()}
        for b in done.beats
    ]
    return {
        "model": wanted_model(done),
        "person": {"age": who.age, "weight": who.weight, "height": who.height,
                   "sex": "female" if who.female else "male"},
        "settings": dict(wanted.settings),
        "acts": [_act(done, i) for i in range(len(wanted.acts))],
        "seconds": wanted.seconds,
        "settled_seconds": SETTLING,
        "units": {"time": "s"} | {n: VOCABULARY[n].shown for n in OUTPUTS},
        "summary": summary,
        "every_beat": done.every_beat,
        "beats": beats,
        "failed": done.failed,
        "advice": list(done.end.advice),
    }  # fmt: skip


def wanted_model(done: Simulation) -> dict[str, str]:
    """Return which model it was."""
    model = done.start.model
    return {"name": model.name, "version": model.version, "status": "simulated, research only"}


def _percent(row: Mapping[str, float]) -> float | None:
    change = _change(row)
    return round(change, 2) if math.isfinite(change) else None


def _act(done: Simulation, index: int) -> dict[str, Any]:
    act = done.plan.acts[index]
    coding = act.row.coding
    return {
        "text": write_act(act),
        "at": act.at.si,
        "role": act.row.role,
        "code": {"system": coding.system, "code": coding.code, "display": coding.display},
    }


def table(done: Simulation) -> str:
    """Return the summary as text: every index before, at the end, the change, the span."""
    wanted, who = done.plan, done.plan.person
    sex = "female" if who.female else "male"
    head = (
        f"Circulation of {age_of(who)}, {who.weight:.3g} kg, {100.0 * who.height:.0f} cm, "
        f"{sex}; {wanted.seconds:g} s, {len(done.beats)} beats. Simulated: research only."
    )
    lines = [head]
    if not done.every_beat:
        lines.append("  A long run: beats are looked at now and then, not every one.")
    lines += [f"  {write_act(a)}" for a in wanted.acts]
    lines += [f"  {k} = {_setting(k, v)}" for k, v in wanted.settings.items()]
    lines.append(f"\n{'':42}{'before':>14}{'at the end':>14}{'change':>9}  lowest … highest")
    for name, row in summary_of(done).items():
        words = name.replace("_", " ")
        before, end, low, high = (show(VOCABULARY[name], v) for v in (
            row["before"], row["end"], row["lowest"], row["highest"]))  # fmt: skip
        change = _percent(row)
        said = NO_VALUE if change is None else f"{change:+.0f} %".replace("-", "−")
        unit = low.rpartition(" ")[0] or low
        lines.append(f"{words:42}{before:>14}{end:>14}{said:>9}  {unit} … {high}")
    return "\n".join(lines)


def _setting(name: str, value: float) -> str:
    try:
        unit = shown(name)
    except KeyError:
        unit = next(p.unit for p in _inputs() if p.name == name)
    return f"{value / ucum(unit).factor:.5g} {unit}"


def _inputs() -> tuple[Any, ...]:
    from isosoma.organs.circulation.model import Circulation

    return Circulation().inputs


def _waveforms(wanted: Plan, hertz: float) -> int:
    """Write pressures, volumes and flows as they are computed."""
    start = begun(wanted)
    rows = [n for n in start.state if n[:2] in ("p_", "V_", "q_") and _printable(n)]
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["time [s]", *(f"{n} [{_ROWS[n[0]][1]}]" for n in rows)])
    scale = [ucum(_ROWS[n[0]][0]).factor / ucum(_ROWS[n[0]][1]).factor for n in rows]
    with progress("simulating", wanted.seconds, "s") as told:
        for frame, end in frames(start, wanted.done, wanted.seconds, 1.0 / hertz):
            if frame.failed[0]:
                print(f"isosoma: {' '.join(end.advice)}", file=sys.stderr)
                return 1
            values = [float(frame.state[n][0]) * s if n in frame.state else math.nan
                      for n, s in zip(rows, scale, strict=True)]  # fmt: skip
            cells = ["" if math.isnan(v) else f"{v:.6g}" for v in values]
            writer.writerow([f"{frame.time:.3f}", *cells])
            told(frame.time)
    return 0


def _printable(name: str) -> bool:
    """Return whether a row is a pressure, volume or flow of a place, not of a filter."""
    filters = ("p_work", "p_carotid", "p_cardiopulmonary", "p_alveolar", "p_perfusion")
    return name not in filters


def _case(path: Path, as_json: bool) -> int:
    """Run a published case and say what it gave beside what it must give."""
    try:
        found = run_case(path)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"this is no case ({error})", path.name, "See cases/") from error
    if as_json:
        rows = [_finding(f) for f in found]
        print(json.dumps({"case": path.stem, "findings": rows}, allow_nan=False))
    else:
        for f in found:
            mark = "ok    " if f.passed else "MISSED"
            words = f.quantity.replace("_", " ")
            print(f"{mark} {words:44}{f.obtained:10.4g} {f.unit:8} {f.low:g} … {f.high:g}")
    return 0 if all(f.passed for f in found) else 1


def _finding(f: Finding) -> dict[str, Any]:
    return {
        "quantity": f.quantity, "unit": f.unit, "low": f.low, "high": f.high,
        "obtained": f.obtained if math.isfinite(f.obtained) else None, "passed": f.passed,
        "source": f.source,
    }  # fmt: skip
