import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import Protection
from conformance.exchange import Exchange, Request, Response
from conformance.findings import Finding, Outcome
from conformance.judging.baseline import Baseline, Entry
from conformance.judging.results import exchange_to_json
from conformance.reporting.html import html
from conformance.reporting.phrases import repeat_command
from tests.reporting.conftest import EXCHANGE, RULES, STARTED, TEST, broken, rule

Make = Callable[..., dict[str, Any]]
VOID = {"input", "meta"}
MEGABYTE = 1_000_000


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
        if self._open and self._open[-1] not in {"script", "style"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def with_attribute(self, name: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(name))]

    def cards(self) -> list[str]:
        """The ids of the rules that have a card, in order."""
        return [str(attributes.get("id")) for tag, attributes in self.elements if tag == "article"]


@pytest.fixture
def page(mixed: dict[str, Any]) -> Page:
    return Page(html(mixed))


def card(text: str, name: str) -> str:
    """The text of the card of a rule."""
    (found,) = re.findall(rf'<article [^>]*id="wallets\.{name}".*?</article>', text, re.DOTALL)
    return Page(found).text


def test_it_needs_nothing_besides_itself(page: Page) -> None:
    assert not {"link", "img", "iframe", "object"} & {tag for tag, _ in page.elements}
    assert not page.with_attribute("src")
    assert {target for target in page.with_attribute("href") if not target.startswith("#")} == {
        "https://docs.example/guide#:~:text=after%20one%20hour"
    }
    policy = " ".join(page.with_attribute("content"))
    assert "default-src 'none'" in policy
    assert re.search(r"script-src 'sha256-[A-Za-z0-9+/]{43}='$", policy)


def test_its_style_loads_nothing_and_knows_both_schemes(mixed: dict[str, Any]) -> None:
    text = html(mixed)
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_every_link_leads_somewhere_and_no_id_stands_twice(page: Page) -> None:
    ids = page.with_attribute("id")
    assert len(ids) == len(set(ids))
    inside = {target.removeprefix("#") for target in page.with_attribute("href") if target.startswith("#")}
    assert inside <= set(ids)


def test_every_link_leads_somewhere_whatever_the_baseline_names(make: Make) -> None:
    entry = Entry("others.customer.created", "They mend it.", until=STARTED.date() - timedelta(days=1))
    page = Page(html(make(baseline=Baseline(Path("known.yaml"), [entry]))))
    inside = {target.removeprefix("#") for target in page.with_attribute("href") if target.startswith("#")}
    assert inside <= set(page.with_attribute("id"))
    assert "Mend the baseline known.yaml: others.customer.created was borne until 2026-01-14" in page.text


def test_it_says_first_what_it_covers_and_what_to_do(page: Page) -> None:
    text = page.text
    assert "6 of 8 rules for the provider were judged." not in text
    order = [
        "Conformance of Wallets",
        "FAILS: Wallets",
        "rules for the provider were judged",
        "What to do next",
        "Not kept",
    ]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert "5 of 8 rules for the provider were judged." in text


def test_a_card_says_all_that_is_needed_to_act(mixed: dict[str, Any]) -> None:
    said = card(html(mixed), "expiry.refused-after-an-hour")
    for part in (
        "fail",
        "What expiry.refused-after-an-hour asks for is done.",
        "must, documented",
        "A challenge expires after an hour. Customer Guide, Expiry, line 3",
        "provider: the API",
        "response status",
        "400",
        "204",
        "Given an old challenge, when it is signed.",
        "The sandbox. The document that is cited asks for it, and the request breaks only what the test means it to",
        "POST https://api.example/v1/sign?a=1&b=2 → 204",
        repeat_command(mixed, mixed["rules"][0]),
    ):
        assert part in said


def test_broken_protections_come_before_all_and_the_worst_first(make: Make) -> None:
    guards = replace(rule("customer.guards", level=RULES[5].level), protects=Protection.ISOLATION)
    found = [broken("customer.created"), broken("customer.shown-by-example"), broken("customer.guards")]
    unjudged = Finding("wallets.suite.broke", Outcome.ERROR, reason="KeyError: 'id'", test=TEST)
    page = Page(html(make([*found, unjudged], [*RULES, guards])))
    names = ["customer.guards", "suite.broke", "customer.created", "customer.shown-by-example"]
    assert page.cards() == [f"wallets.{name}" for name in names]


def test_the_difference_between_expected_and_got_is_marked(make: Make) -> None:
    found = Finding(
        "wallets.customer.created", Outcome.BROKEN, "response /id", "id a-17 of 3", "id a-18 of 3", test=TEST
    )
    text = html(make([found]))
    assert "id a-<mark>17</mark> of 3" in text
    assert "id a-<mark>18</mark> of 3" in text


