"""The key file: wrapped keys and salts of all patients, apart from the log and its backups.

::

    wrapped = AES256GCM(KEK, DEK, aad = enc("dek", tenant, patient, version))

Losing a patient's rows here is losing the patient's content everywhere: that is how one is erased.
The KEK comes from the environment's pass phrase (scrypt) or a file only its owner can read.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import threading
from dataclasses import dataclass, field
from hashlib import scrypt, sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from isosoma.core.errors import ErasedError, FormatError, RecordError, TamperError
from isosoma.record.blobs import write_atomically
from isosoma.record.checkpoint import VerifierKey
from isosoma.record.envelope import MOST_MESSAGES, enc, seal, unseal
from isosoma.record.store import FORMAT

__all__ = ["PASSPHRASE", "KeyFile", "Keys", "find_kek", "forget", "pinned_keys"]

PASSPHRASE = "ISOSOMA_PASSPHRASE"  # noqa: S105 - the variable's name, not its content
"""Environment variable with the pass phrase; without it the KEK lies in FILE-kek."""

_STEP = 2**20
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

    def cipher(self, version: int) -> AESGCM:
        """Return the cipher of a key version; raises ErasedError."""
        if version not in self.ciphers:
            raise ErasedError("this version of the patient's key is gone", todo="Nothing can help")
        return self.ciphers[version]


def find_kek(path: Path, salt: bytes, *, create: bool) -> bytes:
    """Return the 32-byte key that wraps all others.

    From the pass phrase in the environment (scrypt, N = 2^15, r = 8, p = 1), else from FILE-kek.

    Raises
    ------
    RecordError
        No pass phrase and no file, or a file that others can read.
    """
    phrase = os.environ.get(PASSPHRASE)
    if phrase:
        return scrypt(phrase.encode(), salt=salt, n=2**15, r=8, p=1, maxmem=2**26, dklen=32)
    file = Path(f"{path}-kek")
    if create and not file.exists():
        write_atomically(file, os.urandom(32))
    if not file.exists():
        raise RecordError("the key is missing", str(file), f"Restore it or set {PASSPHRASE}")
    if file.stat().st_mode & 0o077:
        raise RecordError("others can read the key", str(file), "Run chmod 600 on it")
    kek = file.read_bytes()
    if len(kek) != 32:
        raise FormatError("the key is not 32 bytes", str(file), "Restore it from a copy")
    return kek


def _connect(file: Path, *, write: bool) -> sqlite3.Connection:
    uri = f"{file.resolve().as_uri()}?mode={'rw' if write else 'ro'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=30)
    if write:
        db.execute("PRAGMA journal_mode=DELETE")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")
    return db


def forget(file: Path, pseudonym: str) -> None:
    """Destroy all of a patient's keys in one key file (or a backup of one), overwriting them."""
    try:
        db = _connect(file, write=True)
        try:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM deks WHERE pseudonym=?", (pseudonym,))
            db.execute("DELETE FROM patients WHERE pseudonym=?", (pseudonym,))
            db.execute("COMMIT")
            db.execute("VACUUM")
        finally:
            db.close()
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
        db = _connect(file, write=False)
        try:
            found = db.execute("SELECT value FROM meta WHERE key='public'").fetchall()
        finally:
            db.close()
    except sqlite3.Error as error:
        raise TamperError(f"the key file is broken ({error})", str(file), "Restore it") from error
    return [VerifierKey.parse(bytes(line).decode("utf-8", "replace")) for (line,) in found]


