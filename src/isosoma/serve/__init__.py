"""The edge: command line, live page and its server. The only room that prints or reads a clock."""

from __future__ import annotations

__all__: list[str] = []