def test_many_like_findings_are_counted_and_told_by_what_differs(make: Make) -> None:
    many = [
        Finding(
            "wallets.customer.created",
            Outcome.BROKEN,
            "response /nonce",
            "8 letters",
            f"n{number}",
            test=f"w/a/{number % 3}",
        )
        for number in range(102)
    ]
    elsewhere = Finding("wallets.customer.created", Outcome.BROKEN, "response /code", "8 letters", "none", test="w/a/0")
    text = html(make([*many, elsewhere]))
    said = card(text, "customer.created")
    assert "102 further findings; they differ in place (2 values), what came (103 values), test (3 tests)" in said
    assert "102 times response /nonce: expected 8 letters, got n0, n1, n2 and 99 more" in said
    assert "1 times response /code" not in said
    assert "once response /code: expected 8 letters, got none" in said
    assert len(said) < 3000


def large(body: str) -> Exchange:
    return Exchange(
        f"{TEST}#1",
        "sign",
        "first",
        STARTED,
        0.0,
        Request((), body.encode(), "POST", "https://api.example/"),
        Response(status=200),
    )


def test_a_large_body_is_folded_to_its_start(make: Make) -> None:
    results = make([broken("customer.created")])
    results["exchanges"] = [exchange_to_json(large("b" * 2048 + "END"))]
    text = html(results)
    assert "b" * 2048 in text
    assert "END" not in text
    assert "[folded: 2,048 of 2,051 bytes; results.json has all of them]" in text


def test_an_exchange_stands_on_the_page_once(make: Make) -> None:
    text = html(make([broken("customer.created"), broken("suite.broke")]))
    assert text.count("a=1&amp;b=2\nContent-Type") == 1
    assert 'The same exchange as above: <a href="#exchange-1">' in text


def alike_rules(number: int) -> Iterator[Any]:
    return (replace(RULES[2], id=f"wallets.customer.r{each}") for each in range(number))


def test_of_500_rules_and_5000_exchanges_it_has_less_than_2_megabytes(make: Make) -> None:
    rules = list(alike_rules(500))
    found = [
        Finding(each.id, Outcome.BROKEN, f"response /{place}", "e" * 300, "g" * 300, f"{each.id}#{place}", test=TEST)
        for each in rules
        for place in "abcdefghij"
    ]
    results = make(found, rules)
    shown = exchange_to_json(large("b" * 4000))
    results["exchanges"] = [{**shown, "id": finding.exchange} for finding in found]
    text = html(results)
    assert len(text.encode()) < 2 * MEGABYTE
    page = Page(text)
    assert len(page.cards()) == 500
    assert "This page is full: results.json has the 10 findings of this rule" in page.text


def test_of_500_causes_of_blocks_it_has_less_than_2_megabytes(make: Make) -> None:
    rules = list(alike_rules(500))
    found = [
        Finding(each.id, Outcome.BLOCKED, reason=f"{step}{number:c}" + "r" * 3000, test=TEST)
        for number, each in enumerate(rules, start=0x4E00)
        for step in "ab"
    ]
    text = html(make(found, rules, remarks=["m" * 3000] * 500))
    assert len(text.encode()) < 2 * MEGABYTE
    assert len(Page(text).cards()) == 500


def test_a_known_mistake_that_explains_it_is_named(make: Make) -> None:
    results = make([broken("customer.created"), broken("suite.broke")])
    both = ["wallets.customer.created", "wallets.suite.broke"]
    results["mistakes"] = [{"name": "TakesAnything", "does": "Takes any token.", "rules": both}]
    text = html(results)
    said = card(text, "customer.created")
    assert "A known mistake would do this: Takes any token. (TakesAnything)" in said
    assert "It breaks this rule and 1 more that is broken here." in said
    assert "What was seen is what a known mistake would do: TakesAnything." in Page(text).text


def test_what_no_known_mistake_explains_is_said_to_be_so(mixed: dict[str, Any]) -> None:
    assert "No known mistake explains it." in card(html(mixed), "customer.guessed")


def test_what_is_seen_under_circumstances_only_says_so(make: Make) -> None:
    found = replace(broken("customer.created"), test=f"{TEST}@many-customers")
    assert "It was seen under circumstances only: many-customers." in card(html(make([found])), "customer.created")


@pytest.mark.parametrize(
    ("name", "settings", "who"),
    [
        ("customer.created", {"target": "live", "base_urls": {}}, "Them. "),
        ("customer.created", {"target": "replay"}, "The sandbox. "),
        ("customer.created", {"target": "replay", "cassettes": Path("ours")}, "Them. "),
        ("customer.guessed", {"target": "live"}, "Ask them. No document says so."),
        ("client.signs", {"target": "live"}, "You. This binds the client"),
    ],
)
def test_it_says_whether_it_is_them_or_you(make: Make, name: str, settings: dict[str, Any], who: str) -> None:
    assert who in card(html(make([broken(name)], **settings)), name)


def test_what_is_known_to_fail_stands_apart_with_its_reason(make: Make) -> None:
    known = Baseline(Path("known.yaml"), [Entry("wallets.customer.created", "They mend it.", "T-1")])
    text = html(make([broken("customer.created")], baseline=known))
    assert "Known to fail: known to fail (They mend it.; T-1)" in card(text, "customer.created")
    assert 'id="known"' in text
    assert 'id="not-kept"' not in text


