"""From a rehearsal and its comparison to `Evidence`: what a clinician reads, rejects or signs."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt

from isosoma.core.evidence import Complication, Evidence, Option, Provenance, Quantity, move
from isosoma.core.model import Source
from isosoma.core.principal import Principal
from isosoma.infer.emulator import Emulator
from isosoma.scenario.applicability import applicability
from isosoma.scenario.chances import LEVEL
from isosoma.scenario.comparing import SPREAD, Comparison, Judged, seen_at
from isosoma.scenario.losses import losses
from isosoma.scenario.playing import Played
from isosoma.scenario.preferences import Tables
from isosoma.scenario.rehearsal import digest as digest_of
from isosoma.scenario.valve_fit import supposed
from isosoma.twin.fold import Twin

__all__ = ["SERVICE", "answered", "as_json", "decisive", "edited"]

Floats = npt.NDArray[np.float64]

SERVICE = Principal("isosoma.scenario", "service")
"""Who computes; it can neither review nor sign."""
_DOI = re.compile(r"10\.\d{4,9}/[^\s,;()]+(?:\([^\s)]*\)[^\s,;()]*)*")
_CITED = (
    Source("Circulation: docs/circulation.md lists equations and parameters with their sources"),
)
_ASSUMED = (
    "Members are draws of one belief: a chance knows nothing of what the model leaves out.",
    "The baseline of each member is its own state before the first act.",
    "A member that the model loses after an arrest has died of it; its measures end there.",
    "Acts happen as they are written: no delay, no failure, nobody reacts to what is seen.",
    "What treating costs beyond the circulation (wound, stroke, infection, clots) is not modelled.",
)


def decisive(played: Played, comparison: Comparison, tables: Tables) -> Floats:
    """Return by how much the second of the ranking is worse than the first, (N,).

    In loss; where that is the same for all members, in the lowest mean pressure [Pa]. NaN for a
    member whose outcome is not known.
    """
    names = [o.name for o in comparison.options]
    first, second = (names.index(o.name) for o in comparison.ranking[:2])
    found = losses(played, tables)
    apart = found[second] - found[first]
    known = apart[np.isfinite(apart)]
    if len(known) and np.ptp(known) > 0.0:
        return apart
    low = [seen_at(played, i, "mean_arterial_pressure", "lowest") for i in (first, second)]
    return np.where(np.isfinite(apart), low[0] - low[1], np.nan)


def answered(
    played: Played, comparison: Comparison, tables: Tables, now: int, twin: Twin | None = None,
    emulator: Emulator | None = None, basis: str = "",
) -> Evidence:  # fmt: skip
    """Return the computed evidence; where the model does not apply, without a number.

    Parameters
    ----------
    now : instant of the answer [ns]. twin, emulator : as for `applicability`.
    basis : what it rests on, as `write_basis` gives it; its digest is kept.
    """
    deciding = decisive(played, comparison, tables)
    verdict = applicability(played, deciding, twin, now, emulator)
    show = verdict.verdict != "out"
    made = Evidence(
        comparison.question,
        tuple(_option(o, played, i) if show else Option(o.name)
              for i, o in enumerate(comparison.options)),
        (*_ASSUMED, *_assumed(played, comparison), *played.advice),
        verdict,
        (*_CITED, *_sources(tables)),
        _provenance(played, comparison, tables, now, basis),
    )  # fmt: skip
    return move(made, "computed", SERVICE)


def _option(option: Judged, played: Played, i: int) -> Option:
    quantities = list[Quantity]()
    for s in option.spreads:
        seen = seen_at(played, i, s.measure, s.when)
        samples = tuple(seen[np.isfinite(seen)].tolist())
        if samples:  # none where nobody lived so long; the chance of arrest says so
            quantities.append(Quantity(s.measure, s.low, s.median, s.high, SPREAD, samples, s.when))
    chances = tuple(Complication(c.name, c.low, c.chance, c.high, LEVEL) for c in option.chances)
    return Option(option.name, tuple(quantities), chances)


def _assumed(played: Played, comparison: Comparison) -> tuple[str, ...]:
    out = [f"{comparison.members} members, the same for every option; differences are paired."]
    if played.rehearsal.before:
        said = "; ".join(s.text.removesuffix(" at 0 s") for s in played.rehearsal.before)
        out.append(f"Already so when time begins: {said}.")
        out += supposed(played)
    lost = [f"{o.name}: {o.lost}" for o in comparison.options if o.lost]
    if lost:
        out.append(f"Members that the model lost, and that count nowhere: {', '.join(lost)}.")
    return tuple(out)


def _sources(tables: Tables) -> tuple[Source, ...]:
    """Return where the limits of complications are from, each once."""
    table = tables.complications
    texts = [p.source for p in table.predicates] + [a.source for a in table.ages.values()]
    return tuple(
        Source(t, _doi(t), verified="(unverified)" not in t) for t in dict.fromkeys(texts)
    )  # fmt: skip


def _doi(text: str) -> str:
    found = _DOI.search(text)
    return found.group() if found else ""


def _provenance(
    played: Played, comparison: Comparison, tables: Tables, now: int, basis: str
) -> Provenance:
    ensemble = played.ensemble
    inputs = {
        "rehearsal": digest_of(played.rehearsal),
        "complications": tables.complications.digest,
        "preferences": tables.preferences.digest,
        "comparison": sha256(as_json(comparison).encode()).hexdigest(),
        "members": ensemble.key,
    }
    if basis:
        inputs["basis"] = sha256(basis.encode()).hexdigest()
    return Provenance(ensemble.release.digest, ensemble.release.seed, inputs, now)


def as_json(comparison: Comparison) -> str:
    """Return a comparison as JSON: sorted keys, null for what has no value."""
    whole = _plain(asdict(comparison))
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def edited(evidence: Evidence, rehearsal: str) -> str:
    """Return whether an answer is to an older edit than that of a digest; empty where it is not."""
    if evidence.provenance.inputs.get("rehearsal") == rehearsal:
        return ""
    return "the rehearsal was edited after this was computed; play it again"
