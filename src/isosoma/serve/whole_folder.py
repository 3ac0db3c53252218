"""A folder of results that is there whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from isosoma.core.errors import InputError

__all__ = ["whole_folder"]


@contextmanager
def whole_folder(out: Path) -> Generator[Path]:
    """Give a hidden folder beside `out` to write into; it becomes `out` where the block ends well.

    Whatever breaks off leaves nothing.

    Raises
    ------
    InputError
        The folder is there already, or has none to lie in.
    """
    if out.exists():
        raise InputError("is there already", out.name, "Give a folder that is new")
    beside = out.absolute().parent
    if not beside.is_dir():
        raise InputError("has no folder to lie in", out.name, "Make that first")
    part = Path(mkdtemp(prefix=f".{out.name}-", dir=beside))
    try:
        yield part
        part.chmod(0o755)
        part.rename(out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
