"""Filters and calibration that know no organ: an ensemble in z coordinates against readings.

`track.assimilate` is one step, `replay` puts late readings in their place, `esmda` calibrates, and
`emulator` stands in for a model; `scores` and `informed` say how far to believe the result.
"""

from __future__ import annotations

__all__: list[str] = []
