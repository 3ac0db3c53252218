"""What the page is told of a rehearsal: the acts there are, and what was played, in shown units."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from isosoma.core.evidence import Evidence, digest, withheld
from isosoma.core.quantity import show_unit
from isosoma.core.units import convert
from isosoma.organs.circulation.act_table import ACTS, ActRow
from isosoma.organs.circulation.acts import form
from isosoma.scenario.acceptable import Choice
from isosoma.scenario.answering import as_json
from isosoma.scenario.case import Case
from isosoma.scenario.comparing import Comparison, bands
from isosoma.scenario.complication_table import Table
from isosoma.scenario.complications import Finding, find
from isosoma.scenario.measures import label_of, measure, units_of
from isosoma.scenario.playing import Played
from isosoma.scenario.rehearsal import ROLES
from isosoma.scenario.rehearsal_file import write_rehearsal

__all__ = [
    "acts_message", "case_message", "evidence_message", "frames_message",
    "kept_message", "result_message",
]  # fmt: skip

_DRAWN = (
    "mean_arterial_pressure", "heart_rate", "cardiac_output", "oxygen_saturation",
    "left_atrial_pressure", "central_venous_pressure",
    "left_ventricular_end_diastolic_volume", "left_ventricular_end_systolic_volume",
    "right_ventricular_end_diastolic_volume", "right_ventricular_end_systolic_volume",
)  # fmt: skip
"""Measures whose course is sent: what is drawn, and the volumes of each future's heart."""


def acts_message() -> dict[str, Any]:
    """Return every act with its quantities, and who may do one."""
    return {"acts": [_act(row) for row in ACTS.values()], "roles": list(ROLES)}


def _act(row: ActRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "form": form(row),
        "meaning": row.meaning,
        "role": row.role,
        "also": list(row.also),
        "flags": list(row.flags),
        "holds": row.holds or bool(row.drug and not row.breath),
        "takes": [
            {"name": s.name, "word": s.word, "unit": s.unit, "low": s.low, "high": s.high,
             "default": s.default}
            for s in row.needs
        ],
    }  # fmt: skip


def case_message(case: Case, speaks: Mapping[str, str]) -> dict[str, Any]:
    """Return where a rehearsal stands; `speaks` says why its answer does not, and its age."""
    evidence = case.evidence
    shown = evidence is not None and not withheld(evidence) and bool(case.comparison)
    return {
        "id": case.id,
        "version": case.rehearsal.version,
        "rehearsal": json.loads(write_rehearsal(case.rehearsal)),
        "estimates": [
            {"by": e.by.name, "option": e.option, "reason": e.reason} for e in case.estimates
        ],
        "evidence": None if evidence is None else evidence_message(evidence),
        "comparison": json.loads(case.comparison) if shown else None,
        **speaks,
    }


def evidence_message(evidence: Evidence) -> dict[str, Any]:
    """Return what an answer rests on and who stands for it; its numbers are the comparison's."""
    return {
        "digest": digest(evidence),
        "status": evidence.status,
        "reason": evidence.reason,
        "by": None if evidence.by is None else asdict(evidence.by),
        "withheld": withheld(evidence),
        "applicability": asdict(evidence.applicability),
        "assumptions": list(evidence.assumptions),
        "citations": [asdict(c) for c in evidence.citations],
        "provenance": asdict(evidence.provenance),
    }


def result_message(
    played: Played, comparison: Comparison, evidence: Evidence, choices: tuple[Choice, ...],
    table: Table,
) -> dict[str, Any]:  # fmt: skip
    """Return a comparison with its courses; without a number where the model does not apply."""
    shown = not withheld(evidence)
    return {
        "played": _played(played),
        "evidence": evidence_message(evidence),
        "comparison": json.loads(as_json(comparison)) if shown else None,
        "choices": [
            {"name": c.name, "verdict": c.verdict, "against": list(c.against)} for c in choices
        ] if shown else None,
        "units": {name: _unit(name) for name in {s.measure for o in comparison.options
                                                 for s in o.spreads}},
        "thresholds": {p.name: {"meaning": p.meaning, "source": p.source}
                       for p in table.predicates},
        "frames": frames_message(played, table) if shown else None,
    }  # fmt: skip


def kept_message(case: Case) -> dict[str, Any] | None:
    """Return an answer as the log keeps it, without courses; None where there is none."""
    if case.evidence is None:
        return None
    comparison = None
    if case.comparison and not withheld(case.evidence):
        comparison = json.loads(case.comparison)
    told = [] if comparison is None else comparison["options"]
    return {
        "played": "As the log keeps it. The courses are not kept: play it again to see them.",
        "evidence": evidence_message(case.evidence),
        "comparison": comparison,
        "choices": None,
        "units": {n: _unit(n) for n in {s["measure"] for o in told for s in o["spreads"]}},
        "thresholds": {},
        "frames": None,
    }


def _played(played: Played) -> str:
    who = {
        "posterior": "of the twin's belief about this patient",
        "prior": "of nobody in particular: a usual adult, since no patient is measured here",
    }[played.ensemble.origin]
    return f"{played.members} members {who}; the same for every option."


def _unit(name: str) -> dict[str, Any]:
    """Return how a measure [SI] is shown: value x factor + offset, in the unit."""
    unit, shown = units_of(name)
    offset = convert(0.0, unit, shown)
    factor = convert(1.0, unit, shown) - offset
    return {"unit": show_unit(shown), "factor": factor, "offset": offset, "label": label_of(name)}


def frames_message(played: Played, table: Table) -> dict[str, Any]:
    """Return each measure over time, for every option, and when members are beyond a level.

    Measures as median and 90 % band, in shown units.
    """
    names = [n for n in _DRAWN if n in played.outputs[0]]
    options = [o.name for o in played.rehearsal.options]
    return {
        "times": played.times.tolist(),
        "options": options,
        "measures": {
            name: _unit(name) | {"bands": [_course(played, option, name) for option in options]}
            for name in names
        },
        "beyond": [
            [told for one in found if (told := _beyond(played, i, one)) is not None]
            for i, found in enumerate(find(played, table))
        ],
    }


def _beyond(played: Played, option: int, found: Finding) -> dict[str, Any] | None:
    """Return when some members are beyond a complication that some met; None where nobody did."""
    if not found.raised.any():
        return None
    sign = 1.0 if found.predicate.above else -1.0
    values = measure(found.predicate.measure, played.outputs[option], played.ensemble.person)
    share = (sign * (values[:, found.raised] - found.level[found.raised]) > 0.0).sum(axis=1)
    share = share / played.members
    edges = np.flatnonzero(np.diff(np.concatenate([[0], share > 0.0, [0]])))
    begins = np.concatenate([[0.0], played.times])
    spans = [
        [float(begins[a]), float(played.times[b - 1]), round(float(share[a:b].max()), 3)]
        for a, b in edges.reshape(-1, 2)
    ]
    if not spans:
        return None
    return {"name": found.predicate.name, "measure": found.predicate.measure, "spans": spans}


def _course(played: Played, option: str, name: str) -> dict[str, Any]:
    told = _unit(name)
    rows = (bands(played, option, name) * told["factor"] + told["offset"]).round(3)
    return {"low": rows[:, 0].tolist(), "median": rows[:, 1].tolist(), "high": rows[:, 2].tolist()}
