"""isosoma: a living, physics-based, uncertainty-aware model of one patient.

A twin is a fold over a signed log. The rooms and who may import whom: see ARCHITECTURE.md.
Nothing heavy is imported here, so that the command line answers at once.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
