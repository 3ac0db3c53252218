"""One physical element, one file: drawing, equations, symbols with units, and the code of its step.

`KINDS` names them; a graph (`isosoma.physics.network`) refers to an element by its kind.
"""

from __future__ import annotations

from isosoma.physics.elements.kind import Kind, Symbol

__all__ = ["Kind", "Symbol"]
