"""The key file: wrapped keys and salts of all patients, apart from the log and its backups.

Losing a patient's rows here is losing the patient's content everywhere: that is how one is erased.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from isosoma.core.errors import ErasedError, FormatError, RecordError, TamperError
from isosoma.record.checkpoint import VerifierKey
from isosoma.record.envelope import MOST_MESSAGES
from isosoma.record.files import sync_folder, write_atomically
from isosoma.record.kek import Kek, find_kek
from isosoma.record.store import FORMAT

__all__ = ["PLACE", "KeyFile", "Keys", "forget", "make_key_file", "pinned_keys"]

PLACE = 8
"""Bytes of an idempotence key that say which keys it should lie beside."""
_STEP = 2**20
_MOST_ASKED = 10_000  # keys of one patient that were asked for and wait to be written
"""Messages reserved at a time: a crash forgets the count within, never the reservation."""
_SCHEMA = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE patients(pseudonym TEXT PRIMARY KEY, lookup BLOB UNIQUE NOT NULL, name BLOB NOT NULL,
  salt BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE deks(pseudonym TEXT, version INTEGER, reserved INTEGER NOT NULL,
  wrapped BLOB NOT NULL, PRIMARY KEY(pseudonym, version)) WITHOUT ROWID;
"""


@dataclass(slots=True)
class Keys:
    """One patient's unwrapped keys; `left` messages may still be sealed before reserving more."""

    pseudonym: str
    patient: str
    salt: bytes
    ciphers: dict[int, AESGCM]
    version: int
    left: int
    _pads: tuple[Any, Any] = field(init=False, repr=False)
    _asked: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes], repr=False)

    def __post_init__(self) -> None:
        # RFC 2104 with both pads hashed once: four times faster than starting from the salt.
        key = self.salt.ljust(64, b"\0")
        self._pads = (
            sha256(bytes(b ^ 0x36 for b in key)),
            sha256(bytes(b ^ 0x5C for b in key)),
        )

    def mac(self, data: bytes) -> bytes:
        """Return HMAC-SHA256 under the patient's salt: meaningless once the salt is gone."""
        inner, outer = self._pads[0].copy(), self._pads[1].copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.digest()

    def seen(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return what is stored of idempotence keys: an HMAC of the place, and one of the whole.

        A key's place is its first `PLACE` bytes. Keys of one place are stored side by side, so a
        delivery is looked up and written in few pages of a large index, not in one page a key.
        """
        places = {p: self.mac(b"place " + p)[:8] for p in {k[:PLACE] for k in keys}}
        return [places[k[:PLACE]] + self.mac(k)[:16] for k in keys]

    def asked(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return what `seen` does, and keep it until `written`: who asks is about to write."""
        found = self.seen(keys)
        if len(self._asked) > _MOST_ASKED:
            self._asked = {}
        self._asked.update(zip(keys, found, strict=True))
        return found

    def written(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return what `seen` does, for the last time: what was kept of these keys is dropped."""
        found = [self._asked.pop(k, None) for k in keys]
        kept = [f for f in found if f is not None]
        return kept if len(kept) == len(keys) else self.seen(keys)

    def cipher(self, version: int) -> AESGCM:
        """Return the cipher of a key version; raises ErasedError."""
        if version not in self.ciphers:
            raise ErasedError("this version of the patient's key is gone", todo="Nothing can help")
        return self.ciphers[version]


def _connect(file: Path, *, write: bool) -> sqlite3.Connection:
    uri = f"{file.resolve().as_uri()}?mode={'rw' if write else 'ro'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    if write:
        db.execute("PRAGMA journal_mode=DELETE")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")
    return db


def make_key_file(path: Path, origin: str) -> None:
    """Make FILE-keys (and FILE-kek, without a pass phrase) for a new log, with a signing key."""
    file, salt = Path(f"{path}-keys"), os.urandom(16)
    kek = find_kek(path, origin, salt, create=True)
    private = Ed25519PrivateKey.generate()
    meta = {
        "format": FORMAT.encode(),
        "origin": origin.encode(),
        "salt": salt,
        "public": str(VerifierKey(origin, private.public_key().public_bytes_raw())).encode(),
        "private": kek.wrap(private.private_bytes_raw(), "sign"),
    }
    fresh = Path(f"{file}-new")
    write_atomically(fresh, b"")
    with closing(sqlite3.connect(fresh)) as db:
        db.executescript(_SCHEMA)
        db.executemany("INSERT INTO meta VALUES(?,?)", meta.items())
        db.commit()
    fresh.replace(file)
    sync_folder(file.parent)


def forget(file: Path, pseudonym: str) -> None:
    """Destroy all of a patient's keys in one key file (or a backup of one), overwriting them."""
    try:
        with closing(_connect(file, write=True)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM deks WHERE pseudonym=?", (pseudonym,))
            db.execute("DELETE FROM patients WHERE pseudonym=?", (pseudonym,))
            db.execute("COMMIT")
            db.execute("VACUUM")
    except sqlite3.Error as error:
        raise RecordError(
            f"the keys could not be destroyed ({error})", str(file), "Delete this file by hand"
        ) from error


def pinned_keys(path: Path) -> list[VerifierKey]:
    """Return the public keys pinned in FILE-keys; raises RecordError or TamperError."""
    file = Path(f"{path}-keys")
    if not file.exists():
        raise RecordError("the key file is missing", str(file), "Give the log's public key")
    try:
        with closing(_connect(file, write=False)) as db:
            found = db.execute("SELECT value FROM meta WHERE key='public'").fetchall()
    except sqlite3.Error as error:
        raise TamperError(f"the key file is broken ({error})", str(file), "Restore it") from error
    return [VerifierKey.parse(bytes(line).decode("utf-8", "replace")) for (line,) in found]


def _signing_key(kek: Kek, sealed: bytes, file: Path) -> Ed25519PrivateKey:
    """Return the key that signs checkpoints; opening it is the proof that the KEK is right."""
    try:
        return Ed25519PrivateKey.from_private_bytes(kek.unwrap(sealed, "sign"))
    except TamperError as error:
        raise RecordError(
            "the key or pass phrase does not open this log",
            str(file),
            "Give the one it was made with",
        ) from error


class KeyFile:
    """The open key file of one log."""

    def __init__(self, path: Path, *, origin: str, write: bool = True) -> None:
        """Open FILE-keys; raises RecordError where it is missing, broken or of another KEK."""
        self.file, self.origin = Path(f"{path}-keys"), origin
        self._guard = threading.RLock()
        self._held: dict[str, Keys] = {}
        if not self.file.exists():
            raise RecordError("the key file is missing", str(self.file), "Restore it from a copy")
        try:
            self._db = _connect(self.file, write=write)
            meta = dict(self._db.execute("SELECT key, value FROM meta"))
        except sqlite3.Error as error:
            raise FormatError(f"no key file of ours ({error})", str(self.file)) from error
        if meta.get("format") != FORMAT.encode() or meta.get("origin") != origin.encode():
            self._db.close()
            raise FormatError("these are the keys of another log", str(self.file), "Give its own")
        if not {"salt", "private"} <= meta.keys():
            self._db.close()
            raise FormatError("the key file is broken", str(self.file), "Restore it from a copy")
        self._kek = find_kek(path, origin, meta["salt"], create=False)
        self.private = _signing_key(self._kek, meta["private"], self.file)

    def find(self, patient: str) -> Keys | None:
        """Return a patient's keys; None where there is no such patient (or no longer)."""
        with self._guard:
            held = self._held.get(patient)
            if held is not None:
                return held
            sql = "SELECT pseudonym FROM patients WHERE lookup=?"
            found = self._db.execute(sql, (self._kek.lookup(patient),)).fetchone()
            return self.of(found[0]) if found else None

    def of(self, pseudonym: str) -> Keys | None:
        """Return the keys behind a pseudonym; None where they were destroyed."""
        with self._guard:
            sql = "SELECT name, salt FROM patients WHERE pseudonym=?"
            row = self._db.execute(sql, (pseudonym,)).fetchone()
            if row is None:
                return None
            patient = self._kek.unwrap(row[0], "name", pseudonym).decode()
            if patient in self._held:
                return self._held[patient]
            sql = "SELECT version, wrapped FROM deks WHERE pseudonym=?"
            ciphers = {
                version: AESGCM(self._kek.unwrap(wrapped, "dek", pseudonym, version))
                for version, wrapped in self._db.execute(sql, (pseudonym,))
            }
            if not ciphers:
                raise TamperError("a patient has a salt but no key", str(self.file), "Restore it")
            salt = self._kek.unwrap(row[1], "salt", pseudonym)
            keys = Keys(pseudonym, patient, salt, ciphers, max(ciphers), 0)
            self._held[patient] = keys
            return keys

    def make(self, patient: str) -> Keys:
        """Return a patient's keys, made durably where there were none."""
        with self._guard:
            found = self.find(patient)
            if found is not None:
                return found
            pseudonym, salt, dek = os.urandom(16).hex(), os.urandom(32), AESGCM.generate_key(256)
            wrap = self._kek.wrap
            name = wrap(patient.encode(), "name", pseudonym)
            row = (pseudonym, self._kek.lookup(patient), name, wrap(salt, "salt", pseudonym))
            deks = (pseudonym, 1, _STEP, wrap(dek, "dek", pseudonym, 1))
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("INSERT INTO patients VALUES(?,?,?,?)", row)
            self._db.execute("INSERT INTO deks VALUES(?,?,?,?)", deks)
            self._db.execute("COMMIT")
            keys = Keys(pseudonym, patient, salt, {1: AESGCM(dek)}, 1, _STEP)
            self._held[patient] = keys
            return keys

    def spend(self, keys: Keys) -> int:
        """Count one message and return the key version to seal it with.

        A new version is begun before `MOST_MESSAGES` could have been sealed under one.
        """
        with self._guard:
            if keys.left == 0:
                self._reserve(keys)
            keys.left -= 1
            return keys.version

    def _reserve(self, keys: Keys) -> None:
        where = (keys.pseudonym, keys.version)
        sql = "SELECT reserved FROM deks WHERE pseudonym=? AND version=?"
        (reserved,) = self._db.execute(sql, where).fetchone()
        if reserved + _STEP < MOST_MESSAGES:
            sql = "UPDATE deks SET reserved=reserved+? WHERE pseudonym=? AND version=?"
            self._db.execute(sql, (_STEP, *where))
        else:
            dek, version = AESGCM.generate_key(256), keys.version + 1
            wrapped = self._kek.wrap(dek, "dek", keys.pseudonym, version)
            row = (keys.pseudonym, version, _STEP, wrapped)
            self._db.execute("INSERT INTO deks VALUES(?,?,?,?)", row)
            keys.ciphers[version], keys.version = AESGCM(dek), version
        keys.left = _STEP

    def destroy(self, keys: Keys) -> None:
        """Destroy a patient's keys here and in every backup beside (FILE-keys.backup*)."""
        with self._guard:
            self._held.pop(keys.patient, None)
            keys.ciphers.clear()
            backups = sorted(self.file.parent.glob(f"{self.file.name}.backup*"))
            for file in [self.file, *backups]:
                forget(file, keys.pseudonym)

    def backup(self, name: str) -> Path:
        """Copy the key file to FILE-keys.backup-`name`, where `destroy` finds it."""
        target = Path(f"{self.file}.backup-{name}")
        write_atomically(target, b"")  # nobody else may read it, from its first byte on
        with self._guard, closing(sqlite3.connect(target)) as copy:
            self._db.backup(copy)
        return target

    def close(self) -> None:
        """Close and forget all unwrapped keys."""
        with self._guard:
            self._held.clear()
            self._db.close()
