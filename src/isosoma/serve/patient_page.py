"""The live page of a patient's folder: the ECG replayed, the twin built from what was read.

New readings are kept in the log before the twin learns from them, so that a server that begins
again, on the same log, begins where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from isosoma.core.errors import InputError
from isosoma.core.observation import Observation
from isosoma.core.quantity import Z90
from isosoma.exchange.patient_file import PatientFile
from isosoma.imaging.cine import CineHeart
from isosoma.intake import take, timeline
from isosoma.record import Log
from isosoma.serve.analysis import Analysis, heart_rate
from isosoma.serve.bedside import twin_of
from isosoma.serve.live_twin import Keeper
from isosoma.serve.own_limits import own_limits
from isosoma.serve.patient_folder import Folder, read_folder, take_folder
from isosoma.serve.patient_images import (
    COMPOSITE,
    Imaged,
    look,
    names_other,
    show,
    take_correction,
    take_heart,
)
from isosoma.serve.pictures import Pictures
from isosoma.serve.recording import Recording, load
from isosoma.signals.pressure_limits import PressureLimits
from isosoma.twin.fold import Twin
from isosoma.twin.release import Release

__all__ = ["PatientPage", "keep", "page_of", "rate_read"]

_GOOD = 0.5
"""Least weight of an ECG's quality whose rate is kept as a reading."""


@dataclass(frozen=True, slots=True)
class PatientPage:
    """What is served of a folder."""

    recording: Recording
    keeper: Keeper
    banner: dict[str, str]
    limits: PressureLimits
    pictures: Pictures | None = None


def page_of(
    at: Path, log: Log, store: Path | None, record: str | None, channel: str | None
) -> PatientPage:
    """Return what to serve of the folder `at`; `record` is an ECG that lies elsewhere.

    Raises
    ------
    InputError
        The folder makes no twin, or holds no ECG.
    """
    folder = read_folder(at, store, time.time_ns())
    limits = own_limits(folder.described, folder.pressures, time.time_ns())
    recording = load(record, channel) if record else _ecg_in(at, folder, channel)
    patient = folder.described.id

    pictures = None
    if folder.images is not None:
        pictures = Pictures((), said="The pictures are being read.")
    seen = list[Imaged]()  # once: the twin is built anew whenever readings come, the pictures stay

    def corrected(imaged: Imaged, heart: CineHeart) -> None:
        drawn = [] if pictures is None else pictures.drawn
        take_correction(imaged, heart, drawn, log, patient, time.time_ns())
        keeper.again()

    def build(told: Callable[[float], Any]) -> Twin:
        count = max(1, len(folder.files))
        now, imaged = time.time_ns(), Imaged(None)
        if pictures is not None and folder.images is not None and not seen:
            imaged = look(folder.images, folder.described, log, lambda share: told(0.5 * share))
            show(imaged, pictures)
            pictures.told_of = lambda heart: corrected(imaged, heart)
        take_folder(folder, log, now, lambda done: told(0.5 + 0.4 * done / count))
        take_heart(imaged, log, patient, now)
        seen.append(imaged)
        return twin_of(log, patient, Release(), now)

    banner = _banner(folder.described, record)
    if folder.images is not None and names_other(folder.images, patient):
        of = "the heart is from pictures of another patient id, who may be another person"
        banner["composite"] = "; ".join([banner.get("composite", "composite: two patient ids"), of])
    if "composite" not in banner and _is_mixed(log, patient):
        banner["composite"] = (
            "composite: the log holds readings of pictures or an ECG from elsewhere"
        )
    keeper = Keeper(build, time.time_ns)
    return PatientPage(recording, keeper, banner, limits, pictures)


def _ecg_in(at: Path, folder: Folder, channel: str | None) -> Recording:
    """Return the first recording in a folder that holds an ECG."""
    for path in folder.files:
        try:
            return load(path, channel)
        except InputError:
            continue
    raise InputError("holds no ECG to show", at.name, "Put a record into it, or give --record PATH")


def _banner(described: PatientFile, record: str | None) -> dict[str, str]:
    unknown = "not in the file"
    born = unknown
    if described.born is not None:
        born = datetime.fromtimestamp(described.born * 1e-9, UTC).date().isoformat()
    banner = {"name": described.id, "id": described.id, "born": born, "allergies": unknown}
    if record:
        banner["composite"] = (
            f"composite: the ECG is record {Path(record).name}, which may be another person's"
        )
    return banner


def _is_mixed(log: Log, patient: str) -> bool:
    """Whether a log holds what may be another person's: once so, it is never one person's again."""
    flags = (r.origin.partition("?")[2].split(",") for r in timeline(log, patient).readings)
    return any(COMPOSITE in found for found in flags)


def rate_read(
    analysis: Analysis, patient: str, now: int, composite: bool = False
) -> Observation | None:
    """Return the heart rate of the ECG as a reading at `now` [ns]; None where it tells none.

    Parameters
    ----------
    composite : whether the ECG may be another person's; the reading says so wherever it goes.
    """
    rate, quality = heart_rate(analysis), analysis.quality
    if rate is None or quality is None or quality.weight < _GOOD:
        return None
    half = max(rate.high - rate.low, 2.0) / 2.0
    return Observation(
        patient, "heart_rate", now, now, rate.value / 60.0, half / Z90 / 60.0,
        device="ecg", channel="live", origin=f"live:ecg?{COMPOSITE}" if composite else "live:ecg",
    )  # fmt: skip


def keep(log: Log, keeper: Keeper, reading: Observation) -> None:
    """Put a reading on disk, then let the twin learn from it."""
    take(log, [reading], patient=reading.subject, now=reading.received)
    keeper.offer([reading])
