"""Files and folders into the log, file by file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from isosoma.core.errors import FormatError, InputError
from isosoma.core.observation import Observation, Waveform
from isosoma.exchange.sniff import is_companion, read_path
from isosoma.intake.refusal import check
from isosoma.intake.taking import Session, Summary, take
from isosoma.record import Log

__all__ = ["take_paths"]

Reading = Observation | Waveform
Derive = Callable[[Sequence[Reading]], Iterable[Reading]]


def _nothing(_: Sequence[Reading]) -> Iterable[Reading]:
    return ()


def take_paths(
    paths: Iterable[str | Path],
    log: Log | Callable[[], Log],
    patient: str,
    *,
    now: int,
    session: Session | None = None,
    progress: Callable[[Path], None] | None = None,
    derived: Derive = _nothing,
) -> Summary:
    """Take files in; each whole or not at all.

    A file that belongs to a WFDB header is read through that header and counted as a companion.

    Parameters
    ----------
    log : or what opens it, called for each file only once that file was found fit to keep.
    now : time of arrival [ns].
    derived : what the readings of a file tell beside themselves, kept with them.

    Raises
    ------
    InputError
        The first file that cannot be taken, named; the files before it are in the log.
    """
    own = session or Session(patient)
    total = Summary()
    for given in paths:
        path = _header_of(Path(given))
        if is_companion(path):
            total += Summary(companions=1)
        else:
            total += _one(path, log, patient, now, own, derived)
        if progress is not None:
            progress(path)
    return total


def _header_of(path: Path) -> Path:
    """Return the header that a bare WFDB record name means."""
    header = path.with_name(path.name + ".hea")
    return header if not path.exists() and header.is_file() else path


def _one(
    path: Path, log: Log | Callable[[], Log], patient: str, now: int, session: Session,
    derived: Derive,
) -> Summary:  # fmt: skip
    try:
        readings = list(read_path(path, subject=patient, received=now))
        if not readings:
            raise FormatError("holds no reading", path.name, "Give files with readings")
        readings += derived(readings)
        if not isinstance(log, Log):
            check(readings, patient, now)
            log = log()
        return take(log, readings, patient=patient, now=now, session=session)
    except InputError as error:
        raise error if path.name in str(error) else error.at(path.name) from error
