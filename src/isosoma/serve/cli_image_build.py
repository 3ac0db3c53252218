"""`isosoma image build`: a folder of pictures made into a heart that beats, with its numbers."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

from isosoma.core.errors import InputError
from isosoma.serve.progress import progress

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Build the heart of a cine examination and write it; 0 well, 2 refused, nothing written."""
    from isosoma.intake.heart_nifti import holds_nifti, open_nifti
    from isosoma.intake.heart_study import build_heart, open_study
    from isosoma.serve.heart_files import told_of, write_heart
    from isosoma.serve.heart_text import report

    folder, out = Path(arguments.folder), Path(arguments.out)
    if not folder.exists():
        raise InputError("does not exist", folder.name, "Check the name")
    if out.exists():
        raise InputError("is there already", out.name, "Give a folder that is new")
    with progress("heart", 100, "%") as tell:
        open_ = open_nifti if holds_nifti(folder) else open_study
        opened = open_(folder, lambda share: tell(95 * share))
        found = build_heart(opened, lambda share: tell(95 * share))
        files = write_heart(found, out, datetime.now(UTC), lambda share: tell(95 + 5 * share))
    told = told_of(found) | {"files": files}
    if arguments.json:
        print(json.dumps(told, allow_nan=False))
    else:
        sizes = ", ".join(f"{name} ({_size(n)})" for name, n in files.items())
        print("\n".join([*report(told), f"Written to {out}: {sizes}"]))
    return 0


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
