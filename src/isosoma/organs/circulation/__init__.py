"""The beating body: four chambers and valves, vessels, reflexes, breath, oxygen and drugs.

`model.Circulation` is the model; `anatomy` its graphs, `parameters` its unknowns, `body` scales
them to a person, `acts` are what can be done to it.
"""

from __future__ import annotations

__all__: list[str] = []
