"""Tables that a user may put in the place of ours: complications, preferences, devices."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from isosoma.core.errors import InputError, IsosomaError, LimitError

if TYPE_CHECKING:
    from isosoma.scenario.preferences import Tables

__all__ = ["read_file", "tables_of", "take_tables"]

_LARGEST = 1_000_000
T = TypeVar("T")


def take_tables(verb: Any) -> None:
    """Add the arguments that name tables to a verb."""
    verb.add_argument("--complications", metavar="FILE", help="look for those of this table")
    verb.add_argument("--preferences", metavar="FILE", help="losses and allowed chances")
    verb.add_argument("--devices", metavar="FILE", help="devices and their sizes")


def tables_of(arguments: argparse.Namespace) -> Tables:
    """Return the tables to play with: those that are named, ours in place of the others.

    Raises
    ------
    InputError
        A file is missing or cannot be read, or the preferences say nothing of a complication.
    """
    from isosoma.scenario import complication_table, preferences
    from isosoma.scenario.devices import devices, read_devices

    looked_for = read_file(arguments.complications, complication_table.read_complications)
    wanted = read_file(arguments.preferences, preferences.read_preferences)
    tables = preferences.Tables(
        looked_for or complication_table.complications(),
        wanted or preferences.preferences(),
        read_file(arguments.devices, read_devices) or devices(),
    )
    preferences.check_named(tables.preferences, (p.name for p in tables.complications.predicates))
    return tables


def read_file(path: str | None, read: Callable[[str], T]) -> T | None:
    """Read a text file by its reader; None where none was named.

    Raises
    ------
    InputError
        There is no such file, it is too large, no text, or not what the reader reads.
    """
    if not path:
        return None
    file = Path(path)
    if not file.is_file():
        raise InputError("there is no such file", file.name)
    if file.stat().st_size > _LARGEST:
        raise LimitError(f"it is larger than {_LARGEST // 1_000_000} MB", file.name)
    try:
        return read(file.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError("the file is no text", file.name) from error
    except IsosomaError as error:
        raise error.at(file.name) from error