def test_every_verdict_that_was_given_has_its_section(page: Page) -> None:
    sections = {"not-kept", "blocked", "inferred", "readings", "passed", "skipped", "untested"}
    assert {f"#{section}" for section in sections} <= set(page.with_attribute("href"))


def test_a_section_without_rules_is_not_offered(good: dict[str, Any]) -> None:
    assert "#not-kept" not in Page(html(good)).with_attribute("href")


def test_every_rule_stands_on_the_page(page: Page, mixed: dict[str, Any]) -> None:
    for each in mixed["rules"]:
        assert each["id"] in page.with_attribute("id")
        assert each["title"] in page.text


def test_what_blocks_rules_is_said_once_with_a_link_to_it(make: Make) -> None:
    cause, others = "wallets.expiry.refused-after-an-hour", ("wallets.expiry.replaced", "wallets.webhook.sent")
    stopped = [
        Finding(each, Outcome.BLOCKED, reason="A step failed.", test=TEST, relies_on=(cause,)) for each in others
    ]
    text = html(make([broken("expiry.refused-after-an-hour"), *stopped]))
    assert f'<h3>2 rules not judged because of <a href="#{cause}"><code>{cause}</code></a></h3>' in text
    assert "<ul><li>A step failed.</li></ul>" in text
    assert all(f'id="{each}"' in text for each in others)
    assert "It keeps 2 other rules from being judged." in card(text, "expiry.refused-after-an-hour")


def test_contradictions_are_told_only_where_documents_were_judged(mixed: dict[str, Any]) -> None:
    assert "contradictions" not in Page(html(mixed)).with_attribute("id")
    place = {"text": "Guide, line 1", "says": "They do.", "url": "https://docs.example/guide"}
    sides = [{"says": says, "places": [place]} for says in ("Toys exist.", "They do not.")]
    told = {"id": "toys/exist", "api": "toys", "rule": None, "title": "Toys exist or not.", "own": True, "sides": sides}
    shown = Page(html({**mixed, "contradictions": [{**told, "decided": "No printed exchange decides."}]}))
    assert "contradictions" in shown.with_attribute("id")
    assert "#contradictions" in shown.with_attribute("href")
    assert all(
        part in shown.text for part in ("Toys exist or not.", "They do not.", "Guide, line 1", "No printed exchange")
    )


def test_it_can_be_read_without_seeing_it(page: Page) -> None:
    assert ("html", {"lang": "en"}) in page.elements
    headers = [attributes.get("scope") for tag, attributes in page.elements if tag == "th"]
    assert set(headers) == {"col", "row"}
    assert {"header", "nav", "main", "caption"} <= {tag for tag, _ in page.elements}
    labels = set(page.with_attribute("aria-labelledby"))
    assert labels <= set(page.with_attribute("id"))


def test_what_a_server_sent_is_text_and_never_markup(mixed: dict[str, Any]) -> None:
    text = html(mixed)
    assert text.count("<script>") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\x1b" not in text


def test_an_exchange_is_shown_with_request_and_response(page: Page) -> None:
    assert 'POST https://api.example/v1/sign?a=1&b=2\nContent-Type: application/json\n\n{"a": "<b>"}' in page.text
    assert "204\n\nbase64: /wA=" in page.text
    assert "breaks on purpose wallets.client.signs" in page.text


def test_an_exchange_that_is_not_part_of_the_results_is_named_without_a_link(mixed: dict[str, Any]) -> None:
    mixed["exchanges"] = []
    text = html(mixed)
    assert "wallets/expiry/an_old_challenge_is_refused#1" in text
    assert 'href="#exchange' not in text


def test_a_replay_says_where_and_when_it_was_recorded(make: Make) -> None:
    recorded = {"servers": ["https://api.example"], "first": STARTED.isoformat(), "last": STARTED.isoformat()}
    text = html(make(target="replay", recorded=recorded))
    assert "<dt>Recorded</dt><dd>https://api.example, 2026-01-15 12:00 UTC</dd>" in text
    later = {**recorded, "last": (STARTED + timedelta(days=1)).isoformat()}
    assert "2026-01-15 12:00 UTC to 2026-01-16 12:00 UTC" in html(make(target="replay", recorded=later))


def test_an_exchange_without_an_answer_says_so(make: Make) -> None:
    results = make([broken("customer.created")])
    results["exchanges"] = [exchange_to_json(replace(EXCHANGE, response=Response()))]
    assert "→ no answer" in html(results)


def test_many_remarks_are_folded(make: Make) -> None:
    assert "<summary>4 remarks</summary>" in html(make(remarks=["One.", "Two.", "Three.", "Four."]))
    assert "<p>Remark: One.</p>" in html(make(remarks=["One."]))


def test_behind_a_proxy_the_url_at_which_the_server_was_asked_is_shown(make: Make) -> None:
    results = make([broken("customer.created")])
    results["exchanges"][0]["asked"] = "https://vendor.example/v1/sign"
    said = card(html(results), "customer.created")
    assert "POST https://vendor.example/v1/sign → 204" in said
    assert "by way of https://api.example/v1/sign?a=1&b=2" in said
