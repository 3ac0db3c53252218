"""A folder an organ: equations, unknowns with priors and sources, its own published cases."""

from __future__ import annotations

__all__: list[str] = []
