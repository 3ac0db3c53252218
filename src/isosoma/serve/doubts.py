"""What speaks against the data at this moment: a rehearsal that plays meanwhile says so."""

from __future__ import annotations

from dataclasses import replace

from isosoma.core.evidence import Applicability, Evidence, Option
from isosoma.serve import events
from isosoma.serve.analysis import Analysis
from isosoma.serve.live_twin import Keeper

__all__ = ["doubted", "doubts"]


def doubts(analysis: Analysis, keeper: Keeper | None) -> tuple[str, ...]:
    """Return what is wrong with the sensors now, a sentence each."""
    said = list[str]()
    if events.lead_off(analysis):
        said.append("the ECG gives no signal: heart rate and rhythm are not of now")
    elif analysis.quality is not None and analysis.quality.weight < events.POOR_BELOW:
        said.append(f"the ECG is poor: {analysis.quality.reason}")
    if keeper is not None:
        said += [f.text for f in keeper.status.findings if f.kind == "sensor"]
    return tuple(said)


def doubted(evidence: Evidence, said: tuple[str, ...], withheld: str = "") -> Evidence:
    """Return the evidence, to be read with care because of what is `said` of the data.

    Parameters
    ----------
    withheld : why the twin is not to be believed at all; then no number is told.
    """
    found = evidence.applicability
    verdict = "out" if withheld else "edge" if said and found.verdict == "in" else found.verdict
    reasons = tuple(dict.fromkeys((*([withheld] if withheld else ()), *said, *found.reasons)))
    options = tuple(Option(o.name) for o in evidence.options) if withheld else evidence.options
    return replace(
        evidence, options=options, applicability=Applicability(verdict, reasons, found.would_help)
    )
