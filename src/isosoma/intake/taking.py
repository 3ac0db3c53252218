"""Take readings in: judge them, and record facts and verdicts in one durable step."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, fields

import isosoma
from isosoma import quality
from isosoma.core.errors import IdentityError, LimitError, RangeError, TimeError
from isosoma.core.observation import GOOD, WITHHOLD_BELOW, Observation, Verdict, Waveform
from isosoma.intake.identity import key_of
from isosoma.intake.watermark import channel_of, instant_of, lateness
from isosoma.record import Draft, Log, Receipt, encode_observations, encode_waveform

__all__ = ["FUTURE", "Session", "Summary", "ordered", "submit", "take"]

Reading = Observation | Waveform

FUTURE = 300 * 10**9
"""A clock may run ahead of ours by this much [ns]; beyond it a reading is refused."""

_LAST_YEAR = 253402300800 * 10**9  # year 10000
_BLOCK = 10_000  # observations in one event
_MOST = 5_000_000  # readings in one call


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
    lock : one call at a time for a patient.
    """

    patient: str
    state: quality.State = field(default_factory=quality.start)
    newest: dict[tuple[str, str, str], int] = field(default_factory=dict[tuple[str, str, str], int])
    lock: threading.Lock = field(default_factory=threading.Lock)


def ordered(readings: Iterable[Reading]) -> list[Reading]:
    """Return readings in the one order that folds use: (time, device, channel, seq, variable)."""
    return sorted(readings, key=_place)


def _place(r: Reading) -> tuple[int, str, str, int, str]:
    return instant_of(r), r.device, r.channel, r.seq, r.variable


def _check(readings: Sequence[Reading], patient: str, now: int) -> None:
    """Refuse the whole delivery for its first impossible reading."""
    if len(readings) > _MOST:
        raise LimitError(f"{len(readings)} readings in one delivery", todo="Cut it into parts")
    for i, r in enumerate(readings):
        if r.subject not in ("", patient):
            raise IdentityError(
                f"the reading belongs to {r.subject!r}, not to {patient!r}",
                f"{r.origin or 'reading'} (number {i + 1})",
                "Send each patient's readings apart",
            )
        at = instant_of(r)
        if not 0 <= at < _LAST_YEAR or at > now + FUTURE:
            raise TimeError(
                "the reading lies before 1970 or more than 5 min ahead of our clock",
                f"{r.origin or 'reading'} (number {i + 1})",
                "Set the device's clock",
            )
        if isinstance(r, Observation) and not math.isfinite(r.value):
            raise RangeError("the value is not a number", f"{r.origin} (number {i + 1})")


def submit(
    log: Log,
    readings: Iterable[Reading],
    *,
    patient: str,
    now: int,
    session: Session | None = None,
) -> Future[Summary]:
    """Judge and queue a delivery; the future resolves once it is on disk.

    Raises
    ------
    IdentityError, TimeError, RangeError, LimitError
        A reading of another patient, from the future, or not finite: nothing is recorded.
    BusyError
        The queue is full; nothing was accepted.
    """
    own = session or Session(patient)
    given = ordered(readings)
    _check(given, patient, now)
    with own.lock:
        keyed = {key_of(r): r for r in given}
        keys = list(keyed)
        new = [k for k, fresh in zip(keys, log.unseen(patient, keys), strict=True) if fresh]
        kept = [keyed[k] for k in new]
        answer: Future[Summary] = Future()
        if not kept:
            answer.set_result(Summary(duplicates=len(given)))
            return answer
        state, verdicts = quality.judge_many(own.state, kept)
        late = [lateness(r, own.newest.get(channel_of(r))) for r in kept]
        drafts = [*_facts(kept), _verdicts(kept, verdicts, late)]
        summary = _count(kept, verdicts, late, len(given) - len(kept))
        recorded = log.append(patient, drafts, new)
        own.state = state
        for r in kept:
            at = instant_of(r)
            own.newest[channel_of(r)] = max(at, own.newest.get(channel_of(r), at))
    recorded.add_done_callback(_hand_on(answer, summary))
    return answer


def _hand_on(answer: Future[Summary], summary: Summary) -> Callable[[Future[Receipt]], None]:
    def done(recorded: Future[Receipt]) -> None:
        error = recorded.exception()
        if error is None:
            answer.set_result(summary)
        else:
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
