"""The heart of a cine as bytes, so that it is built once: numbers as they are, nothing executed."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from zipfile import BadZipFile

import numpy as np

from isosoma.core.errors import FormatError
from isosoma.imaging.cine import CineHeart, Part
from isosoma.imaging.shape4d import Frame

__all__ = ["packed", "unpacked"]

_PARTS = ("left", "outer", "right")


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
        tuple(told["doubts"]), told["made_by"],
    )  # fmt: skip
