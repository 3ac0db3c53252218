"""`python -m isosoma` is the command line."""

from __future__ import annotations

import sys

from isosoma.serve.cli import main

if __name__ == "__main__":
    sys.exit(main())
