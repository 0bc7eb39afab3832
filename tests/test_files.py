"""A file is written whole or not at all, and what was there before stays until then."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.files import write_whole


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    for text in ("before\n", "áfter\n"):
        write_whole(file, text)
        assert file.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.usefixtures("umask")
def test_others_may_read_it_as_far_as_the_umask_lets_them(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_what_utf_8_cannot_hold_is_escaped(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", "\ud800")
    assert (tmp_path / "a").read_bytes() == b"\\ud800"


def test_what_was_there_stays_if_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "results.json"
    write_whole(file, "before")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "after")
    assert file.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "a", "")
