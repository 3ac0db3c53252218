"""What matters how much: rows of ``preferences.toml``, or of a file of one's own."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any

from isosoma.core.errors import FormatError, RangeError, VocabularyError
from isosoma.scenario.complication_table import Table, complications, value_of
from isosoma.scenario.devices import Devices, devices

__all__ = ["Preferences", "Tables", "Weight", "check_named", "preferences", "read_preferences"]


@dataclass(frozen=True, slots=True)
class Weight:
    """How bad a complication is (arrest is 100), and the chance above which none accepts it."""

    loss: float
    at_most: float


@dataclass(frozen=True, slots=True)
class Preferences:
    """Weights by complication, smallest differences that count by measure [SI], and a digest."""

    weights: Mapping[str, Weight]
    differences: Mapping[str, float]
    digest: str


@dataclass(frozen=True, slots=True)
class Tables:
    """What the comparison looks for, what matters how much, and what can be implanted."""

    complications: Table = field(default_factory=complications)
    preferences: Preferences = field(
        default_factory=lambda: preferences()  # noqa: PLW0108 - it is defined below
    )
    devices: Devices = field(default_factory=devices)


def read_preferences(text: str) -> Preferences:
    """Read a table of preferences.

    Raises
    ------
    InputError
        A number is missing or impossible; the row is named.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"it is no TOML: {error}", "preferences") from error
    weights = {name: _weight(name, row) for name, row in raw.get("complication", {}).items()}
    differences = {
        name: value_of(str(said), name) for name, said in raw.get("difference", {}).items()
    }
    return Preferences(weights, differences, hashlib.sha256(text.encode()).hexdigest())


def _weight(name: str, row: Any) -> Weight:
    try:
        weight = Weight(float(row["loss"]), float(row["at_most"]))
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"it lacks loss or at_most ({error})", name) from error
    if not (0.0 <= weight.loss < 1e6 and 0.0 <= weight.at_most <= 1.0):
        raise RangeError("a loss lies from 0 up, at_most between 0 and 1", name)
    return weight


def check_named(preferences: Preferences, names: Iterable[str]) -> None:
    """Refuse preferences that say nothing of a complication that is looked for.

    Raises
    ------
    VocabularyError
        One would count as harmless without anybody having said so.
    """
    missing = [n for n in names if n not in preferences.weights]
    if missing:
        raise VocabularyError(
            f"the preferences say nothing of {', '.join(map(repr, missing))}", "preferences",
            "Add loss and at_most of each",
        )  # fmt: skip


@lru_cache(maxsize=1)
def preferences() -> Preferences:
    """Return the preferences that come with the product."""
    text = files("isosoma.scenario").joinpath("preferences.toml").read_text("utf-8")
    return read_preferences(text)