class KeyFile:
    """The open key file of one log."""

    def __init__(self, path: Path, *, origin: str, create: bool, write: bool = True) -> None:
        """Open FILE-keys; raises RecordError where it is missing, broken or of another KEK."""
        self.file = Path(f"{path}-keys")
        self._guard = threading.RLock()
        self._held: dict[str, Keys] = {}
        fresh = create and not self.file.exists()
        if fresh:
            self._make(path, origin)
        if not self.file.exists():
            raise RecordError("the key file is missing", str(self.file), "Restore it from a copy")
        try:
            self._db = _connect(self.file, write=write)
            meta = dict(self._db.execute("SELECT key, value FROM meta"))
        except sqlite3.Error as error:
            raise FormatError(f"no key file of ours ({error})", str(self.file)) from error
        if meta.get("format") != FORMAT.encode() or meta.get("origin") != origin.encode():
            raise FormatError("these are the keys of another log", str(self.file), "Give its own")
        self.origin = origin
        self._open(find_kek(path, meta["salt"], create=False), meta["private"])

    def _make(self, path: Path, origin: str) -> None:
        salt = os.urandom(16)
        kek = find_kek(path, salt, create=True)
        private = Ed25519PrivateKey.generate()
        public = str(VerifierKey(origin, private.public_key().public_bytes_raw()))
        sealed = seal(AESGCM(kek), private.private_bytes_raw(), enc("sign", origin))
        fresh = Path(f"{self.file}-new")
        write_atomically(fresh, b"")
        db = sqlite3.connect(fresh)
        db.executescript(_SCHEMA)
        rows = {"format": FORMAT, "origin": origin, "salt": salt, "public": public}
        rows["private"] = sealed
        values = [(k, v.encode() if isinstance(v, str) else v) for k, v in rows.items()]
        db.executemany("INSERT INTO meta VALUES(?,?)", values)
        db.commit()
        db.close()
        fresh.replace(self.file)

    def _open(self, kek: bytes, private: bytes) -> None:
        self._kek = AESGCM(kek)
        self._finder = sha256(b"isosoma lookup" + kek).digest()
        try:
            raw = unseal(self._kek, private, enc("sign", self.origin))
        except TamperError as error:
            raise RecordError(
                "the key or pass phrase does not open this log",
                str(self.file),
                "Give the one it was made with",
            ) from error
        self.private = Ed25519PrivateKey.from_private_bytes(raw)

    def _lookup(self, patient: str) -> bytes:
        return hmac.digest(self._finder, patient.encode(), "sha256")

    def _wrap(self, pseudonym: str, version: int, dek: bytes) -> bytes:
        return seal(self._kek, dek, enc("dek", self.origin, pseudonym, version))

    def find(self, patient: str) -> Keys | None:
        """Return a patient's keys; None where there is no such patient (or no longer)."""
        with self._guard:
            held = self._held.get(patient)
            if held is not None:
                return held
            found = self._db.execute(
                "SELECT pseudonym FROM patients WHERE lookup=?", (self._lookup(patient),)
            ).fetchone()
            return self.of(found[0]) if found else None

    def of(self, pseudonym: str) -> Keys | None:
        """Return the keys behind a pseudonym; None where they were destroyed."""
        with self._guard:
            row = self._db.execute(
                "SELECT name, salt FROM patients WHERE pseudonym=?", (pseudonym,)
            ).fetchone()
            if row is None:
                return None
            patient = unseal(self._kek, row[0], enc("name", self.origin, pseudonym)).decode()
            if patient in self._held:
                return self._held[patient]
            salt = unseal(self._kek, row[1], enc("salt", self.origin, pseudonym))
            ciphers: dict[int, AESGCM] = {}
            for version, wrapped in self._db.execute(
                "SELECT version, wrapped FROM deks WHERE pseudonym=?", (pseudonym,)
            ):
                aad = enc("dek", self.origin, pseudonym, version)
                ciphers[version] = AESGCM(unseal(self._kek, wrapped, aad))
            keys = Keys(pseudonym, patient, salt, ciphers, max(ciphers), 0)
            self._held[patient] = keys
            return keys

    def make(self, patient: str) -> Keys:
        """Return a patient's keys, made durably where there were none."""
        with self._guard:
            found = self.find(patient)
            if found is not None:
                return found
            pseudonym, salt = os.urandom(16).hex(), os.urandom(32)
            name = seal(self._kek, patient.encode(), enc("name", self.origin, pseudonym))
            sealed = seal(self._kek, salt, enc("salt", self.origin, pseudonym))
            dek = AESGCM.generate_key(256)
            self._db.execute("BEGIN IMMEDIATE")
            row = (pseudonym, self._lookup(patient), name, sealed)
            self._db.execute("INSERT INTO patients VALUES(?,?,?,?)", row)
            deks = (pseudonym, 1, _STEP, self._wrap(pseudonym, 1, dek))
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
            row = (keys.pseudonym, version, _STEP, self._wrap(keys.pseudonym, version, dek))
            self._db.execute("INSERT INTO deks VALUES(?,?,?,?)", row)
            keys.ciphers[version], keys.version = AESGCM(dek), version
        keys.left = _STEP

    def patients(self) -> list[str]:
        """Return the ids of all patients whose keys exist, the log itself left out."""
        with self._guard:
            found = [p for (p,) in self._db.execute("SELECT pseudonym FROM patients")]
            ids = [keys.patient for p in found if (keys := self.of(p)) is not None]
            return sorted(i for i in ids if i)

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
        with self._guard, sqlite3.connect(target) as copy:
            self._db.backup(copy)
        copy.close()
        target.chmod(0o600)
        return target

    def close(self) -> None:
        """Close and forget all unwrapped keys."""
        with self._guard:
            self._held.clear()
            self._db.close()
