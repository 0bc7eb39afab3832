"""Where two concerns meet a test crosses them, or a reason says why none does."""

import importlib
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "crossings.md"


@pytest.fixture(scope="module")
def tool() -> Any:
    """``tools/crossings.py``, which no package holds."""
    return importlib.import_module("tools.crossings")


@pytest.mark.parametrize("api", ["offblocks", "planbok"])
def test_each_two_concerns_are_crossed_or_say_why_not(tool: Any, api: str) -> None:
    crossings = tool.Crossings.load(api)
    crossed, apart = set(crossings.tests), set(crossings.apart)
    assert crossed | apart == set(crossings.pairs)
    assert not crossed & apart, "a reason stands where tests do cross"


def test_a_concern_that_there_is_not_is_told(tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "_marks", lambda _: [("test_something", "idempotency", "weather")])
    with pytest.raises(KeyError, match="weather"):
        tool.Crossings.load("offblocks")


def test_the_page_is_up_to_date(tool: Any) -> None:
    assert PAGE.read_text(encoding="utf-8") == tool.page()
