"""`isosoma build`: a patient's folder into the log, and the twin that the log makes of it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from isosoma.core.model import Parameter
from isosoma.core.quantity import Z90
from isosoma.core.units import ucum
from isosoma.organs.circulation import predict as physics
from isosoma.organs.circulation.parameters import shown
from isosoma.serve.bedside import FREED_BY, twin_of
from isosoma.serve.cli_intake import instant
from isosoma.serve.heart_text import images_told
from isosoma.serve.progress import progress
from isosoma.twin.fold import Twin
from isosoma.twin.release import Release

__all__ = ["run", "unknowns_of"]


def run(arguments: argparse.Namespace) -> int:
    """Take a patient's folder in and fold it; 0 well, 2 refused with nothing changed."""
    from isosoma.record import open_log
    from isosoma.serve.patient_folder import read_folder, take_folder
    from isosoma.serve.patient_images import Imaged, look, take_heart

    now = instant(arguments.now)
    folder = read_folder(Path(arguments.folder), Path(arguments.store), now)
    described = folder.described
    with open_log(arguments.store) as log:
        imaged = Imaged(None)
        if folder.images is not None:
            with progress("heart", 100, "%") as told:
                imaged = look(folder.images, described, log, lambda share: told(100 * share))
        with progress("taking in", len(folder.files), " files") as told:
            kept = take_folder(folder, log, now, told)
        kept += take_heart(imaged, log, described.id, now)
        twin = twin_of(log, described.id, Release(seed=arguments.seed), now)
        head = log.checkpoint()
    done = {"kept": kept.accepted, "known_already": kept.duplicates, **_plain(twin, head)}
    done["conditions_unused"] = [c for c in described.conditions if c not in FREED_BY]
    if folder.images is not None:
        done["images"] = {"heart": imaged.told, "said": imaged.said, "composite": imaged.other}
    print(json.dumps(done, allow_nan=False) if arguments.json else _told(done))
    return 0


def _plain(twin: Twin, head: str) -> dict[str, Any]:
    """Return what was learned as plain numbers in shown units."""
    taken = [d for r in twin.timeline.reports for d in r.decisions]
    return {
        "patient": twin.subject.patient,
        "status": "estimated, research only",
        "twin": twin.digest,
        "log": head.splitlines()[2] if len(head.splitlines()) > 2 else "",
        "readings": len(twin.first) + len(twin.timeline.readings),
        "misfit": list(twin.misfit),
        "unknowns": unknowns_of(twin),
        "unused": [{"variable": v, "why": why} for v, why in twin.unused],
        "assumed": [_shown(n, value) for n, value in twin.assumed.items()],
        "rejected": sum(1 for d in taken if not d.taken),
        "out_of_sync": [r.out_of_sync for r in twin.timeline.reports if r.out_of_sync][-1:],
    }


def _shown(name: str, value: float) -> dict[str, Any]:
    unit = shown(name)
    return {"name": name, "unit": unit, "value": float(f"{value / ucum(unit).factor:.3g}")}


def unknowns_of(twin: Twin) -> list[dict[str, Any]]:
    """Return each unknown before and after the data: median, 90 % interval, unit, informed."""
    sought = physics.unknowns(twin.subject.person, twin.subject.freed)
    rows: list[dict[str, Any]] = []
    for i, (parameter, said) in enumerate(zip(sought, twin.informed, strict=True)):
        z = twin.belief.z[:, i]
        low, median, high = np.quantile(z, [0.05, 0.5, 0.95])
        rows.append(
            {
                "name": parameter.name,
                "unit": shown(parameter.name),
                "prior": _interval(parameter, (-Z90, 0.0, Z90)),
                "posterior": _interval(parameter, (low, median, high)),
                "spread_left": round(said.ratio, 3),
                "informed": said.by_data,
                "said": said.sentence,
            }
        )
    return rows


def _interval(parameter: Parameter, z: tuple[float, float, float]) -> dict[str, float]:
    scale = ucum(shown(parameter.name)).factor
    low, median, high = (float(f"{v / scale:.4g}") for v in parameter.prior.real(np.array(z)))
    return {"low": low, "median": median, "high": high}


def _told(done: dict[str, Any]) -> str:
    misfit = " → ".join(f"{m:.2f}" for m in done["misfit"])
    head = f"Twin of {done['patient']} from {done['readings']} readings ({done['kept']} new)"
    lines = [f"{head}. Estimated: research only."]
    if misfit:
        lines.append(f"misfit {misfit} (1 to 2: model and readings agree)")
    lines.append(f"\n{'':24}{'unit':14}{'prior, 90 %':>28}{'now, 90 %':>28}  informed")
    for row in done["unknowns"]:
        mark = f"{100 * row['spread_left']:.0f} % left" if row["informed"] else "not by your data"
        words = row["name"].replace("_", " ")
        lines.append(
            f"{words:24}{row['unit']:14}{_words(row['prior']):>28}{_words(row['posterior']):>28}"
            f"  {mark}"
        )
    lines += [f"unused: {u['variable'].replace('_', ' ')}, {u['why']}" for u in done["unused"]]
    lines += [
        f"assumed, not measured: {a['name'].replace('_', ' ')} {a['value']:g} {a['unit']}"
        for a in done["assumed"]
    ]
    lines += [f"noted, no part of the model: {c}" for c in done["conditions_unused"]]
    lines += images_told(done.get("images"))
    return "\n".join([*lines, *done["out_of_sync"], f"twin {done['twin']}"])


def _words(row: dict[str, float]) -> str:
    return f"{row['median']:g} ({row['low']:g} … {row['high']:g})"
