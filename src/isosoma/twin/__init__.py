"""One person: a model kept in step with its readings, its courses and forecasts."""

from __future__ import annotations

__all__: list[str] = []
