"""Large things beside the log: one file each, named by the digest of its ciphertext."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from isosoma.core.errors import RecordError, TamperError
from isosoma.record.files import sync_folder, write_atomically

__all__ = ["blob_folder", "blob_path", "delete_blob", "read_blob", "write_blob"]


def blob_folder(files: Path) -> Path:
    """Return the folder of the blobs of the log whose files lie at `files`."""
    return Path(f"{files}-blobs")


def blob_path(folder: Path, digest: str) -> Path:
    """Return where a blob lies; raises RecordError unless `digest` is 64 hex digits."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise RecordError("a blob is named by 64 hexadecimal digits", todo="Check its name")
    return folder / digest[:2] / digest


def write_blob(folder: Path, ciphertext: bytes) -> str:
    """Store `ciphertext` durably and return its SHA-256 as hex."""
    digest = sha256(ciphertext).hexdigest()
    path = blob_path(folder, digest)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, ciphertext)
        sync_folder(folder)
    except OSError as error:
        raise RecordError(
            f"a blob cannot be written ({error.strerror})",
            str(folder),
            "Check disk and permissions",
        ) from error
    return digest


def read_blob(folder: Path, digest: str) -> bytes:
    """Return the ciphertext; raises RecordError where it is missing, TamperError if changed."""
    path = blob_path(folder, digest)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordError(
            f"a blob is missing or unreadable ({error.strerror})", str(path), "Restore it"
        ) from error
    if sha256(data).hexdigest() != digest:
        raise TamperError("a blob is not what its name says", str(path), "Restore it from a copy")
    return data


def delete_blob(folder: Path, digest: str) -> None:
    """Remove a blob; a missing one is no error."""
    blob_path(folder, digest).unlink(missing_ok=True)
