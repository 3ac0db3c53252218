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

__all__ = [
    "Device", "Devices", "Size", "device_of", "devices", "implanted", "read_devices",
]  # fmt: skip

_IMPLANT, _ANY = "implant ", "implant transcatheter valve"


@dataclass(frozen=True, slots=True)
class Size:
    """One size: label, effective orifice area, and the annulus areas that it is made for.

    Attributes
    ----------
    frame : of a transcatheter valve, diameter at the coronaries and height; else none.
    """

    label: str
    eoa: Amount
    low: Amount
    high: Amount
    frame: tuple[Amount, Amount] | None = None


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
    frame = None
    if "frame" in row:
        wide, tall = cast("tuple[float, float]", row["frame"])
        frame = Amount(float(wide), "mm"), Amount(float(tall), "mm")
    return Size(
        str(row["label"]), Amount(float(row["eoa"]), "cm2"),
        Amount(float(low), "mm2"), Amount(float(high), "mm2"), frame,
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


def implanted(text: str, table: Devices) -> str:
    """Return an act that names a device by its numbers, ``implant sapien 3 26 mm at 1 min``.

    Any other act comes back as it is.

    Raises
    ------
    VocabularyError
        There is no such device, or it has no such size.
    """
    said = " ".join(text.split())
    if not said.casefold().startswith(_IMPLANT) or said.casefold().startswith(_ANY):
        return text
    rest = said[len(_IMPLANT) :]
    name = next((n for n in table if rest.casefold().startswith(f"{n} ")), None)
    if name is None:
        raise VocabularyError(
            f"{rest[:40]!r} names no device that is known", "device",
            f"Say: implant NAME SIZE at TIME; there are {', '.join(table)}",
        )  # fmt: skip
    device, rest = table[name], rest[len(name) + 1 :]
    size = next((s for s in device.sizes if f"{rest} ".startswith(f"{s.label} ")), None)
    if size is None:
        sizes = ", ".join(s.label for s in device.sizes)
        raise VocabularyError(f"{name} has no size {rest[:20]!r}", "device", f"There are {sizes}")
    return f"{_act(size)}{rest[len(size.label) :]}"


def _act(size: Size) -> str:
    if size.frame is None:
        return f"replace aortic valve eoa {size.eoa}"
    wide, tall = size.frame
    return f"{_ANY} frame {wide} eoa {size.eoa} height {tall}"
