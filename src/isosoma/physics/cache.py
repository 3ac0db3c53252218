"""What takes long to make and is kept on disk: compiled kernels, settled starts.

A cache is never the truth. A file that is absent, cut or altered is none, and what it held is made
again; where nothing can be written, it is made again in each process.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

__all__ = ["CACHE", "code", "keep", "read"]

CACHE = "ISOSOMA_CACHE"
"""Environment variable with the folder of the cache; default: the user's cache folder."""
_DIGEST = 32  # bytes of SHA-256 before the content


def _path(kind: str, name: str) -> Path:
    base = os.environ.get(CACHE) or os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base else Path.home() / ".cache"
    return home / "isosoma" / kind / name


def read(kind: str, name: str) -> bytes | None:
    """Return what was kept under a name; none where it is not there or not whole."""
    try:
        kept = _path(kind, name).read_bytes()
    except OSError:
        return None
    digest, content = kept[:_DIGEST], kept[_DIGEST:]
    return content if hashlib.sha256(content).digest() == digest else None


def keep(kind: str, name: str, content: bytes) -> None:
    """Keep bytes under a name; a reader sees all of them or nothing."""
    path = _path(kind, name)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(hashlib.sha256(content).digest() + content)
        fresh.replace(path)
    except OSError:  # a full disk or no home: it is made again next time
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


@lru_cache(maxsize=16)
def code(*packages: str) -> str:
    """Return a digest of the code and tables of packages: what they make is kept under it."""
    found = hashlib.sha256()
    for package in packages:
        for file in sorted(files(package).iterdir(), key=lambda f: f.name):
            if file.name.endswith((".py", ".toml")) and not file.name.startswith("test_"):
                found.update(f"{package}/{file.name}\0".encode() + file.read_bytes())
    return found.hexdigest()
