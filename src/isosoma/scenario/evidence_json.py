"""Evidence out of the JSON that `core.evidence.canonical` makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from isosoma.core.errors import FormatError
from isosoma.core.evidence import (
    Applicability,
    Complication,
    Evidence,
    Option,
    Provenance,
    Quantity,
)
from isosoma.core.model import Source
from isosoma.core.principal import Principal

__all__ = ["evidence_of", "principal_of"]


def principal_of(raw: Mapping[str, Any]) -> Principal:
    """Return who acted."""
    return Principal(**raw)


def evidence_of(raw: Mapping[str, Any]) -> Evidence:
    """Return the evidence, with the bytes of `canonical` unchanged.

    Raises
    ------
    FormatError
        It is no evidence.
    """
    try:
        verdict = raw["applicability"]
        return Evidence(
            raw["question"],
            tuple(_option(o) for o in raw["options"]),
            tuple(raw["assumptions"]),
            Applicability(
                verdict["verdict"], tuple(verdict["reasons"]), tuple(verdict["would_help"])
            ),
            tuple(Source(**s) for s in raw["citations"]),
            Provenance(**raw["provenance"]),
            raw["status"],
            raw["reason"],
            None if raw["by"] is None else principal_of(raw["by"]),
        )
    except (KeyError, TypeError) as error:
        raise FormatError(f"the evidence lacks or misspells a field ({error})") from error


def _option(raw: Mapping[str, Any]) -> Option:
    quantities = tuple(
        Quantity(**(q | {"samples": tuple(q["samples"])})) for q in raw["quantities"]
    )
    return Option(raw["name"], quantities, tuple(Complication(**c) for c in raw["complications"]))
