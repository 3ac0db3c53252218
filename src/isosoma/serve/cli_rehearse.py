"""`isosoma rehearse`: options played on a twin, or on what is usual, and compared."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from isosoma.core.errors import AccessError, FormatError, InputError
from isosoma.core.evidence import Evidence, digest, withheld
from isosoma.core.principal import Principal
from isosoma.infer.emulator import Emulator
from isosoma.organs.circulation.acts import unusual_of
from isosoma.record import Log, open_log
from isosoma.scenario.acceptable import Choice, acceptable
from isosoma.scenario.answering import answered, as_json
from isosoma.scenario.basis import basis_of, write_basis
from isosoma.scenario.case import Case, Estimate, answer, ask, cases, estimate
from isosoma.scenario.comparing import Comparison, compare
from isosoma.scenario.ensemble import Ensemble, drawn, of_twin
from isosoma.scenario.playing import Played, play
from isosoma.scenario.rehearsal import Rehearsal
from isosoma.scenario.rehearsal import digest as digest_of
from isosoma.scenario.rehearsal_file import read_rehearsal, write_rehearsal
from isosoma.serve.bedside import only_patient, twin_of
from isosoma.serve.cli_intake import instant
from isosoma.serve.hurrying import hurried
from isosoma.serve.own_tables import read_file, tables_of
from isosoma.serve.progress import progress
from isosoma.serve.rehearse_text import table
from isosoma.serve.simulation import person_of
from isosoma.twin.emulating import emulator_for
from isosoma.twin.fold import Twin
from isosoma.twin.release import Release

__all__ = ["run"]


@dataclass(frozen=True, slots=True, eq=False)
class _Who:
    """Who is played: a twin and its members, or members alone."""

    ensemble: Ensemble
    patient: str = ""
    twin: Twin | None = None
    emulator: Emulator | None = None


def run(arguments: argparse.Namespace) -> int:
    """Play, compare and tell; 0 well, 1 where the model does not apply, 2 refused."""
    _check(arguments)
    now = instant(arguments.now)
    tables = tables_of(arguments)
    rehearsal = read_file(arguments.file, lambda text: read_rehearsal(text, tables.devices))
    assert rehearsal is not None  # noqa: S101 - the parser asks for the file
    who = _who(arguments, now)
    if arguments.keep:
        _keep_question(arguments, who.patient, rehearsal)
    odd = _unusual(rehearsal, who)
    began = time.perf_counter()
    played, first = _play(rehearsal, who.ensemble, began)
    comparison = compare(played, tables)
    rests = "" if who.twin is None else write_basis(basis_of(who.twin, now))
    evidence = answered(played, comparison, tables, now, who.twin, who.emulator, rests)
    choices = acceptable(comparison, tables.preferences)
    if arguments.keep:
        with open_log(arguments.store) as log:
            case, _ = _case_of(log, who.patient, rehearsal)
            drafts = answer(case, evidence, as_json(comparison), rests)
            log.append(who.patient, drafts, purpose="rehearsal").result()
    if arguments.plot:
        from isosoma.serve.rehearse_chart import draw

        Path(arguments.plot).write_text(draw(played, comparison, withheld(evidence)), "utf-8")
    if arguments.json:
        clock = {"compare_first_s": first, "compare_s": round(time.perf_counter() - began, 3)}
        plain = _plain(rehearsal, comparison, evidence, choices) | {"unusual": odd} | clock
        print(json.dumps(plain, allow_nan=False))
    else:
        print("\n".join([table(comparison, evidence, choices), *odd]))
    return 1 if withheld(evidence) else 0


def _unusual(rehearsal: Rehearsal, who: _Who) -> list[str]:
    """Return what of the acts is above the usual range of whom they are tried on, a line each."""
    weight = who.ensemble.person.weight
    said = [("before", s.act) for s in rehearsal.before]
    said += [(f"option {o.name!r}", s.act) for o in rehearsal.options for s in o.steps]
    found = [(place, unusual_of(act, weight)) for place, act in said]
    return [f"unusual, {place}: {words}" for place, words in found if words]


def _check(arguments: argparse.Namespace) -> None:
    """Refuse arguments that would be left unheard."""
    if arguments.store and arguments.person:
        raise FormatError("a stored patient has a body", "--person", "Leave out --store or this")
    if arguments.patient and not arguments.store:
        raise FormatError("a patient is found in a log", "--patient", "Give --store FILE")
    if arguments.keep and not arguments.store:
        raise FormatError("there is no log to keep it in", "--keep", "Give --store FILE")
    if arguments.guess and not (arguments.keep and arguments.by):
        raise FormatError("a guess is kept with its maker's name", "--guess",
                          "Give --keep and --by NAME as well")  # fmt: skip


def _who(arguments: argparse.Namespace, now: int) -> _Who:
    if not arguments.store:
        person = person_of(arguments.person)
        return _Who(drawn(person, arguments.members, arguments.seed))
    if not Path(arguments.store).is_file():
        raise InputError("there is no such log", Path(arguments.store).name, "Build a twin first")
    with open_log(arguments.store, read_only=True) as log:
        patient = only_patient(log, arguments.patient)
        twin = twin_of(log, patient, Release(seed=arguments.seed), now)
    emulator = None
    if twin.settings.model_error:
        subject = twin.subject
        emulator = emulator_for(subject.person, twin.settings.outputs, subject.freed)
    return _Who(of_twin(twin, now, arguments.members), patient, twin, emulator)


def _play(rehearsal: Rehearsal, ensemble: Ensemble, began: float) -> tuple[Played, float]:
    """Play all members, and tell when the first results were there [s]."""
    last, first = None, 0.0
    with hurried(), progress("rehearsing", 100.0, "%") as told:
        for heard in play(rehearsal, ensemble):
            told(100.0 * heard.done / heard.total)
            if heard.played is not None:
                first = first or round(time.perf_counter() - began, 3)
                last = heard.played
    assert last is not None  # noqa: S101 - the last task completes the last part
    return last, first


def _case_of(log: Log, patient: str, rehearsal: Rehearsal) -> tuple[Case, bool]:
    """Return the case of a rehearsal of a patient, and whether the log knows it."""
    id_ = digest_of(rehearsal)[:16]
    known = cases(log.entries(patient, ["decision"]))
    return known.get(id_) or Case(id_, rehearsal), id_ in known


def _keep_question(arguments: argparse.Namespace, patient: str, rehearsal: Rehearsal) -> None:
    """Record what is asked and guessed, before anything is computed."""
    with open_log(arguments.store) as log:
        case, known = _case_of(log, patient, rehearsal)
        drafts = [] if known else [ask(case)]
        if arguments.guess:
            who = Principal(arguments.by, "clinician", arguments.by)
            drafts.append(estimate(case, Estimate(who, arguments.guess)))
        if case.evidence is not None and case.evidence.status == "signed" and not arguments.again:
            raise AccessError("the answer to this rehearsal is signed", "--keep",
                              "Give --again to supersede it with a new one")  # fmt: skip
        if drafts:
            log.append(patient, drafts, purpose="rehearsal").result()


def _plain(
    rehearsal: Rehearsal, comparison: Comparison, evidence: Evidence, choices: tuple[Choice, ...]
) -> dict[str, Any]:
    """Return everything as plain numbers in SI; none where the model does not apply."""
    shown = not withheld(evidence)
    verdict = evidence.applicability
    return {
        "status": f"{evidence.status}, simulated, research only",
        "rehearsal": json.loads(write_rehearsal(rehearsal)),
        "evidence": digest(evidence),
        "applicability": asdict(verdict),
        "assumptions": list(evidence.assumptions),
        "provenance": asdict(evidence.provenance),
        "comparison": json.loads(as_json(comparison)) if shown else None,
        "choices": [_choice(c) for c in choices] if shown else None,
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "name": choice.name,
        "verdict": choice.verdict,
        "against": list(choice.against),
        "objections": [
            {"name": o.chance.name, "chance": o.chance.chance, "low": o.chance.low,
             "high": o.chance.high, "at_most": o.at_most, "sure": o.sure}
            for o in choice.objections
        ],
    }  # fmt: skip
