"""The log: append-only, chained, encrypted, signed; owned by the patient and erasable."""

from __future__ import annotations

from isosoma.record.attachments import get_blob, put_blob
from isosoma.record.blocks import (
    decode_observations,
    decode_waveform,
    encode_observations,
    encode_waveform,
)
from isosoma.record.checking import Finding, Report, verify
from isosoma.record.copying import copy_log
from isosoma.record.entries import Draft, Entry, Receipt
from isosoma.record.erasure import erase
from isosoma.record.log import Log, open_log
from isosoma.record.proving import prove

__all__ = [
    "Draft",
    "Entry",
    "Finding",
    "Log",
    "Receipt",
    "Report",
    "copy_log",
    "decode_observations",
    "decode_waveform",
    "encode_observations",
    "encode_waveform",
    "erase",
    "get_blob",
    "open_log",
    "prove",
    "put_blob",
    "verify",
]
