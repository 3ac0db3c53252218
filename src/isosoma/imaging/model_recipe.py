"""The sidecar of a one-file network: a small TOML table beside it, checked before anything runs.

::

    name = "liver, own training"
    labels = ["", "liver"]            # of the classes in order, background first
    spacing_mm = [1.5, 1.5, 1.5]      # along the network's axes; leave out to keep the image's
    orientation = "RAS"               # where the network's axes point
    window = [96, 96, 96]             # voxels seen at once
    activation = "softmax"            # softmax, sigmoid (for two classes) or none

    [normalisation]
    low = -160.0                      # values are cut to low .. high, then (x - shift) / scale
    high = 240.0
    shift = 40.0
    scale = 100.0
    of_image = false                  # true: mean and sd of the image itself
"""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from typing import Any

from isosoma.core.errors import FormatError
from isosoma.imaging.user_network import Normalisation, Recipe

__all__ = ["digest", "read_recipe"]

_KEYS = {"name", "labels", "spacing_mm", "orientation", "window", "activation", "normalisation"}
_SCALES = {"low", "high", "shift", "scale", "of_image"}
_ACTIVATIONS = ("softmax", "sigmoid", "none")
_MOST_BYTES = 64 << 10


def digest(*paths: Path) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of files, one after the other."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                total.update(piece)
    return total.hexdigest()[:12]


def read_recipe(path: Path, weights: Path) -> tuple[Recipe, str]:
    """Return what a sidecar says of the network in `weights`, and its activation.

    Raises
    ------
    FormatError
        It is missing, no TOML, or says something that no network is.
    """
    if not path.is_file():
        said = f"the network has no {path.name} beside it"
        raise FormatError(said, weights.name, "Write one: docs/imaging.md shows how")
    if path.stat().st_size > _MOST_BYTES:
        raise FormatError("is longer than 64 KiB", path.name, "It holds a few lines only")
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"is no TOML: {error}", path.name, "Correct the line") from error
    try:
        return _recipe(table, weights)
    except FormatError as error:
        raise error.at(path.name) from error
    except (TypeError, ValueError, KeyError) as error:
        said = f"a value is missing or of the wrong kind: {error}"
        raise FormatError(said, path.name, "docs/imaging.md shows each") from error


def _recipe(table: dict[str, Any], weights: Path) -> tuple[Recipe, str]:
    scales = dict(table.get("normalisation", {}))
    unknown = sorted((set(table) - _KEYS) | (set(scales) - _SCALES))
    if unknown:
        raise FormatError(f"unknown keys {', '.join(unknown)}", todo="docs/imaging.md lists them")
    activation = str(table.get("activation", "softmax"))
    if activation not in _ACTIVATIONS:
        raise FormatError(f"activation {activation!r}", todo=f"Use {', '.join(_ACTIVATIONS)}")
    of_image = bool(scales.pop("of_image", False))
    kept = {k: float(v) for k, v in scales.items()}
    spacing = table.get("spacing_mm")
    a, b, c = (int(n) for n in table["window"])
    recipe = Recipe(
        names=tuple(str(n) for n in table["labels"]),
        spacing=None if spacing is None else _three(spacing),
        orientation=str(table["orientation"]),
        window=(a, b, c),
        normalisation=Normalisation(**kept, of_image=of_image),
        made_by=f"{table.get('name', weights.stem)}, weights {digest(weights)}",
    )
    return recipe, activation


def _three(values: list[float]) -> tuple[float, float, float]:
    a, b, c = (float(v) * 1e-3 for v in values)
    return a, b, c
