"""`isosoma intake`: files into a patient's log."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isosoma.core.errors import InputError, IsosomaError, TimeError

if TYPE_CHECKING:
    from isosoma.record import Log

__all__ = ["instant", "run"]

WORDS = {
    "duplicates": "known already",
    "late": "late",
    "beyond": "too late for the live readings",
    "doubted": "in doubt",
    "withheld": "withheld from the twin",
    "companions": "read with their header",
}
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - reads as the epoch it is


def instant(text: str | None, where: str = "--now") -> int:
    """Nanoseconds since 1970 of an RFC 3339 instant, this machine's clock for none.

    Raises
    ------
    TimeError
        It is no instant, or it has no zone.
    """
    if text is None:
        return time.time_ns()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise TimeError(f"{text!r} is no instant", where, "Write 2026-05-01T08:00:00Z") from None
    if at.tzinfo is None:
        raise TimeError(f"{text!r} has no zone", where, "Write 2026-05-01T08:00:00Z")
    past = at - EPOCH
    return (past.days * 86400 + past.seconds) * 10**9 + past.microseconds * 1000


def files_of(paths: list[str]) -> list[Path]:
    """Every file named, and every file below a folder named, in order.

    Raises
    ------
    InputError
        Something named does not exist, or there is no file in it.
    """
    found: list[Path] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.is_file() and p.name[0] != ".")
        elif path.is_file() or path.with_name(f"{path.name}.hea").is_file():
            found.append(path)
        else:
            raise InputError("there is no such file", text)
    if not found:
        raise InputError("holds no file", ", ".join(paths), "Give files, or a folder with files")
    return found


def run(arguments: argparse.Namespace) -> int:
    """Take every file in; a refused file leaves the log as it was and gives exit code 2.

    What became of the files goes to stdout, one sentence for each refused one to stderr.
    """
    now, files = instant(arguments.now), files_of(arguments.paths)
    with ExitStack() as stack:
        done = take_all(files, _log(arguments.store, stack), arguments.patient, now)
    print(json.dumps({"files": done, "total": total(done)}) if arguments.json else told(done))
    refused = refusals(done)
    for sentence in refused:
        print(f"isosoma: {sentence}", file=sys.stderr)
    return 2 if refused else 0


def _log(store: str, stack: ExitStack) -> Log | Callable[[], Log]:
    """Open the log; one that is not there yet is made only once there is something to keep."""
    from isosoma.record import open_log

    @cache
    def opened() -> Log:
        return stack.enter_context(open_log(store))

    return opened() if Path(store).exists() else opened


def take_all(
    files: list[Path], log: Log | Callable[[], Log], patient: str, now: int
) -> list[dict[str, Any]]:
    """Take files one by one behind a progress bar on a terminal."""
    from tqdm import tqdm

    from isosoma import intake

    session = intake.Session(patient)
    done: list[dict[str, Any]] = []
    for path in tqdm(files, unit="file", disable=not sys.stderr.isatty()):
        try:
            summary = intake.take_paths([path], log, patient, now=now, session=session)
            done.append({"file": path.name, **asdict(summary)})
        except IsosomaError as error:
            done.append({"file": path.name, "error": str(error)})
    return done


def total(done: list[dict[str, Any]]) -> dict[str, int]:
    """Sum of every whole number of the files' summaries, and how many files were refused."""
    out: dict[str, int] = {"files": len(done), "files_refused": sum("error" in d for d in done)}
    for one in done:
        for key, value in one.items():
            if isinstance(value, int) and not isinstance(value, bool):
                out[key] = out.get(key, 0) + value
    return out


def told(done: list[dict[str, Any]]) -> str:
    """One line for each file that was taken, and the sum."""
    whole = total(done)
    head = f"{_number(whole['files'], 'file')}: {_counts(whole)}"
    if whole["files_refused"]:
        head += f"; {_number(whole['files_refused'], 'file')} refused"
    kept = [_plain(f"{one['file']}: {_counts(one)}") for one in done if "error" not in one]
    return "\n".join([*kept, head])


def refusals(done: list[dict[str, Any]]) -> list[str]:
    """One sentence for each file that was refused, naming it."""
    refused = [(str(one["file"]), str(one["error"])) for one in done if "error" in one]
    return [_plain(said if file in said else f"{file}: {said}") for file, said in refused]


def _plain(text: str) -> str:
    """Return `text` as a terminal may show it: names of files may hold what steers one."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _number(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def _counts(one: dict[str, Any]) -> str:
    """What became of the readings, in words; what is nought is left out, but not the first."""
    get = one.get
    if get("companions") and not get("accepted") and "files" not in one:
        return "read with its header"
    samples = f" ({_number(get('samples', 0), 'sample')})" if get("samples") else ""
    said = [f"{_number(get('accepted', 0), 'reading')} kept{samples}"]
    for key, words in WORDS.items():
        if get(key):
            said.append(f"{one[key]:,} {words}")
    return ", ".join(said)
