"""An answer with everything it rests on; it is what a clinician reads and signs.

Where the model is outside what it was validated for, the numbers are withheld and the reason is
given: `interval` and `probability` then raise nothing and return None, and `Evidence` built with
them is refused, so that no path leads to a number nobody may trust.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from isosoma.core.errors import AccessError, ModelError
from isosoma.core.model import Source
from isosoma.core.principal import Principal, require_signer

__all__ = [
    "Applicability",
    "Complication",
    "Evidence",
    "Option",
    "Provenance",
    "Quantity",
    "canonical",
    "digest",
    "move",
    "withheld",
]

Status = Literal["draft", "computed", "reviewed", "signed", "rejected", "superseded"]
_NEXT: Mapping[Status, tuple[Status, ...]] = {
    "draft": ("computed",),
    "computed": ("reviewed", "rejected", "superseded"),
    "reviewed": ("signed", "rejected", "superseded"),
    "signed": ("superseded",),
    "rejected": ("superseded",),
    "superseded": (),
}


@dataclass(frozen=True, slots=True)
class Applicability:
    """Whether the model may speak here: worst of inputs, data, convergence, validation distance.

    Attributes
    ----------
    verdict : in, edge (with care) or out (the number is withheld).
    reasons : a sentence each.
    would_help : the measurements that would help most, first things first.
    """

    verdict: Literal["in", "edge", "out"]
    reasons: tuple[str, ...] = ()
    would_help: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.verdict != "in" and not self.reasons:
            raise ModelError("a verdict other than 'in' says why")


@dataclass(frozen=True, slots=True)
class Quantity:
    """One answer: name of a vocabulary row, interval at `level`, and samples, all in SI.

    Attributes
    ----------
    when : of what part of a course it speaks (end, lowest, highest); empty where there is none.
    """

    variable: str
    low: float
    point: float
    high: float
    level: float
    samples: tuple[float, ...] = ()
    when: str = ""

    def __post_init__(self) -> None:
        if not (self.low <= self.point <= self.high and 0.0 < self.level < 1.0):
            raise ModelError(f"the interval of {self.variable} does not hold its point")
        if not all(map(math.isfinite, (self.low, self.high, *self.samples))):
            raise ModelError(f"{self.variable} is not finite")


@dataclass(frozen=True, slots=True)
class Complication:
    """Chance of one named complication, with its interval at `level`."""

    name: str
    low: float
    chance: float
    high: float
    level: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.chance <= self.high <= 1.0:
            raise ModelError(f"the chance of {self.name} is no probability inside its interval")


@dataclass(frozen=True, slots=True)
class Option:
    """One way of treating: its answers and its complications; empty where withheld."""

    name: str
    quantities: tuple[Quantity, ...] = ()
    complications: tuple[Complication, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a re-run needs: release, seed, and the SHA-256 digests of inputs."""

    release: str
    seed: int
    inputs: Mapping[str, str] = field(default_factory=dict[str, str])
    computed_at: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question, its answers per option, and what they rest on.

    Raises
    ------
    ModelError
        Numbers stand in it although the applicability verdict is ``out``.
    """

    question: str
    options: tuple[Option, ...]
    assumptions: tuple[str, ...]
    applicability: Applicability
    citations: tuple[Source, ...]
    provenance: Provenance
    status: Status = "draft"
    reason: str = ""
    by: Principal | None = None

    def __post_init__(self) -> None:
        if withheld(self) and any(o.quantities or o.complications for o in self.options):
            raise ModelError(
                "numbers are withheld where the model does not apply",
                todo="Leave them out; the reasons say why",
            )


def withheld(evidence: Evidence) -> bool:
    """Return whether the model does not apply, so that no number may be shown."""
    return evidence.applicability.verdict == "out"


def canonical(evidence: Evidence) -> bytes:
    """Return the bytes that are signed: sorted keys, shortest round-trip floats, UTF-8."""
    return json.dumps(
        asdict(evidence), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def digest(evidence: Evidence) -> str:
    """Return the SHA-256 of `canonical`, in hex."""
    return hashlib.sha256(canonical(evidence)).hexdigest()


def move(evidence: Evidence, to: Status, by: Principal, reason: str = "") -> Evidence:
    """Return the evidence in its next status.

    Raises
    ------
    AccessError
        The step does not exist, a rejection gives no reason, or one not entitled signs.
    """
    if to not in _NEXT[evidence.status]:
        raise AccessError(
            f"a {evidence.status} result cannot become {to}",
            todo=f"It may become {' or '.join(_NEXT[evidence.status]) or 'nothing more'}",
        )
    if to in ("reviewed", "signed", "rejected"):
        require_signer(by)
    if to == "signed" and withheld(evidence):
        raise AccessError("a withheld result cannot be signed", todo="Reject it with a reason")
    if to == "rejected" and not reason.strip():
        raise AccessError("a rejection gives its reason", todo="Say why in a few words")
    return replace(evidence, status=to, by=by, reason=reason)
