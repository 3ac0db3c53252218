"""The unknowns of the circulation: ``parameters.toml`` as `Parameter` records in SI."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from isosoma.core.model import Parameter, Source
from isosoma.core.prior import Fixed, LogNormal, Prior
from isosoma.core.units import Unit, ucum
from isosoma.organs.circulation.drugs import drug_parameters

__all__ = ["OPTIONAL", "PARAMETERS", "load", "meaning", "shown"]

_BASE = ("m", "kg", "s", "A", "K", "mol", "cd", "[iU]")


@lru_cache(maxsize=1)
def _rows() -> dict[str, Any]:
    text = files("isosoma.organs.circulation").joinpath("parameters.toml").read_text("utf-8")
    return tomllib.loads(text)


def _si(unit: Unit) -> str:
    """Return the SI unit of a unit's dimensions, as UCUM."""
    parts = [f"{b}{'' if n == 1 else n}" for b, n in zip(_BASE, unit.dimensions, strict=True) if n]
    return ".".join(parts) or "1"


def _parameter(name: str, row: Mapping[str, Any], sources: Mapping[str, Source]) -> Parameter:
    unit = ucum(str(row["unit"]))
    value, spread = float(row["value"]) * unit.factor, float(row.get("spread", 0.0))
    prior: Prior = LogNormal(value, spread) if spread else Fixed(value)
    scope = "patient" if spread else "population"
    return Parameter(name, _si(unit), prior, sources[str(row["source"])], scope)


@lru_cache(maxsize=1)
def load() -> tuple[Parameter, ...]:
    """Return every parameter of the table and of the drugs."""
    rows = dict(_rows())
    raw = cast("dict[str, dict[str, Any]]", rows.pop("sources"))
    sources = {
        k: Source(str(v["text"]), str(v.get("doi", "")), bool(v.get("verified", True)))
        for k, v in raw.items()
    }
    own = tuple(_parameter(name, row, sources) for name, row in rows.items())
    return (*own, *drug_parameters())


PARAMETERS: Mapping[str, Parameter] = {p.name: p for p in load()}
OPTIONAL = frozenset(n for n, r in _rows().items() if isinstance(r, dict) and r.get("optional"))
"""Parameters that only some graphs have."""


def shown(name: str) -> str:
    """Return the clinical unit a parameter is printed in (UCUM)."""
    row = _rows().get(name)
    return str(row["unit"]) if row else PARAMETERS[name].unit


def meaning(name: str) -> str:
    """Return what a parameter is, one sentence; empty for those of a drug."""
    row = _rows().get(name)
    return str(row["meaning"]) if row else ""
