"""How noisy a reading is taken to be: its own sigma, its quality, and what the channel has shown.

R = scale * (sigma / q)² + model error²; below q = .3 nothing is learned. The scale is Desroziers'
mean of (y - Hx_a)(y - Hx_b) relative to (sigma/q)², bounded to .25 … 4, per channel.
Desroziers et al. 2005, doi:10.1256/qj.05.108.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["HIGH", "LOW", "Channel", "learn", "variance"]

LOW, HIGH = 0.25, 4.0
_MEMORY = 50  # readings over which the scale is learned
_ENOUGH = 10  # readings before it is used


@dataclass(frozen=True, slots=True)
class Channel:
    """What is known of one (device, channel, variable).

    Attributes
    ----------
    streak : signed count of surprises in a row. count : readings assimilated.
    ratio : running mean of Desroziers' product over the expected variance.
    """

    streak: int = 0
    count: int = 0
    ratio: float = 1.0

    @property
    def scale(self) -> float:
        """Factor on the expected variance, bounded."""
        return min(max(self.ratio, LOW), HIGH) if self.count >= _ENOUGH else 1.0


def variance(sigma: float, model_error: float, channel: Channel, adaptive: bool) -> float:
    """Return R from effective noise `sigma` and the model's error, in the reading's unit."""
    return (channel.scale if adaptive else 1.0) * sigma * sigma + model_error * model_error


def learn(channel: Channel, before: float, after: float, expected: float) -> Channel:
    """Return the channel after innovations `before` and `after` an analysis."""
    count = channel.count + 1
    product = before * after / expected
    ratio = channel.ratio + (product - channel.ratio) / min(count + 1, _MEMORY)
    return replace(channel, count=count, ratio=ratio)
