"""`isosoma forecast`: what a twin expects now and later, if nothing or something is done."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import InputError
from isosoma.core.intervention import Intervention
from isosoma.core.quantity import show, show_duration
from isosoma.core.units import convert
from isosoma.core.vocabulary import VOCABULARY
from isosoma.organs.circulation.act_changes import interventions
from isosoma.organs.circulation.acts import read_acts, write_act
from isosoma.serve.bedside import only_patient, twin_of
from isosoma.serve.cli_intake import instant
from isosoma.serve.progress import progress
from isosoma.serve.simulation import duration
from isosoma.twin.course import Course
from isosoma.twin.fold import Twin
from isosoma.twin.forecasting import Forecast, expected, over_breath, rehearsed, spacing
from isosoma.twin.history import instants, over
from isosoma.twin.release import Release

__all__ = ["run"]

Floats = npt.NDArray[np.float64]
_QUANTILES = {"low": 0.05, "low50": 0.25, "median": 0.5, "high50": 0.75, "high": 0.95}
MEMBERS = 64
"""Members that rehearse acts."""
FRAMES = 64
"""Frames of a rehearsal."""


def run(arguments: argparse.Namespace) -> int:
    """Tell median and intervals of every output, now and at the horizon; 0 well, 2 refused."""
    from isosoma.record import open_log

    if not Path(arguments.file).is_file():
        raise InputError("there is no such log", Path(arguments.file).name, "Build a twin first")
    now, seconds = instant(arguments.now), duration(arguments.span)
    acts = read_acts(arguments.do)
    with open_log(arguments.file, read_only=True) as log:
        patient = only_patient(log, arguments.patient)
        twin = twin_of(log, patient, Release(seed=arguments.seed), now)
    plan = interventions(acts, twin.subject.person)
    course = _course(twin, now, plan, seconds) if plan else None
    done = _plain(twin, now, seconds)
    done["acts"] = [write_act(a) for a in acts]
    if course is not None:
        whole = ~course.end.failed
        for row in done["outputs"]:
            row["later"] = _range(row["name"], over_breath(course, row["name"])[-1, whole])
        done["failed"] = int(course.end.failed.sum())
    if arguments.plot:
        from isosoma.serve.forecast_chart import Expected, draw

        shown = Expected(twin, now, seconds, _looks(twin, now, seconds), acts, plan, course)
        Path(arguments.plot).write_text(draw(shown), "utf-8")
    print(json.dumps(done, allow_nan=False) if arguments.json else _told(done))
    return 0


def _course(twin: Twin, now: int, plan: Sequence[Intervention], seconds: float) -> Course:
    """Return what would follow from acts, in frames enough for a picture, the last at the end."""
    every = spacing(twin.subject.person, seconds, FRAMES)
    whole = every * max(round(seconds / every), 1)
    with progress("rehearsing", whole, "s") as told:
        return rehearsed(twin, now, plan, whole, every, MEMBERS, told)


def _looks(twin: Twin, now: int, seconds: float) -> list[Forecast]:
    """Return what was and is expected at the instants of a picture."""
    at = instants(twin, now, seconds)
    with progress("looking back and ahead", len(at)) as told:
        return list(over(twin, at, told))


def _plain(twin: Twin, now: int, seconds: float) -> dict[str, Any]:
    """Return the forecast as plain numbers in shown units."""
    later_at = now + round(seconds * 1e9)
    here, later = expected(twin, now), expected(twin, later_at)
    newest, stale = twin.newest(), twin.stale(now)
    rows = [
        {
            "name": name,
            "unit": VOCABULARY[name].shown,
            "now": _range(name, here.members[:, i]),
            "later": _range(name, later.members[:, i]),
            "age": round((now - newest[name]) * 1e-9, 3) if name in newest else None,
            "stale": name in stale,
        }
        for i, name in enumerate(here.outputs)
    ]
    return {
        "patient": twin.subject.patient,
        "status": "forecast, research only",
        "twin": twin.digest,
        "seconds": seconds,
        "outputs": rows,
        "failed": here.failed + later.failed,
        "not_informed": [i.name for i in twin.informed if not i.by_data],
        "unused": [{"variable": v, "why": why} for v, why in twin.unused],
    }


def _range(name: str, values: Floats) -> dict[str, float] | None:
    """Return median, 90 % and 50 % interval in the shown unit; None where no member lives."""
    if not len(values):
        return None
    row = VOCABULARY[name]
    found = np.quantile(values, list(_QUANTILES.values()))
    return {
        k: float(f"{convert(float(v), row.unit, row.shown, row.molar_mass or None):.6g}")
        for k, v in zip(_QUANTILES, found, strict=True)
    }


def _told(done: dict[str, Any]) -> str:
    lines = [f"Forecast for {done['patient']}, 90 % intervals. Research only."]
    lines += [f"  {act}" for act in done["acts"]]
    later = f"in {show_duration(done['seconds'])}"
    lines.append(f"\n{'':40}{'now':>30}{later:>30}  newest reading")
    for row in done["outputs"]:
        age = "never read" if row["age"] is None else f"{show_duration(row['age'])} old"
        mark = ", stale" if row["stale"] else ""
        words = row["name"].replace("_", " ")
        now, then = (_words(row["name"], row[k]) for k in ("now", "later"))
        lines.append(f"{words:40}{now:>30}{then:>30}  {age}{mark}")
    if done["failed"]:
        lines.append(f"{done['failed']} members did not live and are left out")
    if done["not_informed"]:
        names = ", ".join(n.replace("_", " ") for n in done["not_informed"])
        lines.append(f"not informed by your data: {names}")
    return "\n".join([*lines, f"twin {done['twin']}"])


def _words(name: str, found: dict[str, float] | None) -> str:
    if found is None:
        return "no member lives"
    row = VOCABULARY[name]
    median = convert(found["median"], row.shown, row.unit, row.molar_mass or None)
    return f"{show(row, median)} ({found['low']:.4g} … {found['high']:.4g})"
