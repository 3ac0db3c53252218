"""Equations without anatomy: lumped networks as graphs, compiled to kernels over members.

`network` holds graphs, `elements` the equations of their pieces, `program` and `kernel` make
machine code of them, `ensemble` runs it over any number of members on all cores.
"""

from __future__ import annotations

__all__: list[str] = []
