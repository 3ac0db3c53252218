from __future__ import annotations

from pathlib import Path

import pytest

from isosoma.core.errors import InputError
from isosoma.serve.whole_folder import whole_folder


def _breaking_off(out: Path, fault: BaseException) -> None:
    with whole_folder(out) as part:
        (part / "first").write_text("half")
        assert not out.exists()
        raise fault


@pytest.mark.parametrize(
    "fault", [OSError("no room"), ValueError("no number"), KeyboardInterrupt()]
)
def test_what_breaks_off_midway_leaves_nothing(tmp_path: Path, fault: BaseException) -> None:
    with pytest.raises(type(fault)):
        _breaking_off(tmp_path / "out", fault)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_there_with_all_that_was_written_and_for_all_to_read(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out") as part:
        (part / "first").write_text("whole")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "first").read_text() == "whole"
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o755


def test_a_folder_that_is_there_already_or_has_none_to_lie_in_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(InputError, match="is there already"), whole_folder(tmp_path / "out"):
        pass
    with pytest.raises(InputError, match="no folder to lie in"), whole_folder(tmp_path / "a" / "b"):
        pass
    assert [p.name for p in tmp_path.rglob("*")] == ["out"]
