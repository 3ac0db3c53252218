"""Take readings in: judge them, and record facts and verdicts in one durable step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

import isosoma
from isosoma import quality
from isosoma.core.errors import IdentityError, RecordError
from isosoma.core.observation import GOOD, WITHHOLD_BELOW, Observation, Verdict, Waveform
from isosoma.intake.identity import key_of
from isosoma.intake.refusal import check
from isosoma.intake.watermark import channel_of, instant_of, lateness
from isosoma.record import Draft, Log, Receipt, encode_observations, encode_waveform
from isosoma.record.writer import Job

__all__ = ["Session", "Summary", "ordered", "submit", "take"]

Reading = Observation | Waveform
_Place = tuple[int, str, str, int, str, bytes]

_BLOCK = 10_000  # observations in one event


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a delivery; every reading is counted once in accepted or duplicates.

    Attributes
    ----------
    accepted : readings recorded by this call.
    duplicates : readings that the log held already.
    late, beyond : of the accepted, those behind their watermark, and behind the 48 h horizon.
    doubted, withheld : of the accepted, those with a weight under 1, and under 0.3.
    samples : waveform samples accepted.
    companions : files that are read through their header and not by themselves.
    """

    accepted: int = 0
    duplicates: int = 0
    late: int = 0
    beyond: int = 0
    doubted: int = 0
    withheld: int = 0
    samples: int = 0
    companions: int = 0

    def __add__(self, other: Summary) -> Summary:
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Summary(*(a + b for a, b in pairs))


@dataclass(slots=True)
class Session:
    """What intake remembers of one patient between calls; never the truth, which is the log.

    Attributes
    ----------
    state : the gate's memory, in order of arrival.
    newest : (device, channel, variable) → newest event time [ns].
    """

    patient: str
    state: quality.State = field(default_factory=quality.start)
    newest: dict[tuple[str, str, str], int] = field(default_factory=dict[tuple[str, str, str], int])


def ordered(readings: Iterable[Reading]) -> list[Reading]:
    """Return readings in the one order that folds use: (time, device, channel, seq, variable).

    Where all these are equal, content decides, so that order of arrival never does.
    """
    return [r for _, r in _placed(readings)]


def _placed(readings: Iterable[Reading]) -> list[tuple[_Place, Reading]]:
    """Sort readings by their places, the last part of which is the reading's key."""
    places = [
        ((instant_of(r), r.device, r.channel, r.seq, r.variable, key_of(r)), r) for r in readings
    ]
    return sorted(places, key=itemgetter(0))


_turns: WeakKeyDictionary[Log, dict[str, threading.Lock]] = WeakKeyDictionary()
_new_turn = threading.Lock()


def _turn(log: Log, patient: str) -> threading.Lock:
    """Return the lock that lets deliveries of a patient into a log one at a time.

    Between asking what is new and queueing it no other delivery may bring the same.
    """
    with _new_turn:
        return _turns.setdefault(log, {}).setdefault(patient, threading.Lock())


def submit(
    log: Log,
    readings: Iterable[Reading],
    *,
    patient: str,
    now: int,
    session: Session | None = None,
) -> Future[Summary]:
    """Judge and queue a delivery; the future resolves once all of it is on disk.

    Raises
    ------
    IdentityError, TimeError, RangeError, FormatError, LimitError
        A reading of another patient, from the future, or not finite: nothing is recorded.
    BusyError
        The queue is full; nothing was accepted.
    """
    own, given = session or Session(patient), list(readings)
    if own.patient != patient:
        raise IdentityError("a session is of another patient", todo="Keep one for each patient")
    check(given, patient, now)
    keyed = {place[-1]: r for place, r in _placed(given)}
    answer: Future[Summary] = Future()
    if not keyed:
        answer.set_result(Summary())
        return answer
    with _turn(log, patient):
        fresh = dict(zip(keyed, log.unseen(patient, list(keyed)), strict=True))
        new = {k: r for k, r in keyed.items() if fresh[k]}
        if new:
            summary, recorded = _record(log, own, new, len(given) - len(new))
        else:
            summary, recorded = Summary(duplicates=len(given)), _all_before(log)
    held = [k for k in keyed if not fresh[k]]
    recorded.add_done_callback(_hand_on(answer, summary, log, patient, held))
    return answer


