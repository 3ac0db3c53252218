"""Readers and writers of the outside formats; inside, everything is SI.

`read_path` tells a file's format by its content and yields what was measured. Each reader is a pure
function of bytes or a path, and refuses with one sentence what it cannot take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["read_path"]

if TYPE_CHECKING:
    from isosoma.exchange.sniff import read_path


def __getattr__(name: str) -> object:
    if name != "read_path":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from isosoma.exchange.sniff import read_path

    return read_path
