"""What no tracked file may hold: a package index host, a path of somebody's machine, 2 MB of data.

A lock that names a host sends every hospital to that host; a machine path works on one machine.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOSTS = re.compile(
    r"\b(?:test\.)?pypi\.org|pythonhosted\.org|registry\.(?:npmjs|yarnpkg)\.(?:org|com)"
    r"|\b(?:deb|security)\.debian\.org"
)
MACHINE_PATHS = re.compile(
    r"(?:^|[^A-Za-z0-9_.~])/(?:work|farm|root|home/[a-z][a-z0-9_-]*|Users/\w+)/"
)
LARGEST = 2 * 1024 * 1024  # [byte]


def tracked_files(root: Path = ROOT) -> list[Path]:
    """Files git tracks below `root`; none without git or its checkout (a source archive)."""
    if shutil.which("git") is None:
        return []
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    names = listing.stdout.decode().split("\0")
    return [root / name for name in names if name and (root / name).is_file()]


def faults_of_text(text: str) -> list[tuple[int, str]]:
    """Line numbers and sentences for what a text may not name."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if HOSTS.search(line):
            found.append((number, "names a package index host; leave the choice to the client"))
        if MACHINE_PATHS.search(line):
            found.append((number, "names a path of one machine; make it relative"))
    return found


def faults(paths: list[Path], root: Path = ROOT) -> list[str]:
    """Every fault as `file:line: sentence`."""
    found: list[str] = []
    for path in paths:
        shown = path.relative_to(root).as_posix()
        raw = path.read_bytes()
        if len(raw) > LARGEST:
            found.append(f"{shown}:1: {len(raw)} bytes; data belong beside the checkout")
        if b"\0" in raw[:8192]:
            continue
        text = raw.decode("utf-8", errors="replace")
        found += [f"{shown}:{line}: {sentence}" for line, sentence in faults_of_text(text)]
    return found


def main() -> int:
    """Print every fault; 1 where there is any."""
    found = faults(tracked_files())
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
