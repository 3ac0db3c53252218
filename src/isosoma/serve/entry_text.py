"""Entries of a log in words, and as JSON: values with their units, verdicts counted."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from isosoma.core.observation import WITHHOLD_BELOW
from isosoma.core.quantity import show, show_unit
from isosoma.core.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from isosoma.record import Entry

__all__ = ["Tally", "brief", "clock", "content", "mapping", "table"]

_LONGEST = 80  # characters of JSON in a line


@dataclass(slots=True)
class Tally:
    """What was in the entries shown, counted while they pass."""

    kinds: Counter[str] = field(default_factory=Counter[str])
    patients: set[str] = field(default_factory=set[str])
    judged: int = 0
    doubted: int = 0
    withheld: int = 0
    erased: int = 0

    def add(self, entry: Entry, held: Any) -> None:
        """Count an entry with its decoded content."""
        self.kinds[entry.kind] += 1
        self.erased += entry.erased
        if entry.patient:
            self.patients.add(entry.patient)
        if entry.kind == "verdicts" and not entry.erased:
            weights = [weight for weight, _ in held["verdicts"].values()]
            self.judged += held["count"]
            self.doubted += len(weights)
            self.withheld += sum(w < WITHHOLD_BELOW for w in weights)

    def __str__(self) -> str:
        kinds = ", ".join(f"{n:,} {kind}" for kind, n in sorted(self.kinds.items()))
        said = [f"{_number(sum(self.kinds.values()), 'entry', 'entries')} ({kinds or 'none'})"]
        said.append(_number(len(self.patients), "patient", "patients"))
        if self.judged:
            judged = _number(self.judged, "reading", "readings")
            verdicts = [f"{judged} judged: {self.judged - self.doubted:,} good"]
            if self.doubted:
                verdicts.append(f"{self.doubted:,} in doubt")
            if self.withheld:
                verdicts.append(f"{self.withheld:,} of these withheld from the twin")
            said.append(", ".join(verdicts))
        if self.erased:
            said.append(f"{self.erased:,} erased")
        return "; ".join(said)


def _number(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _plain(seconds: float) -> str:
    """Return seconds to the millisecond, without noughts at the end."""
    return f"{seconds:.3f}".rstrip("0").rstrip(".")


def clock(at: int) -> str:
    """RFC 3339 instant of `at` [ns], to the millisecond, in UTC."""
    whole = datetime.fromtimestamp(at // 10**9, tz=timezone.utc)  # noqa: UP017
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{at % 10**9 // 10**6:03d}Z"


def mapping(entry: Entry) -> dict[str, Any]:
    """An entry as JSON, its content decoded."""
    return {
        "sequence": entry.sequence,
        "at": clock(entry.at),
        "patient": entry.patient,
        "kind": entry.kind,
        "version": entry.version,
        "previous": entry.previous,
        "actor": entry.actor,
        "role": entry.role,
        "purpose": entry.purpose,
        "erased": entry.erased,
        "content": content(entry),
    }


def content(entry: Entry) -> Any:
    """What an entry holds: readings as mappings in SI, JSON as it is, bytes by their length."""
    from isosoma.record import decode_observations, decode_waveform

    if entry.erased:
        return None
    if entry.kind == "observations":
        found = decode_observations(entry.payload, entry.patient)
        return [{**dataclasses.asdict(one), "unit": VOCABULARY[one.variable].unit} for one in found]
    if entry.kind == "waveform":
        wave = decode_waveform(entry.payload, entry.patient)
        plain = {f.name: getattr(wave, f.name) for f in dataclasses.fields(wave)}
        plain["samples"] = len(wave.samples)
        return {**plain, "unit": VOCABULARY[wave.variable].unit}
    try:
        return json.loads(entry.payload)
    except ValueError:
        return {"bytes": len(entry.payload)}


def table(entries: Iterable[Entry]) -> Iterator[str]:
    """Lines for people, and one that sums them up."""
    tally = Tally()
    yield f"{'entry':>7}  {'committed':<24}  {'patient':<16} {'kind':<13} content"
    for e in entries:
        held = content(e)
        tally.add(e, held)
        line = f"{e.sequence:>7}  {clock(e.at):<24}  {e.patient or '–':<16} {e.kind:<13}"
        yield f"{line} {brief(e, held)}"
    yield str(tally)


def brief(entry: Entry, held: Any) -> str:
    """Return an entry's decoded content in a few words, and who recorded it where that is kept."""
    by = f" [{entry.actor}{', ' + entry.purpose if entry.purpose else ''}]" if entry.actor else ""
    if entry.erased:
        return f"erased{by}"
    if entry.kind == "observations":
        return observed(held) + by
    if entry.kind == "waveform":
        return recorded(held) + by
    if entry.kind == "verdicts":
        return judged(held) + by
    text = json.dumps(held, ensure_ascii=False)
    return (text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…") + by


def observed(held: list[dict[str, Any]]) -> str:
    """Return a block of observations in words: of each variable how many, from what to what."""
    values: dict[str, list[float]] = {}
    for one in held:
        values.setdefault(one["variable"], []).append(one["value"])
    said = ", ".join(f"{len(v)} × {name} {span(name, v)}" for name, v in values.items())
    first, last = (end(one["at"] for one in held) for end in (min, max))
    until = f" to {clock(last)}" if last != first else ""
    return f"{said}; {since(first, held[0]['origin'])}{until}"


def span(name: str, values: list[float]) -> str:
    """Return the least and the greatest of SI `values` of a variable, in the unit people read."""
    row = VOCABULARY[name]
    low, high = (show(row, end(values)) for end in (min, max))
    return low if low == high else f"{low.removesuffix(show_unit(row.shown)).strip()} to {high}"


def since(at: int, origin: str) -> str:
    """Return an instant [ns] as a date, or as a place in a recording that has none."""
    if "relative_time" in origin:
        return f"second {_plain(at / 1e9)} of the recording"
    return clock(at)


def recorded(held: dict[str, Any]) -> str:
    """Return a waveform block in words: what, how long, since when, how fast."""
    name = " ".join(dict.fromkeys(filter(None, (held["variable"], held["channel"]))))
    length = _plain(held["samples"] / held["hz"])
    lost = sum(stop - start for start, stop in held["missing"])
    gaps = f", {lost:,} of {held['samples']:,} samples missing" if lost else ""
    return (
        f"{name}, {length} s from {since(held['start'], held['origin'])}, {held['hz']:g} Hz{gaps}"
    )


def judged(held: dict[str, Any]) -> str:
    """Return the verdicts of one delivery in a few words: how many, and each reason of doubt."""
    doubts = Counter(reason for _, reason in held["verdicts"].values())
    said = [f"{held['count']} judged, {held['count'] - sum(doubts.values())} good"]
    said += [f"{n} in doubt ({reason})" for reason, n in doubts.most_common()]
    late = Counter(held.get("late", {}).values())
    said += [f"{late[word]} {words}" for word, words in _LATE.items() if late[word]]
    return "; ".join(said)


_LATE = {"late": "late", "beyond": "too late for the live readings"}
