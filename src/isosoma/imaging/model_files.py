"""What the loaders of others' networks share: small JSON files, trust, extras, borrowed code."""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from isosoma.core.errors import AccessError, FormatError, IsosomaError

__all__ = ["borrowed", "needed", "read_json", "require_trust"]

_MOST_BYTES = 16 << 20


def read_json(path: Path) -> dict[str, Any]:
    """Return the table in a file of a model.

    Raises
    ------
    FormatError
        It is missing, too long, or no JSON table.
    """
    if not path.is_file():
        said = f"has no {path.name}"
        raise FormatError(said, path.parent.name, "Give the model's folder as it was made")
    if path.stat().st_size > _MOST_BYTES:
        raise FormatError("is longer than 16 MiB", path.name, "It is no model's description")
    try:
        table: Any = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"is no JSON: {error}", path.name, "Copy the model again") from error
    if not isinstance(table, dict):
        raise FormatError("holds no table", path.name, "Copy the model again")
    return {str(k): v for k, v in table.items()}  # pyright: ignore[reportUnknownVariableType]


def require_trust(trusted: bool, what: str, where: str) -> None:
    """Go on only where the user said that a model whose loading runs its own code is trusted.

    Parameters
    ----------
    what : part of the model that is run, in words.

    Raises
    ------
    AccessError
        Nobody said so.
    """
    if not trusted:
        said = f"{what}: that may do all that you may, and is not run unasked"
        todo = "Say --trust-model (trusted=True) if you know who made it, or export it to ONNX"
        raise AccessError(said, where, todo)


def needed(module: str, extra: str, where: str) -> Any:
    """Return a module of an optional extra.

    Raises
    ------
    FormatError
        The extra is not installed.
    """
    try:
        with redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError as error:
        said = f"{module.partition('.')[0]} is not installed"
        todo = f'Install the extra: pip install "isosoma[{extra}]"'
        raise FormatError(said, where, todo) from error


@contextmanager
def borrowed(where: str) -> Generator[None]:
    """Run the code of an extra: what it prints goes to stderr, what fails ends in a sentence.

    nnU-Net and TotalSegmentator print as they work, and ``--json`` must stay JSON alone. What their
    libraries warn their own makers of is not shown.

    Raises
    ------
    FormatError
        Anything went wrong in there.
    """
    with redirect_stdout(sys.stderr), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except IsosomaError:
            raise
        except (Exception, SystemExit) as error:  # theirs share no base, and some leave by exit
            lines = str(error).strip().splitlines() or ["it says nothing"]
            said = f"the code that runs it fails: {type(error).__name__}: {lines[0][:200]}"
            todo = "Run the model once with the tool that made it, or export it to ONNX"
            raise FormatError(said, where, todo) from error
