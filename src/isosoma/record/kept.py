"""FILE-checkpoint: the newest signed note, kept beside the log to find one that was set back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from isosoma.core.errors import TamperError
from isosoma.record import asking
from isosoma.record.checkpoint import Checkpoint, Signer, VerifierKey, open_note, parse_checkpoint
from isosoma.record.files import write_atomically
from isosoma.record.keys import KeyFile
from isosoma.record.merkle import Frontier
from isosoma.record.store import Mark, Store
from isosoma.record.writer import resume

__all__ = ["checkpoint_file", "keeper", "resumed"]

_SYNC_EVERY = 1_000_000_000
"""The file is written at every commit, and forced to disk this often [ns] and on closing."""


def checkpoint_file(files: Path) -> Path:
    """Return where the newest note of the log at `files` is kept."""
    return Path(f"{files}-checkpoint")


def keeper(files: Path) -> Callable[[str], None]:
    """Return what keeps a note; a reader never finds half of one."""
    synced = time.monotonic_ns()

    def keep(note: str) -> None:
        nonlocal synced
        now = time.monotonic_ns()
        sync = now - synced > _SYNC_EVERY
        write_atomically(checkpoint_file(files), note.encode(), sync=sync)
        if sync:
            synced = now

    return keep


def resumed(store: Store, keys: KeyFile, files: Path) -> Signer:
    """Return the signer where it stopped, once the store is what it signed, and no older.

    Raises
    ------
    TamperError
        The store is behind the kept note, or its newest checkpoint is not ours.
    """
    signer = Signer(keys.origin, keys.private, Frontier())
    last = asking.last(store)
    file = checkpoint_file(files)
    if last is None:
        return _begun(store, signer, file)
    key = VerifierKey(keys.origin, keys.private.public_key().public_bytes_raw())
    ours = parse_checkpoint(open_note(last.note, [key]))
    frontier = resume(last)
    if ours != Checkpoint(keys.origin, frontier.size, frontier.root()):
        raise TamperError(
            "the newest checkpoint does not fit", store.where, "Run `isosoma record verify`"
        )
    if not last.size and not file.exists():  # killed between the two steps of making a log
        write_atomically(file, last.note.encode())
    if file.exists() and file.stat().st_size:  # emptied by a power cut on some file systems
        kept = parse_checkpoint(open_note(file.read_text("utf-8", "replace"), [key]))
        mark = asking.mark_at(store, kept.size)
        if mark is None or mark.root != kept.root:
            raise TamperError(
                f"the log does not contain what it had signed at size {kept.size}",
                str(file),
                "It was rolled back or changed: restore the newest copy",
            )
    signer.keep(frontier)
    return signer


def _begun(store: Store, signer: Signer, file: Path) -> Signer:
    """Sign the empty log."""
    if file.exists():
        raise TamperError("an empty log has signed before", str(file), "Restore a copy")
    frontier, note = signer.sign([])
    store.commit([], [], Mark(0, frontier.root(), b"", note))
    write_atomically(file, note.encode())
    return signer
