"""Whose a picture is and when it was taken, as its file says (PS3.3 C.7.1.1, C.12.1.1.8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from isosoma.exchange.dicom_structure import guarded

__all__ = ["Taken", "taken"]

_OFFSET = "TimezoneOffsetFromUTC"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOON = "120000"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file says of its person and instant.

    Attributes
    ----------
    patient : PatientID; it names a person, so it goes into the encrypted log and nowhere else.
    born, sex : day of birth as ISO 8601, ``f`` or ``m``; empty where the file does not tell.
    at : instant [ns since 1970]; None where no date is told.
    zone : minutes east of UTC.
    decisions : what was assumed of the time, a sentence each.
    """

    patient: str
    at: int | None
    zone: int
    decisions: tuple[str, ...]
    born: str = ""
    sex: str = ""


def taken(path: Path) -> Taken:
    """Return whose a picture is and when it was taken.

    Raises
    ------
    FormatError
        The file cannot be read.
    """
    with guarded(path, "is damaged"):
        import pydicom

        data = pydicom.dcmread(path, stop_before_pixels=True)
        patient = str(data.get("PatientID") or "").strip()
        born, sex = _born(data), str(data.get("PatientSex") or "").strip().lower()
        day, hour, said = _written(data)
        offset = str(data.get(_OFFSET) or "").strip()
    if not day:
        return Taken(patient, None, 0, ("the pictures tell no date",), born, sex)
    zone = _minutes(offset)
    if zone is None:
        said = (*said, "the pictures tell no time zone: UTC is taken")
    east = timezone(timedelta(minutes=zone or 0))
    try:
        found = datetime.strptime(day + hour, "%Y%m%d%H%M%S").replace(tzinfo=east)
    except ValueError:
        return Taken(patient, None, 0, ("the pictures tell a date that is none",), born, sex)
    at = (found - _EPOCH) // timedelta(microseconds=1) * 1000
    return Taken(patient, at if at >= 0 else None, zone or 0, said, born, sex)


def _born(data: Any) -> str:
    """Return the day of birth with dashes; empty where it is none."""
    day = str(data.get("PatientBirthDate") or "").strip()
    if len(day) != 8 or not day.isdigit():
        return ""
    return f"{day[:4]}-{day[4:6]}-{day[6:]}"


def _written(data: Any) -> tuple[str, str, tuple[str, ...]]:
    """Return day and time of day as digits; those of the pictures before those of the study."""
    whole = str(data.get("AcquisitionDateTime") or "").strip()
    if len(whole) >= 14:
        return whole[:8], whole[8:14], ()
    for part in ("Acquisition", "Series", "Study"):
        day = str(data.get(f"{part}Date") or "").strip()
        hour = str(data.get(f"{part}Time") or "").strip()[:6]
        if day and len(hour) == 6:
            return day, hour, ()
        if day:
            return day, _NOON, ("the pictures tell no time of day: noon is taken",)
    return "", "", ()


def _minutes(offset: str) -> int | None:
    """Return +0130 as 90; None where it is no offset."""
    if len(offset) != 5 or offset[0] not in "+-" or not offset[1:].isdigit():
        return None
    whole = int(offset[1:3]) * 60 + int(offset[3:])
    return -whole if offset[0] == "-" else whole
