"""The pages of the site: complete, linked to what is there, and asking no other host for anything."""

import re
from pathlib import Path

import pytest

from conformance.api import registered
from conformance.catalogue import Catalogue
from conformance.specification import Specification
from tools.site.__main__ import outside_requests
from tools.site.links import DeadLinkError, Links
from tools.site.pages import all_pages
from tools.site.text import outside_code, table

from .pages import CHECKOUT


@pytest.fixture(scope="module")
def site() -> dict[str, str]:
    return all_pages(CHECKOUT)


def test_every_rule_has_a_page_that_says_where_it_is_said_and_what_tests_it(site: dict[str, str]) -> None:
    for api in registered().values():
        for rule in Catalogue.load(api.rules).values():
            page = site[f"rules/{rule.id}.md"]
            assert rule.title in page
            for source in rule.sources:
                assert all(statement.id in page for statement in source.statements), rule.id
    expired = site["rules/offblocks.challenge.expires-after-one-hour.md"]
    assert "every challenge that was issued expires" in expired.lower()
    assert "AcceptsExpiredChallenge" in expired
    assert "(`offblocks/" in expired


def test_every_operation_and_webhook_is_described(site: dict[str, str]) -> None:
    for api in registered().values():
        page = site[f"judged/{api.name}.md"]
        specification = Specification.load(api.specification)
        for operation in specification.operations.values():
            assert f"## {operation.method} {operation.path} " in page
        for webhook in specification.webhooks:
            assert f"{{ #{webhook.lower()} }}" in page


def test_every_page_stands_in_the_order_of_the_site_or_is_one_of_many(site: dict[str, str]) -> None:
    listed = set(re.findall(r'= "([\w/-]+\.md)"', (CHECKOUT / "docs/zensical.toml").read_text(encoding="utf-8")))
    lists = {f"rules/{name}.md" for name in registered()}
    single = {place for place in site if not place.startswith(("files/", "reference/", "rules/"))}
    assert single | lists == listed


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    with pytest.raises(DeadLinkError, match=r"docs/a\.md links to \.\./gone\.md, which is not there"):
        Links(tmp_path).rewritten("See [it](../gone.md).", "docs/a.md")


def test_links_lead_to_pages_of_the_site_or_to_pages_that_show_files(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    for name in ("docs/b.md", "CHANGELOG.md", "tool.py"):
        (tmp_path / name).write_text("x = 1\n", encoding="utf-8")
    links = Links(tmp_path)
    rest = " [e](https://a.test) [f](#here)\n\n```sh\n[g](gone)\n```\n"
    given = f"[b](b.md#there) [c](../CHANGELOG.md) [d](../tool.py){rest}"
    made = f"[b](b.md#there) [c](changelog.md) [d](files/tool.py.md){rest}"
    assert links.rewritten(given, "docs/a.md") == made
    assert links.files() == {"files/tool.py.md": "# tool.py\n\n```python\nx = 1\n\n```\n"}


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ('<script src="https://cdn.test/a.js"></script>', ["https://cdn.test/a.js"]),
        ('<link rel="stylesheet" href="https://fonts.test/a.css">', ["https://fonts.test/a.css"]),
        ('<link rel="canonical" href="https://ours.test/">', []),
        ('<script src="assets/a.js"></script><a href="https://docs.test/">x</a>', []),
    ],
)
def test_what_a_browser_would_fetch_elsewhere_is_found(page: str, asked: list[str]) -> None:
    assert outside_requests(page) == asked


def test_code_is_left_alone() -> None:
    assert outside_code("a\n```\na\n```\n    a\na\n", str.upper) == "A\n```\na\n```\n    a\nA\n"


def test_a_cell_stays_in_its_row() -> None:
    assert table(("a", "b"), [("x\ny", "p|q")]) == "| a | b |\n| --- | --- |\n| x y | p\\|q |\n\n"
    assert table(("a", "b"), []) == ""
