"""Files that are there whole or not at all, and stay after the power goes."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["sync_folder", "write_atomically"]


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600, sync: bool = True) -> None:
    """Write `data` under `path` so that a reader finds the old or the new, never half."""
    fresh = path.with_name(path.name + "-new")
    fd = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, mode)
    with os.fdopen(fd, "wb") as out:
        out.write(data)
        if sync:
            out.flush()
            os.fsync(fd)
    fresh.replace(path)
    if sync:
        sync_folder(path.parent)
