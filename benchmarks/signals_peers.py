"""The peers of `signals`: gqrs, xqrs, NeuroKit2 and sleepecg on one folder of WFDB records.

Runs in the peers' own environment. Reads ``FOLDER/*.npy`` (channel 0 [mV]), rate in ``FOLDER/hz``;
writes ``FOLDER/NAME.NAME-OF-PEER.npz`` with the R samples.
"""

# The peers live in an environment of their own, which the type checker does not see.
# pyright: reportMissingImports=false
from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np


def peers(hz: float) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Detectors by name; one that cannot be imported is left out with a word on stderr."""
    out: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    try:
        from wfdb import processing

        out["wfdb gqrs"] = lambda x: processing.gqrs_detect(sig=x, fs=hz)
        out["wfdb xqrs"] = lambda x: processing.xqrs_detect(sig=x, fs=hz, verbose=False)
    except ImportError as error:
        print(error, file=sys.stderr)
    try:
        import neurokit2 as nk

        out["neurokit2"] = lambda x: nk.ecg_findpeaks(
            nk.ecg_clean(x, sampling_rate=int(hz)), sampling_rate=int(hz)
        )["ECG_R_Peaks"]
    except ImportError as error:
        print(error, file=sys.stderr)
    try:
        import sleepecg

        out["sleepecg"] = lambda x: sleepecg.detect_heartbeats(x, hz)
    except ImportError as error:
        print(error, file=sys.stderr)
    return out


def main(folder: Path) -> int:
    """Run every peer on every record."""
    warnings.simplefilter("ignore")
    hz = float((folder / "hz").read_text())
    files = sorted(folder.glob("*.npy"))
    for name, detect in peers(hz).items():
        for i, file in enumerate(files, 1):
            print(f"\r{name}: {i} of {len(files)}   ", end="", file=sys.stderr, flush=True)
            began = time.process_time()
            found = np.asarray(detect(np.load(file)), np.int64)
            np.savez(folder / f"{file.stem}.{name}", r=found, s=time.process_time() - began)
        print(file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
