"""`isosoma record verify | show | copy | erase`: looking after a log."""

from __future__ import annotations

import argparse
import dataclasses
import getpass
import json
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from isosoma.core.errors import InputError
from isosoma.serve.entry_text import mapping, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from isosoma.record import Entry, Log, Report

__all__ = ["check", "duplicate", "show", "wipe"]


def check(arguments: argparse.Namespace) -> int:
    """Verify a log and print what was found; exit code 1 when anything was, 2 for no log."""
    from tqdm import tqdm

    from isosoma.record import verify

    there = Path(arguments.file).is_file()
    if not there and not arguments.json:
        raise InputError("there is no such log", arguments.file)
    note = _text(arguments.checkpoint) if arguments.checkpoint else None
    with tqdm(unit="entry", disable=not sys.stderr.isatty(), leave=False) as bar:

        def told_bar(read: int, total: int) -> None:
            bar.total = total
            bar.update(read - bar.n)

        report = verify(
            arguments.file,
            trusted_keys=arguments.key,
            checkpoint=note,
            deep=arguments.deep,
            progress=told_bar,
        )
    if arguments.json:
        print(json.dumps(dataclasses.asdict(report)))
    else:
        print(told(report))
    if not there:
        return 2
    return 0 if report.ok else 1


def _text(path: str) -> str:
    if not Path(path).is_file():
        raise InputError("there is no such checkpoint", path)
    return Path(path).read_text("utf-8", "replace")


def told(report: Report) -> str:
    """The verdict for people: the sentence first, then every finding."""
    if report.ok:
        counts = [(report.size, "entries"), (report.checkpoints, "checkpoints")]
        counts += [(report.blobs, "blobs"), (report.erased, "erased patients")]
        head = f"intact: {', '.join(f'{n:,} {noun}' for n, noun in counts)}"
        depth = "every entry decrypted" if report.deep else "contents not decrypted (--deep does)"
        keys = "\n".join(f"  signed by {key}" for key in report.keys)
        return f"{head}; {depth}\n  root {report.root}\n{keys}"
    n = len(report.findings)
    head = f"NOT intact: {n} finding{'' if n == 1 else 's'} in {report.size:,} entries"
    return "\n".join([head, *(f"  {f.kind}: {f}" for f in report.findings)])


def show(arguments: argparse.Namespace) -> int:
    """Print entries in the log's order."""
    from isosoma.record import open_log

    if not Path(arguments.file).is_file():
        raise InputError("there is no such log", arguments.file)
    with open_log(arguments.file, create=False, read_only=True) as log:
        _refuse_unknown(log, arguments.patient, arguments.kind)
        entries = log.entries(arguments.patient, arguments.kind, erased=True)
        some = islice(entries, arguments.limit) if arguments.limit else entries
        for line in as_json(some) if arguments.json else table(some):
            print(line)
    return 0


def _refuse_unknown(log: Log, patient: str | None, kinds: list[str] | None) -> None:
    """Tell a slip of the pen from a log that holds nothing."""
    from isosoma.record.entries import KINDS

    for kind in kinds or ():
        if kind not in KINDS:
            raise InputError(f"there is no kind {kind!r}", "--kind", f"One of {_listed(KINDS)}")
    if patient is not None and log.keys.find(patient) is None:
        raise InputError(f"no patient {patient!r}, or erased", log.store.where, "Check the id")


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def as_json(entries: Iterable[Entry]) -> Iterable[str]:
    """Yield one JSON array, an entry a line: a long log is never in memory whole."""
    before = "["
    for entry in entries:
        yield before + json.dumps(mapping(entry))
        before = ","
    yield "]" if before == "," else "[]"


def duplicate(arguments: argparse.Namespace) -> int:
    """Copy a log and say what the copy stands at."""
    from isosoma.record import copy_log

    note = copy_log(Path(arguments.file), Path(arguments.to))
    size = int(note.split("\n")[1])
    if arguments.json:
        print(json.dumps({"target": arguments.to, "size": size, "checkpoint": note}))
    else:
        print(f"copied {size:,} entries; back up FILE-keys and FILE-kek apart from it")
    return 0


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
