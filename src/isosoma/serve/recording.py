"""A recording as the page and the command line want it: aligned channels in SI, one clock."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from isosoma.core.errors import FormatError, InputError
from isosoma.core.observation import Waveform

__all__ = ["Channel", "Feeder", "Recording", "channel_index", "load"]

Floats = npt.NDArray[np.float64]
Kind = Literal["simulated", "replay"]

_SUFFIXES = (".hea", ".dat", ".dat.xz", ".atr")


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One signal: `values` has shape (n,), SI unit of `variable`; NaN where nothing came."""

    name: str
    variable: str
    values: Floats


class Feeder(Protocol):
    """Who writes a recording's samples just before they are played, round and round."""

    def ready(self, sample: int) -> bool:
        """Return whether all samples before number `sample`, counted over all turns, are there.

        Those before it may be overwritten from now on, up to a turn later.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Channels of one rate.

    Attributes
    ----------
    name : what the page calls it.
    kind : where it comes from; shown on the page at all times.
    hz : samples per second [1/s], the same for every channel.
    channels : equally long; `lead` is the index of the ECG that beats are found in.
    truth : true R samples, shape (beats,), of a simulation; empty for a replay.
    feeder : who writes the samples while they are played; None where all are there.
    """

    name: str
    kind: Kind
    hz: float
    channels: tuple[Channel, ...]
    lead: int = 0
    truth: npt.NDArray[np.int64] | None = None
    feeder: Feeder | None = None

    @property
    def length(self) -> int:
        """Samples in every channel."""
        return len(self.channels[0].values)


def load(path: str | Path, channel: str | None = None) -> Recording:
    """Read a WFDB record (with or without suffix), an EDF file or a table of waveforms.

    Raises
    ------
    InputError
        Nothing lies there, it cannot be read, or it holds no ECG.
    """
    place = header_of(Path(path))
    from isosoma.exchange import read_path

    waves = [r for r in read_path(place, subject="replay", received=0) if isinstance(r, Waveform)]
    if not waves:
        raise FormatError(
            "holds no waveform", str(path), "Give a WFDB record, an EDF or a CSV file with an ECG"
        )
    hz = _common_rate(waves, str(path))
    channels = _join(waves, hz)
    return Recording(
        _stem(Path(path)), "replay", hz, channels, channel_index(channels, channel, str(path))
    )


def header_of(path: Path) -> Path:
    """The file that describes a record: `100` and `100.dat` become `100.hea`."""
    for suffix in _SUFFIXES:
        if path.name.endswith(suffix):
            path = path.with_name(path.name[: -len(suffix)])
            break
    header = path.with_name(f"{path.name}.hea")
    if header.is_file():
        return header
    if not path.is_file():
        raise InputError(
            "there is no such record", str(path), "Give a WFDB record name, an EDF or a CSV file"
        )
    return path


def _stem(path: Path) -> str:
    return path.name.split(".")[0]


def _common_rate(waves: list[Waveform], where: str) -> float:
    ecg = [w.hz for w in waves if w.variable == "ecg"]
    if not ecg:
        raise FormatError("holds no ECG", where, "Give a recording with at least one ECG channel")
    return ecg[0]


def _join(waves: list[Waveform], hz: float) -> tuple[Channel, ...]:
    """Put the blocks of each channel on one axis of rate `hz` from the earliest start; NaN between.

    A channel of another rate than `hz` is interpolated; the ECG that gives `hz` is untouched.
    """
    origin = min(w.start for w in waves)
    parts: dict[tuple[str, str], list[tuple[int, Floats]]] = {}
    for wave in waves:
        values = wave.values()
        if wave.hz != hz:
            t = np.arange(int(len(values) * hz / wave.hz)) / hz
            values = np.interp(t, np.arange(len(values)) / wave.hz, values)
        at = round((wave.start - origin) * 1e-9 * hz)
        parts.setdefault((wave.channel or wave.variable, wave.variable), []).append((at, values))
    length = max(at + len(v) for blocks in parts.values() for at, v in blocks)
    channels: list[Channel] = []
    for (name, variable), blocks in parts.items():
        whole = np.full(length, np.nan)
        for at, values in blocks:
            whole[at : at + len(values)] = values
        channels.append(Channel(name, variable, whole))
    return tuple(channels)


def channel_index(channels: tuple[Channel, ...], wanted: str | None, where: str) -> int:
    """Index of the ECG to use: by name or number, else the first ECG.

    Raises
    ------
    InputError
        There is no such channel, or it is no ECG.
    """
    names = ", ".join(f"{i} {c.name}" for i, c in enumerate(channels))
    if wanted is None:
        return next(i for i, c in enumerate(channels) if c.variable == "ecg")
    for i, one in enumerate(channels):
        if wanted in (str(i), one.name):
            if one.variable == "ecg":
                return i
            raise InputError(f"channel {wanted} is no ECG", where, f"Choose one of: {names}")
    raise InputError(f"there is no channel {wanted}", where, f"Choose one of: {names}")
