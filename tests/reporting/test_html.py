import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest

from conformance.reporting.html import html

Make = Callable[..., dict[str, Any]]
VOID = {"meta"}


class Page(HTMLParser):
    """Elements with their attributes, whether tags pair up, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def with_attribute(self, name: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(name))]

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.elements)


@pytest.fixture
def page(mixed: dict[str, Any]) -> Page:
    return Page(html(mixed))


def test_it_needs_nothing_besides_itself(page: Page) -> None:
    assert not {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not page.with_attribute("src")
    assert {target for target in page.with_attribute("href") if not target.startswith("#")} == {
        "https://docs.example/guide"
    }
    assert "default-src 'none'" in " ".join(page.with_attribute("content"))


def test_its_style_loads_nothing_and_knows_both_schemes(mixed: dict[str, Any]) -> None:
    text = html(mixed)
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_every_link_leads_somewhere_and_no_id_stands_twice(page: Page) -> None:
    ids = page.with_attribute("id")
    assert len(ids) == len(set(ids))
    inside = {target.removeprefix("#") for target in page.with_attribute("href") if target.startswith("#")}
    assert inside <= set(ids)


def test_a_finding_tells_its_scenario(mixed: dict[str, Any]) -> None:
    assert "Given an old challenge, when it is signed." in html(mixed)


def test_every_verdict_that_was_given_can_be_chosen(page: Page, mixed: dict[str, Any]) -> None:
    given = {f"#{verdict}" for verdict, count in mixed["summary"].items() if count}
    assert given <= set(page.with_attribute("href"))


def test_a_verdict_that_was_not_given_is_not_offered(good: dict[str, Any]) -> None:
    assert "#fail" not in Page(html(good)).with_attribute("href")


def test_every_rule_is_a_row_with_its_level_basis_source_verdict_and_reason(page: Page, mixed: dict[str, Any]) -> None:
    text = " ".join(page.words)
    for rule in mixed["rules"]:
        assert rule["id"] in page.with_attribute("id")
        assert rule["title"] in text
        assert rule["reason"].split("\x1b")[0] in text
    assert page.count("tr") == len(mixed["rules"]) + sum(count > 0 for count in mixed["summary"].values())


def test_it_can_be_read_without_seeing_it(page: Page) -> None:
    assert ("html", {"lang": "en"}) in page.elements
    headers = [attributes.get("scope") for tag, attributes in page.elements if tag == "th"]
    assert set(headers) == {"col", "row"}
    assert {"header", "nav", "main"} <= {tag for tag, _ in page.elements}
    labels = set(page.with_attribute("aria-labelledby"))
    assert labels <= set(page.with_attribute("id"))


def test_what_a_server_sent_is_text_and_never_markup(mixed: dict[str, Any]) -> None:
    text = html(mixed)
    assert "<script>" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\x1b" not in text


def test_an_exchange_is_shown_with_request_and_response(page: Page) -> None:
    text = "".join(page.words)
    assert 'POST https://api.example/v1/sign?a=1&b=2\nContent-Type: application/json\n\n{"a": "<b>"}' in text
    assert "204\n\nbase64: /wA=" in text
    assert "breaks on purpose wallets.client.signs" in text


def test_an_exchange_that_is_not_part_of_the_results_is_named_without_a_link(mixed: dict[str, Any]) -> None:
    mixed["exchanges"] = []
    text = html(mixed)
    assert "wallets/expiry/an_old_challenge_is_refused#1" in text
    assert 'href="#exchange' not in text


def test_a_run_without_a_seed_says_so(make: Make) -> None:
    assert re.search(r"<dt>Seed</dt><dd>none</dd>", html(make(seed=None)))
