"""The rehearsals of one patient: asked, played and decided, in the log where one is open.

Two may edit one rehearsal: an edit says which version it was made on, and is refused where that is
no longer the present one. What was signed is neither edited nor played again.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

from isosoma.core.errors import AccessError, BusyError, IsosomaError
from isosoma.core.evidence import Evidence, Status, move
from isosoma.core.principal import Principal
from isosoma.infer.emulator import Emulator
from isosoma.scenario.acceptable import acceptable
from isosoma.scenario.answering import answered, as_json, edited
from isosoma.scenario.basis import Present, basis_of, present_of, read_basis, write_basis
from isosoma.scenario.case import Case, Estimate, answer, ask, decide, estimate
from isosoma.scenario.comparing import compare
from isosoma.scenario.ensemble import drawn, of_twin
from isosoma.scenario.history import History
from isosoma.scenario.history import edited as changed
from isosoma.scenario.playing import Played, play
from isosoma.scenario.prediction import Foreseen, foreseen, locked, signed
from isosoma.scenario.preferences import Tables
from isosoma.scenario.rehearsal import Rehearsal
from isosoma.scenario.rehearsal import digest as digest_of
from isosoma.scenario.staleness import said, staleness
from isosoma.serve.doubts import doubted
from isosoma.serve.hurrying import hurried
from isosoma.serve.live_twin import Keeper
from isosoma.serve.rehearsal_age import age_of, clock_at
from isosoma.serve.rehearsal_message import case_message, result_message
from isosoma.serve.shelf import Shelf, Told
from isosoma.serve.simulation import person_of
from isosoma.twin.emulating import emulator_for
from isosoma.twin.fold import Twin

__all__ = ["Event", "Room"]

Event = tuple[str, dict[str, Any]]
"""Name and content of what is told while it plays."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rests:
    """What an answer rests on: a twin, its basis as it is kept, what is wrong with the sensors."""

    twin: Twin | None
    basis: str
    wrong: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Room:
    """Rehearsals of one patient.

    Attributes
    ----------
    keeper : whose twin is played; without a twin, members of the prior are.
    shelf : where rehearsals are kept.
    results, futures : what was played last, by id; it is not kept in the log.
    doubts : what is wrong with the sensors now.
    tables : what is looked for, what matters how much, what can be implanted.
    playing : id of the rehearsal that plays now; "" while none does.
    listed : the list as it was last sent, and what it was made of: decisions, twin, minute.
    """

    keeper: Keeper | None = None
    shelf: Shelf = field(default_factory=Shelf)
    results: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    futures: dict[str, Foreseen] = field(default_factory=dict[str, Foreseen])
    doubts: Callable[[], tuple[str, ...]] = tuple
    tables: Tables = field(default_factory=Tables)
    playing: str = ""
    listed: tuple[Told, Twin | None, int, bytes] | None = None
    _present: tuple[Twin, Present] | None = None
    _writing: threading.Lock = field(default_factory=threading.Lock)
    _playing: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, case: Case) -> dict[str, Any]:
        """Return where a rehearsal stands, as the page is told."""
        return case_message(case, self.speaks(case)) | {"plan": _plan(self.shelf, case)}

    def speaks(self, case: Case) -> dict[str, str]:
        """Return why an answer no longer speaks, and until when it knows the patient.

        ``stale`` is empty where it speaks, or is due; ``age`` where no patient was played.
        """
        evidence = case.evidence
        why = "" if evidence is None else edited(evidence, digest_of(case.rehearsal))
        if evidence is None or self.keeper is None:
            return {"stale": why, "age": ""}
        twin, basis, now = self.keeper.twin, read_basis(case.basis), self.now()
        age = "" if basis is None else age_of(basis.until, now)
        same = twin is None or evidence.provenance.inputs["members"] == twin.digest
        if not why and not (basis is None and same):
            present = None if twin is None else self._now_of(twin)
            found = staleness(basis, present, now, self.shelf.predictions().get(case.id))
            why = said(found, lambda at: clock_at(at, now))
        return {"stale": why, "age": age}

    def _now_of(self, twin: Twin) -> Present:
        """Return what a twin rests on, worked out once for all rehearsals."""
        known = self._present
        if known is None or known[0] is not twin:
            known = self._present = (twin, present_of(twin))
        return known[1]

    def edit(self, id_: str, version: int, rehearsal: Rehearsal) -> Case:
        """Keep a new rehearsal (`id_` empty), or an edit made on `version` of one that is known.

        Raises
        ------
        AccessError
            It is signed, or the edit was made on another version than the present one.
        """
        with self._writing:
            if not id_:
                case = Case(secrets.token_hex(8), replace(rehearsal, version=1))
            else:
                old = _open(self.shelf.case(id_))
                new = changed(History(old.rehearsal), replace(rehearsal, version=version + 1))
                case = replace(old, rehearsal=new.present)
            self.shelf.append([ask(case)])
        return self.shelf.case(case.id)

    def guess(self, id_: str, by: Principal, option: str, reason: str) -> Case:
        """Keep a clinician's own estimate; refused once the answer is there."""
        with self._writing:
            self.shelf.append([estimate(self.shelf.case(id_), Estimate(by, option, reason))])
        return self.shelf.case(id_)

    def decide(
        self, id_: str, to: Status, by: Principal, reason: str = "", option: str = ""
    ) -> Case:
        """Keep a review, a signature or a rejection.

        Parameters
        ----------
        option : what is chosen by a signature; its future is locked with it.

        Raises
        ------
        AccessError
            The step is not allowed, the rehearsal was edited since it was answered, or the future
            of what is chosen is not there.
        """
        with self._writing:
            case = self.shelf.case(id_)
            drafts = [decide(case, to, by, reason)]
            if case.evidence is not None and to != "rejected":
                _same(case, case.evidence)
            if case.evidence is not None and to == "signed" and option:
                after = replace(case, evidence=move(case.evidence, to, by, reason))
                drafts.append(locked(signed(after, self._future(id_), option, self.now())))
            self.shelf.append(drafts)
        return self.shelf.case(id_)

    def _future(self, id_: str) -> Foreseen:
        found = self.futures.get(id_)
        if found is None:
            raise AccessError(
                "the futures are gone since the server began again", "option",
                "Play it again, or sign without choosing an option",
            )  # fmt: skip
        return found

    def play(self, id_: str, members: int) -> Generator[Event, None, None]:
        """Yield progress, first comparisons, and the answer, which is kept."""
        if not self._playing.acquire(blocking=False):
            busy = BusyError("another rehearsal is playing", todo="Wait until it is done")
            yield "fault", {"error": str(busy)}
            return
        try:
            case = _open(self.shelf.case(id_))
            self.playing = case.id
            with hurried(None if self.keeper is None else self.keeper.rehearsing):
                yield from self._play(case, members)
        except IsosomaError as error:
            yield "fault", {"error": str(error)}
        finally:
            self.playing = ""
            self._playing.release()

    def _play(self, case: Case, members: int) -> Generator[Event, None, None]:
        twin, wrong = self._twin(), self.doubts()
        at = self.now() if twin is None else max(self.now(), twin.belief.at)
        ensemble = drawn(person_of(""), members) if twin is None else of_twin(twin, at, members)
        basis = "" if twin is None else write_basis(basis_of(twin, at))
        for heard in play(case.rehearsal, ensemble):
            yield "progress", {"share": heard.done / heard.total}
            if heard.played is not None:
                wrong = tuple(dict.fromkeys((*wrong, *self.doubts())))
                rests = _Rests(twin, basis, wrong)
                yield self._result(case, heard.played, rests, heard.played.members == members)

    def _twin(self) -> Twin | None:
        """Return the twin; None where there is nobody to have one.

        Raises
        ------
        BusyError
            The patient's twin is not there (yet): somebody usual is no stand-in for them.
        """
        if self.keeper is not None and self.keeper.twin is None:
            said = self.keeper.status.said
            raise BusyError(f"there is no twin to rehearse on: {said}", todo="Try again later")
        return None if self.keeper is None else self.keeper.twin

    def _result(self, case: Case, played: Played, rests: _Rests, last: bool) -> Event:
        tables, twin = self.tables, rests.twin
        comparison = compare(played, tables)
        evidence = answered(
            played, comparison, tables, self.now(), twin, _emulator(twin), rests.basis
        )
        withheld = "" if self.keeper is None else self.keeper.status.withheld
        evidence = doubted(evidence, rests.wrong, withheld)
        choices = acceptable(comparison, tables.preferences)
        told = result_message(played, comparison, evidence, choices, tables.complications)
        if not last:
            return "partial", told
        with self._writing:
            open_ = _open(self.shelf.case(case.id))
            self.shelf.append(answer(open_, evidence, as_json(comparison), rests.basis))
        self.results[case.id], self.futures[case.id] = told, foreseen(played)
        return "answer", told | {"case": self.tell(self.shelf.case(case.id))}

    def now(self) -> int:
        """Return the patient's time [ns]."""
        return self.keeper.now() if self.keeper is not None else time.time_ns()


def _plan(shelf: Shelf, case: Case) -> dict[str, Any] | None:
    """Return the plan that was signed: since when it is watched [s since 1970], how good."""
    said = shelf.predictions().get(case.id)
    if said is None:
        return None
    scores = shelf.scores().get(case.id)
    return {
        "option": said.option,
        "begun": said.at / 1e9 if said.begun else None,
        "inside_90": None if scores is None else {n: s.inside_90 for n, s in scores.items()},
    }


def _emulator(twin: Twin | None) -> Emulator | None:
    """Return the emulator that a twin was folded with, where it was."""
    if twin is None or not twin.settings.model_error:
        return None
    return emulator_for(twin.subject.person, twin.settings.outputs, twin.subject.freed)


def _same(case: Case, evidence: Evidence) -> None:
    """Refuse an answer to an older edit; newer data are said beside it, for the one who signs."""
    if why := edited(evidence, digest_of(case.rehearsal)):
        raise AccessError(why, "rehearsal")


def _open(case: Case) -> Case:
    if case.evidence is not None and case.evidence.status == "signed":
        raise AccessError(
            "this rehearsal is signed and stays as it is", todo="Make a new one of it and edit that"
        )
    return case
