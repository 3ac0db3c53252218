"""Who acts: a person, a device or a service, in one role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from isosoma.core.errors import AccessError

__all__ = ["Principal", "Role", "require_signer"]

Role = Literal["clinician", "patient", "caregiver", "researcher", "device", "service"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who acts.

    Attributes
    ----------
    id : stable identifier from the identity provider, or the device's.
    name : as a person reads it; empty for devices.
    role : in which the act is done.
    qualification : of a clinician, for example ``cardiac surgeon``.
    """

    id: str
    role: Role
    name: str = ""
    qualification: str = ""


def require_signer(who: Principal) -> Principal:
    """Return `who` if a result may be signed by them: a clinician with a name.

    Raises
    ------
    AccessError
        Anyone else; no service, device or unnamed account signs.
    """
    if who.role != "clinician" or not who.name.strip():
        raise AccessError(
            f"{who.name or who.id} ({who.role}) may not sign a result",
            todo="A named clinician reviews and signs",
        )
    return who
