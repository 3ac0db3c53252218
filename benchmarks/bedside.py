"""The bedside's promised numbers in one line of JSON; what is not measured is null, and says why.

Each part is a benchmark of its own; this one runs them in turn and collects what they print last.
"""

import argparse
import gzip
from typing import Any

from _parts import HERE, collected, part

STATIC = HERE.parent / "src" / "isosoma" / "serve" / "static"
KEYS = (
    *("complication_sensitivity", "false_findings", "brier_skill", "explanation_first"),
    *("phase_error_p95_ms", "display_delay_ms", "js_ms_per_frame", "draw_calls", "first_view_s"),
    *("bundle_kb", "viewers_p99_ms", "samples_lost", "compare_s", "compare_first_s"),
    "soak_growth_mb",
)
QUICK = {
    "bedside_complications": ("--patients", "10", "--members", "16"),
    "bedside_predictions": ("--cases", "1", "--quiet", "4", "--bleeds", "2"),
    "bedside_viewers": ("--viewers", "10", "--seconds", "5"),
    "bedside_page": ("--minutes", "0.5"),
    "bedside_compare": ("--members", "32"),
}


def bundle_kb() -> float | None:
    """Return the gzipped size of all the page's scripts, lazy ones too, in kB; None unbuilt."""
    scripts = sorted(STATIC.rglob("*.js"))
    size = sum(len(gzip.compress(p.read_bytes(), 9, mtime=0)) for p in scripts)
    return round(size / 1e3, 1) if scripts else None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few patients, few viewers")
    parser.add_argument("--soak", type=float, metavar="MINUTES", help="60, or 1 with --quick")
    parser.add_argument("--no-peers", action="store_true", help="there are none")
    given = parser.parse_args()
    found: dict[str, Any] = {"bundle_kb": bundle_kb()}
    for name, few in QUICK.items():
        found |= part(name, few if given.quick else ())
    minutes = given.soak if given.soak is not None else 1.0 if given.quick else 60.0
    found |= part("bedside_soak", ("--minutes", str(minutes)), 60.0 * minutes)
    found["explanation_first"] = found.get("right_first")  # its name in bedside_predictions
    print(collected(KEYS, found))


if __name__ == "__main__":
    main()
