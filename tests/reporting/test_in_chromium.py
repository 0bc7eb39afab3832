"""The report as a person meets it: in a browser, wide and narrow, light and dark, by keyboard, copied, printed."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from conformance.catalogue import Protection
from conformance.findings import Finding, Outcome
from conformance.reporting.files import write_reports
from tests.reporting.conftest import HELD, MIXED, RULES, TEST, Make, broken

_AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
_FAILED = "wallets.expiry.refused-after-an-hour"
_BLOCKING = Finding(
    "wallets.webhook.sent", Outcome.BLOCKED, reason="No answer came from https://api.example", test=TEST
)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, mixed: dict[str, Any], tmp_path: Path) -> Iterator[Page]:
    write_reports(mixed, tmp_path)
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page: Page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith("file:") else complaints.append(sent.url))
    page.goto((tmp_path / "report.html").as_uri())
    yield page
    context.close()
    assert complaints == []


def shown(page: Page) -> list[str]:
    """The ids of the rules that can be seen, cards and rows."""
    return [
        item.get_attribute("id") or ""
        for item in page.query_selector_all("main .card, main tbody tr")
        if item.is_visible()
    ]


@pytest.mark.parametrize("width", [360, 1440])
def test_it_fits_the_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "FAILS: Wallets" in page.inner_text("header >> nth=0")


def test_rules_are_filtered_by_verdict_and_found_by_words(page: Page) -> None:
    assert page.inner_text("output") == "9 of 9 entries shown"
    page.select_option("select[name=verdict]", "pass")
    assert shown(page) == ["wallets.customer.created"]
    assert page.inner_text("output") == "1 of 9 entries shown"
    assert not page.is_visible("#not-kept")
    page.select_option("select[name=verdict]", "")
    page.fill("input[name=words]", "GUESSED customer")
    assert shown(page) == ["wallets.customer.guessed"]


def test_a_link_leads_to_a_rule_that_the_filter_hid(page: Page) -> None:
    page.select_option("select[name=verdict]", "pass")
    page.click(f".next a[href='#{_FAILED}']")
    page.wait_for_function("document.querySelector('select[name=verdict]').value === ''")
    assert page.locator(f"[id='{_FAILED}']").is_visible()


def test_an_exchange_is_folded_and_unfolded_by_keyboard(page: Page) -> None:
    exchange = page.locator(f"[id='{_FAILED}'] .exchange")
    exchange.locator("summary").focus()
    assert exchange.locator("pre").first.is_visible()
    page.keyboard.press("Enter")
    assert not exchange.locator("pre").first.is_visible()
    page.keyboard.press("Enter")
    assert exchange.locator("pre").first.is_visible()


def test_what_a_vendor_needs_is_copied_as_a_text(page: Page) -> None:
    page.click(f"[id='{_FAILED}'] button.copy")
    page.wait_for_selector("text=Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    for line in (
        "## What expiry.refused-after-an-hour asks for is done.",
        "- A challenge expires after an hour. (Customer Guide, Expiry, line 3: <https://docs.example/guide#:~:text=after%20one%20hour>)",
        "- place: `response status`",
        "- expected: `400`",
        "- got: `204`",
        "~~~http",
        "POST https://api.example/v1/sign?a=1&b=2",
        "Our name for this rule: `wallets.expiry.refused-after-an-hour` (must, documented).",
    ):
        assert line in text.splitlines()


def test_what_a_server_said_stays_in_its_block(browser: Any, make: Make, tmp_path: Path) -> None:
    results = make([broken("customer.created")])
    results["exchanges"][0]["request"]["body"] = "a\n~~~~\n# not a heading"
    write_reports(results, tmp_path)
    context = browser.new_context()
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    text = page.evaluate("forVendor(document.querySelector('.card'))")
    assert "~~~~~http\nPOST" in text
    context.close()


def test_all_deviations_of_the_vendor_are_copied_at_once(page: Page) -> None:
    page.click(".next button.copy")
    page.wait_for_selector("text=Copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.startswith("# Conformance of Wallets: 2 deviations from the documents\n")
    assert "## 1. What expiry.refused-after-an-hour asks for is done." in text
    assert "## 2. What customer.shown-by-example asks for is done." in text
    assert "wallets.suite.broke" not in text
    assert "The same exchange" not in text
    assert text.count("POST https://api.example/v1/sign?a=1&b=2") == 2


def test_on_paper_nothing_is_folded(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = false; })")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(f"[id='{_FAILED}'] .exchange pre").first.is_visible()
    assert not page.is_visible("form")


def test_what_a_subject_said_stays_text(page: Page) -> None:
    assert page.locator("main script").count() == 0
    assert "<script>alert(1)</script>" in (page.locator("[id='wallets.customer.guessed']").text_content() or "")


def test_it_can_be_read_without_its_script(browser: Any, mixed: dict[str, Any], tmp_path: Path) -> None:
    write_reports(mixed, tmp_path)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "report.html").as_uri())
    assert not page.is_visible("form")
    assert not page.is_visible("button")
    assert len(shown(page)) == 9
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_that_is_out_of_reach(browser: Any, make: Make, tmp_path: Path, scheme: str) -> None:
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)
    page = context.new_page()
    guarded = [replace(each, protects=Protection.OWNERSHIP) if each.id == _FAILED else each for each in RULES]
    others = [make(HELD), make([_BLOCKING])] if scheme == "light" else []
    for results in (make(MIXED, guarded), *others):
        write_reports(results, tmp_path)
        page.goto((tmp_path / "report.html").as_uri())
        page.evaluate(_AXE)
        found = page.evaluate("axe.run({resultTypes: ['violations', 'incomplete']})")
        assert "color-contrast" in {each["id"] for each in found["passes"]}
        assert [(each["id"], node["html"]) for each in found["violations"] for node in each["nodes"]] == []
        assert found["incomplete"] == []
    context.close()