def _record(
    log: Log, session: Session, new: Mapping[bytes, Reading], duplicates: int
) -> tuple[Summary, Future[Receipt]]:
    """Judge and queue what is new, given by key in event order; then remember it."""
    kept = list(new.values())
    state, verdicts = quality.judge_many(session.state, kept)
    channels = [channel_of(r) for r in kept]
    late = [
        lateness(r, session.newest.get(channel)) for r, channel in zip(kept, channels, strict=True)
    ]
    drafts = [*_facts(kept), _verdicts(kept, verdicts, late)]
    recorded = log.append(session.patient, drafts, list(new))
    session.state = state
    last = dict(zip(channels, map(instant_of, kept), strict=True))
    for channel, at in last.items():
        session.newest[channel] = max(at, session.newest.get(channel, at))
    return _count(kept, verdicts, late, duplicates), recorded


def _all_before(log: Log) -> Future[None]:
    """Return a future that resolves once the log has finished everything queued until now."""
    job = Job(lambda: None)
    log.submit(job)
    return job.answer


def _hand_on(
    answer: Future[Summary], summary: Summary, log: Log, patient: str, held: Sequence[bytes]
) -> Callable[[Future[Any]], None]:
    """Return what answers a delivery once it, and all that was queued before it, is done.

    `held` are keys that the log had, or that another delivery was bringing: only what is on disk
    by now may be called a duplicate.
    """

    def done(recorded: Future[Any]) -> None:
        try:
            recorded.result()
            if held and any(log.unseen(patient, held)):
                raise RecordError(
                    "another delivery of the same readings could not be recorded",
                    todo="Deliver them again",
                )
            answer.set_result(summary)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered, not lost
            answer.set_exception(error)

    return done


def take(
    log: Log,
    readings: Iterable[Reading],
    *,
    patient: str,
    now: int,
    session: Session | None = None,
) -> Summary:
    """Take a delivery in whole or not at all; what is counted as accepted is on disk.

    Parameters
    ----------
    readings : in any order; duplicates of what the log holds are counted and left out.
    now : time of arrival [ns].
    session : memory between the calls of one stream; a fresh one where none is given.

    Raises
    ------
    InputError, RecordError
        As `submit` and the log; nothing was changed.
    """
    return submit(log, readings, patient=patient, now=now, session=session).result()


def _facts(kept: Sequence[Reading]) -> list[Draft]:
    """Blocks in the order of `kept`: observations together, waveforms one by one."""
    numbers = [r for r in kept if isinstance(r, Observation)]
    blocks = [numbers[i : i + _BLOCK] for i in range(0, len(numbers), _BLOCK)]
    drafts = [Draft("observations", encode_observations(b)) for b in blocks]
    waves = [r for r in kept if isinstance(r, Waveform)]
    return drafts + [Draft("waveform", encode_waveform(w)) for w in waves]


def _verdicts(kept: Sequence[Reading], verdicts: Sequence[Verdict], late: Sequence[str]) -> Draft:
    """Return the verdicts as they stood at arrival, by place among all readings of the append.

    Places count observations first, then waveforms, as the facts before them. Good is the default.
    """
    places = [i for i, r in enumerate(kept) if isinstance(r, Observation)]
    places += [i for i, r in enumerate(kept) if isinstance(r, Waveform)]
    found: dict[str, object] = {}
    for place, i in enumerate(places):
        if verdicts[i] != GOOD:
            found[str(place)] = [verdicts[i].weight, verdicts[i].reason]
    behind = {str(p): late[i] for p, i in enumerate(places) if late[i] != "on_time"}
    made = f"isosoma.quality {isosoma.__version__}"
    return Draft("verdicts", {"by": made, "count": len(kept), "late": behind, "verdicts": found})


def _count(
    kept: Sequence[Reading], verdicts: Sequence[Verdict], late: Sequence[str], duplicates: int
) -> Summary:
    return Summary(
        accepted=len(kept),
        duplicates=duplicates,
        late=sum(x == "late" for x in late),
        beyond=sum(x == "beyond" for x in late),
        doubted=sum(v.weight < 1.0 for v in verdicts),
        withheld=sum(v.weight < WITHHOLD_BELOW for v in verdicts),
        samples=sum(len(r.samples) for r in kept if isinstance(r, Waveform)),
    )
