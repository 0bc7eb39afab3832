"""The diagnosis is measured on mistakes made on purpose, with fresh keys, and the page shows what came of it."""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.diagnosis.texts import SENTENCES
from conformance.ids import fresh_seed

CHECKOUT = Path(__file__).parents[2]
FEWEST, FEWEST_UNKNOWN = 80, 20


@pytest.fixture(scope="module")
def measured() -> tuple[ModuleType, list[Any], list[Any]]:
    """``tools/explain.py``, which no package holds, and what came of each mistake."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(CHECKOUT)
        tool = importlib.import_module("tools.explain")
    known, unknown = tool.outcomes(fresh_seed())
    return tool, known, unknown


def test_the_right_mistake_is_named_first_and_nothing_else_as_certain(measured: Any) -> None:
    _, known, unknown = measured
    made = [each for section in known for each in section]
    assert len(made) >= FEWEST
    assert sum(bool(each.case.report) for each in made) + len(known[1]) + len(known[3]) >= len(made) / 3
    assert [(each.case.title, each.named) for each in made if each.misled] == []
    assert [(each.case.title, each.named) for each in unknown if each.misled] == []
    wrong = [(each.case.title, each.named) for each in made if not each.right]
    assert len(wrong) <= 0.03 * len(made), wrong


def test_what_no_candidate_explains_is_told_so(measured: Any) -> None:
    _, _, unknown = measured
    assert len(unknown) >= FEWEST_UNKNOWN
    assert [(each.case.title, each.named) for each in unknown if not each.unexplained] == []


def test_the_page_shows_what_was_measured(measured: Any) -> None:
    tool, known, unknown = measured
    text = tool.page(tool.table(known, unknown))
    assert tool.PAGE.read_text(encoding="utf-8") == text, "python -m tools.explain writes docs/explain.md"


def test_each_case_has_a_title_of_its_own_and_names_what_has_a_sentence(measured: Any) -> None:
    tool, _, _ = measured
    cases = [case for _, section in tool.SECTIONS for case in section]
    titles = [case.title for case in (*cases, *tool.UNKNOWN)]
    for part in (tool.requests, tool.wallets, tool.webhooks, tool.tokens):
        own = [case.title for name in ("SINGLE", "DOUBLE", "UNKNOWN") for case in getattr(part, name, ())]
        assert len(set(own)) == len(own)
    assert len(titles) >= FEWEST + FEWEST_UNKNOWN
    assert {name for case in cases for name in case.names} <= set(SENTENCES)
