"""Progress is for a person at a terminal, and for nobody else."""

from __future__ import annotations

import io
import sys

import pytest

from isosoma.serve import progress as progresses
from isosoma.serve.progress import progress


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "patience", "shown"),
    [(True, 0.0, True), (False, 0.0, False), (True, 1e6, False)],
)
def test_a_bar_is_shown_on_a_terminal_once_patience_ends(monkeypatch, terminal, patience, shown):
    screen = Screen(terminal)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(progresses, "PATIENCE", patience)
    with progress("folding", 4, "%") as told:
        for done in (1.0, 2.4, 4.0):
            told(done)
    assert ("folding" in screen.getvalue()) is shown
