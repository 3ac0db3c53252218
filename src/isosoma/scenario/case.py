"""The case of a rehearsal: what was asked, guessed, answered and decided, folded from the log.

::

    asked ──► estimated (a clinician's own guess, before the answer is seen)
      │            │
      └────────────┴──► answered: computed → reviewed → signed | rejected(reason) → superseded

Each step is a decision in the log; a step that the case does not allow is refused and writes
nothing. What was signed never changes: asking again supersedes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from isosoma.core.errors import AccessError, FormatError
from isosoma.core.evidence import Evidence, Status, canonical, move
from isosoma.core.principal import Principal, require_signer
from isosoma.record import Draft, Entry
from isosoma.scenario.answering import SERVICE
from isosoma.scenario.decision import decision, decisions
from isosoma.scenario.evidence_json import evidence_of, principal_of
from isosoma.scenario.rehearsal import Rehearsal
from isosoma.scenario.rehearsal_file import rehearsal_of, write_rehearsal

__all__ = ["Case", "Estimate", "answer", "ask", "cases", "decide", "estimate"]

_ABOUT = "rehearsal"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A clinician's own guess: which option is best, and why in a few words."""

    by: Principal
    option: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Where a rehearsal stands.

    Attributes
    ----------
    estimates : guesses made before the answer was there.
    evidence : the present answer; None before.
    comparison, basis : as JSON, whose digests it holds; no basis where no patient was played.
    earlier : answers that it superseded.
    """

    id: str
    rehearsal: Rehearsal
    estimates: tuple[Estimate, ...] = ()
    evidence: Evidence | None = None
    comparison: str = ""
    basis: str = ""
    earlier: tuple[Evidence, ...] = ()


def ask(case: Case) -> Draft:
    """Return the event that a rehearsal was asked, or edited."""
    return decision(
        _ABOUT, case.id, "asked", {"rehearsal": json.loads(write_rehearsal(case.rehearsal))}
    )


def estimate(case: Case, guess: Estimate) -> Draft:
    """Return the event of a clinician's own guess.

    Raises
    ------
    AccessError
        The answer has been computed already, or one who is no named clinician guesses.
    """
    require_signer(guess.by)
    case.rehearsal.option(guess.option)
    if case.evidence is not None:
        raise AccessError(
            "the answer is there already, so that a guess would not be one's own",
            todo="Guess before the next rehearsal",
        )
    return decision(_ABOUT, case.id, "estimated", asdict(guess))


def answer(case: Case, evidence: Evidence, comparison: str, basis: str = "") -> list[Draft]:
    """Return the events of an answer; one before it is superseded, not changed.

    Raises
    ------
    AccessError
        The evidence is not freshly computed.
    """
    if evidence.status != "computed":
        raise AccessError(f"a {evidence.status} result is no new answer", todo="Compute it")
    drafts = list[Draft]()
    if case.evidence is not None and case.evidence.status != "superseded":
        drafts.append(decide(case, "superseded", SERVICE))
    said = {"evidence": json.loads(canonical(evidence)), "comparison": comparison, "basis": basis}
    return [*drafts, decision(_ABOUT, case.id, "answered", said)]


def decide(case: Case, to: Status, by: Principal, reason: str = "") -> Draft:
    """Return the event of a review, a signature or a rejection.

    Raises
    ------
    AccessError
        There is no answer, the step does not exist, or who decides may not.
    """
    if case.evidence is None:
        raise AccessError("there is no answer to decide on", todo="Rehearse first")
    move(case.evidence, to, by, reason)
    return decision(_ABOUT, case.id, "decided", {"to": to, "by": asdict(by), "reason": reason})


def cases(entries: Iterable[Entry], before: Mapping[str, Case] | None = None) -> dict[str, Case]:
    """Return the cases that the log's decisions tell, in order of their first mention.

    `before` : what earlier entries told, where these only follow on them.

    Raises
    ------
    FormatError, AccessError
        An entry is no step that its case allowed: the log was written by something else.
    """
    found = dict(before or {})
    for entry, said in decisions(entries, _ABOUT):
        found[said["id"]] = _after(found.get(said["id"]), said, f"entry {entry.sequence}")
    return found


def _after(case: Case | None, said: Mapping[str, Any], where: str) -> Case:
    event = said["event"]
    if event == "asked":
        rehearsal = rehearsal_of(said["rehearsal"])
        return Case(said["id"], rehearsal) if case is None else replace(case, rehearsal=rehearsal)
    if case is None:
        raise FormatError(f"{event} before anything was asked", where)
    match event:
        case "estimated":
            guess = Estimate(principal_of(said["by"]), said["option"], said["reason"])
            return replace(case, estimates=(*case.estimates, guess))
        case "answered":
            new = evidence_of(said["evidence"])
            earlier = case.earlier if case.evidence is None else (*case.earlier, case.evidence)
            told, basis = said["comparison"], said.get("basis", "")
            return replace(case, evidence=new, comparison=told, basis=basis, earlier=earlier)
        case "decided" if case.evidence is not None:
            return replace(case, evidence=_moved(case.evidence, said))
        case _:
            raise FormatError(f"{event!r} is no step of a rehearsal", where)


def _moved(evidence: Evidence, said: Mapping[str, Any]) -> Evidence:
    by = principal_of(said["by"])
    moved = move(evidence, said["to"], by, said["reason"])
    if said["to"] == "superseded":  # who signed it stays written on it
        moved = replace(moved, by=evidence.by or by, reason=evidence.reason)
    return moved
