"""A wrong set-up is persistent: it is told once, and it widens everything it touches."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A set-up fault, or the suspicion of one.

    Attributes
    ----------
    kind : ``levelling``, ``underdamped``, ``overdamped``, ``leads_swapped``, ``lead_reversed``,
        ``cuff_size``, ``exchanged_patients``, ``fingerprint``, ``clock_skew``, ``clock_jump``,
        ``sample_clock``.
    reason : a sentence: what, where, what to do.
    evidence : common logarithm of the odds in favour, prior odds left out; 1 is ten to one.
    sigma_factor : the noise of what it touches is multiplied by this, at least 1.
    bias : standard uncertainty of the offset it leaves [SI of the variables touched].
    variables : names touched; empty means every variable of the device.
    device, channel : where; empty means any.
    since : from this instant on [ns].
    estimate, low, high : the fault's size and its 95 % interval, in the unit `unit`.
    """

    kind: str
    reason: str
    evidence: float
    sigma_factor: float = 1.0
    bias: float = 0.0
    variables: tuple[str, ...] = ()
    device: str = ""
    channel: str = ""
    since: int = 0
    estimate: float = 0.0
    low: float = 0.0
    high: float = 0.0
    unit: str = ""

    def touches(self, variable: str, device: str, channel: str, at: int) -> bool:
        """Whether a reading lies in what this finding puts in doubt."""
        return (
            at >= self.since
            and (not self.variables or variable in self.variables)
            and self.device in {"", device}
            and self.channel in {"", channel}
        )
