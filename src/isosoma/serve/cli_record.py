"""`isosoma record verify | show | erase`: looking after a log."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isosoma.core.errors import InputError
from isosoma.core.vocabulary import VOCABULARY

if TYPE_CHECKING:
    from isosoma.record import Entry, Report

__all__ = ["check", "show", "wipe"]


def check(arguments: argparse.Namespace) -> int:
    """Verify a log and print what was found; exit code 1 when anything was."""
    from tqdm import tqdm

    from isosoma.record import verify

    note = _text(arguments.checkpoint) if arguments.checkpoint else None
    with tqdm(unit="entry", disable=not sys.stderr.isatty(), leave=False) as bar:
        report = verify(
            arguments.file,
            checkpoint=note,
            deep=arguments.deep,
            progress=lambda n: bar.update(n - bar.n),
        )
    if arguments.json:
        print(json.dumps(dataclasses.asdict(report)))
    else:
        print(told(report))
    return 0 if report.ok else 1


def _text(path: str) -> str:
    if not Path(path).is_file():
        raise InputError("there is no such checkpoint", path)
    return Path(path).read_text("utf-8")


def told(report: Report) -> str:
    """The verdict for people: the sentence first, then every finding."""
    if report.ok:
        return f"intact: {report.size} entries, root {report.root}"
    head = f"NOT intact: {len(report.findings)} findings in {report.size} entries"
    return "\n".join([head, *(f"  {f.kind}: {f}" for f in report.findings)])


def show(arguments: argparse.Namespace) -> int:
    """Print entries in the log's order."""
    from isosoma.record import open_log

    if "://" not in arguments.file and not Path(arguments.file).is_file():
        raise InputError("there is no such log", arguments.file)
    with open_log(arguments.file, create=False, read_only=True) as log:
        entries = log.entries(arguments.patient, arguments.kind)
        some = islice(entries, arguments.limit) if arguments.limit else entries
        if arguments.json:
            print(json.dumps([mapping(e) for e in some]))
        else:
            for line in table(some):
                print(line)
    return 0


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


def table(entries: Iterator[Entry]) -> Iterator[str]:
    """Lines for people."""
    yield f"{'entry':>7}  {'committed':<24}  {'patient':<16} {'kind':<13} content"
    for e in entries:
        yield f"{e.sequence:>7}  {clock(e.at):<24}  {e.patient or '–':<16} {e.kind:<13} {brief(e)}"


def brief(entry: Entry) -> str:
    """An entry's content in a few words."""
    if entry.erased:
        return "erased"
    held = content(entry)
    if entry.kind == "observations":
        names = ", ".join(dict.fromkeys(one["variable"] for one in held))
        return f"{len(held)} × {names}"
    if entry.kind == "waveform":
        name = " ".join(dict.fromkeys(filter(None, (held["variable"], held["channel"]))))
        span = f"{held['samples'] / held['hz']:.3f}".rstrip("0").rstrip(".")
        return f"{name}, {span} s from {clock(held['start'])}, {held['hz']:g} Hz"
    if entry.kind == "verdicts":
        return judged(held)
    text = json.dumps(held)
    return text if len(text) <= 80 else f"{text[:79]}…"


def judged(held: dict[str, Any]) -> str:
    """Return the verdicts of one delivery in a few words: how many, and each reason of doubt."""
    doubts = Counter(reason for _, reason in held["verdicts"].values())
    said = [f"{held['count']} judged, {held['count'] - sum(doubts.values())} good"]
    return "; ".join([*said, *(f"{n} in doubt ({reason})" for reason, n in doubts.most_common())])


def wipe(arguments: argparse.Namespace) -> int:
    """Destroy a patient's key and say where the log notes it."""
    from isosoma.record import erase, open_log

    if not Path(arguments.file).is_file():
        raise InputError("there is no such log", arguments.file)
    by = arguments.by or getpass.getuser()
    with open_log(arguments.file, create=False) as log:
        receipt = erase(log, arguments.patient, by, arguments.reason)
    sequence = receipt.sequences[0]
    if arguments.json:
        print(json.dumps({"erased": True, "sequence": sequence}))
    else:
        print(f"erased; the log notes it as entry {sequence} and can never be read for it again")
    return 0
