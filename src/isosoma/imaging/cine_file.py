"""The heart of a cine as bytes, so that it is built once: numbers as they are, nothing executed."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np

from isosoma.core.errors import FormatError
from isosoma.imaging.biventricle_fit import Marks
from isosoma.imaging.cine import CineHeart, Part
from isosoma.imaging.heart_axes import Frame

__all__ = ["packed", "unpacked"]

_PARTS = ("left", "outer", "right")
_MARKS = {"points": np.float32, "kind": np.int8, "phase": np.int16, "source": np.int16,
          "weight": np.float32, "normals": np.float32}  # fmt: skip


def packed(heart: CineHeart) -> bytes:
    """Return a heart as an NPZ file; points as float32, off by a few nanometres."""
    arrays = dict[str, Any](
        phases=heart.phases, origin=heart.frame.origin, axes=heart.frame.axes, mass=heart.mass
    )
    for name in _PARTS:
        part: Part = getattr(heart, name)
        arrays[f"{name}_points"] = part.points.astype(np.float32)
        arrays[f"{name}_triangles"] = part.triangles.astype(np.int32)
        arrays[f"{name}_volume"] = part.volume
    if heart.moved is not None:
        arrays["moved"] = heart.moved
    for name, kind in _MARKS.items() if heart.marks is not None else ():
        arrays[f"marks_{name}"] = getattr(heart.marks, name).astype(kind)
    told = {"sigma": heart.sigma, "quality": heart.quality, "doubts": heart.doubts,
            "made_by": heart.made_by}  # fmt: skip
    arrays["told"] = np.frombuffer(json.dumps(told).encode(), np.uint8)
    out = BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def unpacked(data: bytes) -> CineHeart:
    """Return the heart that `packed` made bytes of.

    Raises
    ------
    FormatError
        The bytes are no such file.
    """
    try:
        with np.load(BytesIO(data), allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
        told = json.loads(found["told"].tobytes())
        parts = [
            Part(
                found[f"{n}_points"].astype(np.float64),
                found[f"{n}_triangles"].astype(np.int64),
                found[f"{n}_volume"],
            )
            for n in _PARTS
        ]
    except (KeyError, ValueError, OSError, EOFError, BadZipFile) as error:
        raise FormatError("is no heart of a cine", todo="Build it again") from error
    frame = Frame(found["origin"], found["axes"])
    left, outer, right = parts
    return CineHeart(
        found["phases"], frame, left, outer, right, found["mass"], told["sigma"], told["quality"],
        tuple(told["doubts"]), told["made_by"], None, found.get("moved"), _marks(found),
    )  # fmt: skip


def _marks(found: dict[str, Any]) -> Marks | None:
    """Return what the heart was fitted to; None where the file has none."""
    if any(f"marks_{name}" not in found for name in _MARKS):
        return None
    whole = {"kind", "phase", "source"}
    return Marks(**{
        name: found[f"marks_{name}"].astype(np.int64 if name in whole else np.float64)
        for name in _MARKS
    })  # fmt: skip
