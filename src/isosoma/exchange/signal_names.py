"""What the names that recorders give their signals mean; a name we do not know stays nameless."""

from __future__ import annotations

import re

__all__ = ["variable_of"]

# First word of a signal's name to a vocabulary row; ECG leads keep their name as the channel.
_NAMES = {
    "abp": "arterial_pressure", "art": "arterial_pressure", "pap": "pulmonary_artery_pressure",
    "cvp": "central_venous_pressure", "pleth": "plethysmogram", "ppg": "plethysmogram",
    "resp": "respiration", "respiration": "respiration", "ecg": "ecg", "ekg": "ecg",
}  # fmt: skip
_LEAD = re.compile(
    r"(ml|mcl|cm|d|lead )?(i{1,3}|v|v?[1-9]r?|mod\.? ?v?[1-9]?)|av[rlf]|cc5", re.IGNORECASE
)


def variable_of(name: str, unit: str) -> str:
    """Return the vocabulary row of a signal by its name, never by its looks.

    >>> variable_of("MLII", "mV"), variable_of("ABP", "mmHg"), variable_of("col 1", "mV")
    ('ecg', 'arterial_pressure', 'unnamed_signal')
    """
    plain = name.strip().lower()
    row = _NAMES.get(re.split(r"[^a-z]", plain)[0])
    if row is None and _LEAD.fullmatch(plain) and unit.endswith("V"):
        row = "ecg"
    return row or "unnamed_signal"
