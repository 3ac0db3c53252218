"""Sizes of devices and what each does to flow: rows of ``devices.toml``, or of one's own file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from isosoma.core.errors import FormatError, IsosomaError, VocabularyError
from isosoma.organs.circulation.acts import Amount

__all__ = ["Device", "Devices", "Size", "device_of", "devices", "read_devices"]


@dataclass(frozen=True, slots=True)
class Size:
    """One size: label, effective orifice area, and the annulus areas that it is made for."""

    label: str
    eoa: Amount
    low: Amount
    high: Amount


@dataclass(frozen=True, slots=True)
class Device:
    """A device in all its sizes, and where the numbers are from."""

    name: str
    meaning: str
    source: str
    sizes: tuple[Size, ...]


Devices = Mapping[str, Device]


def read_devices(text: str) -> Devices:
    """Read a table of devices.

    Raises
    ------
    FormatError
        A row lacks something; the device is named.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormatError(f"it is no TOML: {error}", "devices") from error
    return {name: _device(name, row) for name, row in raw.items()}


def _device(name: str, row: Any) -> Device:
    try:
        sizes = tuple(_size(s) for s in row["sizes"])
        return Device(name, str(row["meaning"]), str(row["source"]), sizes)
    except (KeyError, TypeError, ValueError, AttributeError, IsosomaError) as error:
        raise FormatError(f"the device lacks or misspells a field ({error})", name) from error


def _size(row: Mapping[str, Any]) -> Size:
    low, high = cast("tuple[float, float]", row["annulus"])
    return Size(
        str(row["label"]), Amount(float(row["eoa"]), "cm2"),
        Amount(float(low), "mm2"), Amount(float(high), "mm2"),
    )  # fmt: skip


@lru_cache(maxsize=1)
def devices() -> Devices:
    """Return the devices that come with the product."""
    return read_devices(files("isosoma.scenario").joinpath("devices.toml").read_text("utf-8"))


def device_of(table: Devices, name: str) -> Device:
    """Return a device by name.

    Raises
    ------
    VocabularyError
        There is none; all that there are, are named.
    """
    if name not in table:
        raise VocabularyError(
            f"{name!r} is no device that is known", "device", f"There are {', '.join(table)}"
        )
    return table[name]
