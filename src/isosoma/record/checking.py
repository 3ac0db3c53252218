"""Is the log still what was signed? Offline, and without any patient's key.

Every leaf is hashed again, every root compared with what was signed for it, every signature, blob
and idempotence key checked, and the size held against checkpoints kept beside and elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from isosoma.core.errors import IsosomaError, RecordError, TamperError
from isosoma.record import asking
from isosoma.record.blobs import blob_folder, read_blob
from isosoma.record.checkpoint import Checkpoint, VerifierKey, open_note, parse_checkpoint
from isosoma.record.header import Header, open_row, read_header, seen_digest
from isosoma.record.kept import checkpoint_file
from isosoma.record.keys import KeyFile, pinned_keys
from isosoma.record.log import open_store
from isosoma.record.merkle import Frontier, leaf_hash
from isosoma.record.store import FORMAT, Mark, Row, Store
from isosoma.record.writer import resume

__all__ = ["MOST_FINDINGS", "Finding", "Report", "verify"]

MOST_FINDINGS = 100
"""Findings listed; a log with more has one cause, and the first ones name it."""

_BLOCKS = ("observations", "waveform")
_RESTORE = "Restore the log from a copy that verifies"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as signed: its kind, what, where, and what to do."""

    kind: str
    what: str
    where: str
    todo: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.todo}"


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a log.

    Attributes
    ----------
    ok : nothing was found.
    findings : at most `MOST_FINDINGS`.
    size, root : number of entries read, and the root over them as hex.
    origin : name of the log, part of what is signed.
    checkpoints, blobs, erased : how many were checked; how many patients were erased.
    deep : whether contents were decrypted as well.
    keys : public keys whose signatures counted; note them elsewhere, with a checkpoint.
    """

    ok: bool
    findings: tuple[Finding, ...]
    size: int
    root: str
    origin: str
    checkpoints: int = 0
    blobs: int = 0
    erased: int = 0
    deep: bool = False
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class _Check:
    """What is known while the log is read."""

    progress: Callable[[int, int], object] | None = None
    deep: bool = False
    total: int = 0
    read: int = 0
    origin: str = ""
    keys: list[VerifierKey] = field(default_factory=list[VerifierKey])
    findings: list[Finding] = field(default_factory=list[Finding])
    frontier: Frontier = field(default_factory=Frontier)
    counted: int = 0
    marks: int = 0
    newest: int = 0
    roots: dict[int, bytes] = field(default_factory=dict[int, bytes])
    wanted: set[int] = field(default_factory=set[int])
    seen: dict[int, str] = field(default_factory=dict[int, str])
    blobs: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    erased: set[str] = field(default_factory=set[str])
    astray: dict[int, tuple[str, str, str]] = field(default_factory=dict[int, tuple[str, str, str]])

    def step(self) -> None:
        """Count an entry read, and tell of every hundredth and the last."""
        self.read += 1
        if self.progress is not None and (self.read % 100 == 0 or self.read == self.total):
            self.progress(self.read, max(self.total, self.read))

    def found(self, kind: str, what: str, where: str, todo: str = _RESTORE) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(kind, what, where, todo))


def verify(
    path: str | Path,
    *,
    trusted_keys: Sequence[str] | None = None,
    checkpoint: str | None = None,
    home: Path | None = None,
    deep: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Report:
    """Check a log without changing it.

    Parameters
    ----------
    trusted_keys : public keys ``name+id+base64``; those pinned in FILE-keys by default.
    checkpoint : a signed note kept elsewhere; the log must contain what it says.
    home : path of the local files of a log in PostgreSQL.
    deep : also decrypt every entry; needs the key (FILE-kek or pass phrase).
    progress : called with the entries read so far and those to read; `deep` reads each twice.
    """
    check = _Check(progress=progress, deep=deep)
    files = home or Path(path)
    try:
        store, files = open_store(path, create=None, write=False, home=home)
    except IsosomaError as error:
        check.found("file", error.what, error.where or str(path), error.todo or _RESTORE)
        return _report(check)
    try:
        _everything(check, store, files, trusted_keys, checkpoint)
        if deep:
            _decrypt(check, store, files)
    except IsosomaError as error:
        check.found("file", error.what, error.where or str(path), error.todo or _RESTORE)
    finally:
        store.close()
    return _report(check)


def _report(check: _Check) -> Report:
    return Report(
        ok=not check.findings, findings=tuple(check.findings), size=check.counted,
        root=check.frontier.root().hex(), origin=check.origin, checkpoints=check.marks,
        blobs=len(check.blobs), erased=len(check.erased), deep=check.deep,
        keys=tuple(map(str, check.keys)),
    )  # fmt: skip


def _everything(
    check: _Check, store: Store, files: Path, trusted: Sequence[str] | None, checkpoint: str | None
) -> None:  # fmt: skip
    for fault in store.faults():
        check.found("database", f"the database is damaged ({fault})", store.where)
    meta = asking.meta(store)
    check.origin = meta.get("origin", "")
    if meta.keys() != {"format", "origin"} or meta.get("format") != FORMAT:
        check.found("database", "the log's description was changed", store.where)
    newest = asking.last(store)
    check.total = (newest.size if newest else 0) * (2 if check.deep else 1)
    _trust(check, files, trusted)
    notes = _kept(check, files, checkpoint)
    _walk(check, store)
    _astray(check)
    _tail(check, store, notes)
    _seen(check, store)
    _blobs(check, files)


def _trust(check: _Check, files: Path, trusted: Sequence[str] | None) -> None:
    """Choose the keys whose signatures count."""
    try:
        given = None if trusted is None else [VerifierKey.parse(k) for k in trusted]
        check.keys = pinned_keys(files) if given is None else given
    except RecordError as error:
        check.found("key", error.what, error.where or f"{files}-keys", error.todo)


def _kept(check: _Check, files: Path, given: str | None) -> list[tuple[str, Checkpoint]]:
    """Read the checkpoints kept beside the log and given from elsewhere."""
    found: list[tuple[str, str]] = []
    beside = checkpoint_file(files)
    if beside.exists():
        found.append((str(beside), beside.read_bytes().decode("utf-8", "replace")))
    else:
        todo = "Restore it, or give a checkpoint kept elsewhere"
        check.found("checkpoint", "the kept checkpoint is missing", str(beside), todo)
    if given is not None:
        found.append(("the given checkpoint", given))
    out: list[tuple[str, Checkpoint]] = []
    for where, note in found:
        point = _signed(check, note, where)
        if point is not None:
            out.append((where, point))
            check.wanted.add(point.size)
    return out


def _signed(check: _Check, note: str, where: str) -> Checkpoint | None:
    """Return what a note of this log says; None, with a finding, where it may not be believed."""
    try:
        point = parse_checkpoint(open_note(note, check.keys))
        if Checkpoint(point.origin, point.size, point.root).text() != open_note(note, check.keys):
            raise TamperError("a checkpoint says more than it should")
    except TamperError as error:
        check.found("checkpoint", error.what, where, error.todo or _RESTORE)
        return None
    if point.origin != check.origin:
        check.found("checkpoint", f"a checkpoint is of another log ({point.origin})", where)
        return None
    return point


def _walk(check: _Check, store: Store) -> None:
    """Hash every leaf again and hold each stored checkpoint against the root at its size."""
    marks = asking.marks(store)
    mark = next(marks, None)
    rows = asking.rows(store)
    row = next(rows, None)
    while mark is not None or row is not None:
        if mark is not None and (row is None or check.frontier.size >= mark.size):
            _mark(check, mark)
            mark = next(marks, None)
        elif row is not None:
            _row(check, row)
            row = next(rows, None)
            check.step()
    if check.frontier.size in check.wanted:
        check.roots[check.frontier.size] = check.frontier.root()


def _place(kind: str, sequence: int) -> str:
    return f"{'block' if kind in _BLOCKS else 'event'} {sequence}"


def _row(check: _Check, row: Row) -> None:
    """Check one entry against its own header, and add its leaf."""
    if check.frontier.size in check.wanted:
        check.roots[check.frontier.size] = check.frontier.root()
    where = _place(row.kind, row.sequence)
    if row.sequence != check.counted:
        what = f"entry {check.counted} is missing or stands in another place"
        check.found("order", what, where)
        check.counted = row.sequence
    check.counted += 1
    check.frontier.append(leaf_hash(row.header))
    try:
        h = read_header(row.header)
    except IsosomaError as error:
        check.found("event", error.what, where)
        return
    if h.sequence != row.sequence:
        check.found("order", f"this place holds entry {h.sequence}: rows were reordered", where)
    if (h.patient, h.kind, h.object) != (row.patient, row.kind, row.object):
        check.found("event", "its patient, kind or object is not that of its header", where)
    digest = sha256(row.ciphertext).hexdigest()
    if digest != h.digest:
        check.astray[row.sequence] = (where, h.digest, digest)
    _note(check, h)


def _note(check: _Check, h: Header) -> None:
    """Remember what a header promises about other places."""
    if h.seen:
        check.seen[h.sequence] = h.seen
    if h.erases:
        check.erased.add(h.erases)
    for digest in h.blobs:
        check.blobs[digest] = (h.sequence, h.patient)


def _mark(check: _Check, mark: Mark) -> None:
    """Check one stored checkpoint; after a wrong root go on from what was signed."""
    where = f"checkpoint {mark.size}"
    check.marks += 1
    check.newest = max(check.newest, mark.size)
    point = _signed(check, mark.note, where)
    try:
        stored = resume(mark)
    except RecordError:
        stored = None
    if stored is None or stored.root() != mark.root:
        check.found("checkpoint", "its subtree hashes do not give its root", where)
        stored = None
    if point is None:
        return
    if (point.size, point.root) != (mark.size, mark.root):
        check.found("checkpoint", "its row and its signed note differ", where)
    if check.frontier.size != point.size:
        return  # a missing tail or a missing row, said once elsewhere
    if check.frontier.root() != point.root:
        check.found("event", "the entries up to here are not those that were signed", where)
        if stored is not None and stored.root() == point.root:
            check.frontier = stored


def _astray(check: _Check) -> None:
    """Tell a moved ciphertext from a changed one."""
    owners = {expected: where for where, expected, _ in check.astray.values()}
    for where, _, actual in check.astray.values():
        kind = where.split()[0]
        if actual in owners:
            check.found("swapped", f"it holds the ciphertext of {owners[actual]}", where)
        else:
            check.found(kind, "its ciphertext was changed", where)


def _tail(check: _Check, store: Store, notes: Sequence[tuple[str, Checkpoint]]) -> None:
    """Hold the size against every checkpoint."""
    if check.marks == 0:
        check.found("checkpoint", "the log holds no checkpoint at all", store.where)
    if check.counted < check.newest:
        what = f"the last {check.newest - check.counted} of {check.newest} entries are gone"
        check.found("tail", what, store.where)
    if check.counted > check.newest:
        what = f"{check.counted - check.newest} entries at the end were never signed"
        check.found("tail", what, store.where)
    for where, point in notes:
        if point.size > check.counted or point.size > check.newest:
            what = f"the log has {check.counted} entries, but {point.size} were signed: rolled back"
            check.found("rollback", what, where, "Restore the newest copy of the log")
        elif point.size and check.roots.get(point.size) != point.root:
            check.found("fork", "the log is not the one this checkpoint was signed for", where)


def _seen(check: _Check, store: Store) -> None:
    """Compare the idempotence keys with the digests in the headers."""
    wanted = dict(check.seen)
    for sequence, pairs in groupby(asking.seen(store), key=itemgetter(0)):
        if seen_digest([key for _, key in pairs]) != wanted.pop(sequence, ""):
            check.found("event", "its idempotence keys were changed", f"event {sequence}")
    for sequence in sorted(wanted):
        check.found("event", "its idempotence keys are gone", f"event {sequence}")


def _blobs(check: _Check, files: Path) -> None:
    """Read every blob that a living patient's entry refers to."""
    for digest, (_, patient) in check.blobs.items():
        if patient in check.erased:
            continue
        try:
            read_blob(blob_folder(files), digest)
        except RecordError as error:
            check.found("blob", error.what, error.where or digest, error.todo)


def _decrypt(check: _Check, store: Store, files: Path) -> None:
    """Open every ciphertext with its patient's key."""
    keys = KeyFile(files, origin=check.origin, write=False)
    try:
        for row in asking.rows(store):
            person = keys.of(row.patient)
            if person is None and row.patient not in check.erased:
                todo = "Restore FILE-keys from a backup"
                check.found("key", "the patient's key is gone without an erasure",
                            _place(row.kind, row.sequence), todo)  # fmt: skip
            try:
                open_row(row, person, check.origin)
            except IsosomaError as error:
                check.found("event", error.what, _place(row.kind, row.sequence))
            check.step()
    finally:
        keys.close()
