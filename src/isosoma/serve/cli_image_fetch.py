"""`isosoma image fetch`: a study from an archive, over DICOMweb."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

__all__ = ["PASSWORD", "run"]

PASSWORD = "ISOSOMA_DICOMWEB_PASSWORD"  # noqa: S105 - the name of a variable, no secret
"""Environment variable of the password: a command line is visible to every user of a machine."""


def run(arguments: argparse.Namespace) -> int:
    """Fetch a study and tell how many files it is."""
    from isosoma.exchange.dicomweb import Archive, fetch

    archive = Archive(arguments.address, arguments.user, os.environ.get(PASSWORD, ""))
    count = fetch(archive, arguments.study, Path(arguments.out))
    print(json.dumps({"files": count}) if arguments.json else f"{count} files fetched")
    return 0
