"""The report as a person meets it: in a browser, wide and narrow, with the keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from conformance.reporting.files import write_reports


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield browser
        browser.close()


@pytest.fixture(params=[360, 1280])
def page(browser: Any, mixed: dict[str, Any], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    write_reports(mixed, tmp_path)
    complaints: list[str] = []
    page: Page = browser.new_page(viewport={"width": request.param, "height": 900})
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith("file:") else complaints.append(sent.url))
    page.goto((tmp_path / "report.html").as_uri())
    yield page
    page.close()
    assert complaints == []


def sections(page: Page) -> list[str]:
    return [
        section.get_attribute("id") or ""
        for section in page.query_selector_all("section.verdict")
        if section.is_visible()
    ]


def test_it_fits_the_window(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "FAILS: Wallets" in page.inner_text("header")


def test_a_verdict_shows_its_rules_alone(page: Page) -> None:
    assert sections(page) == ["error", "fail", "warn", "note", "blocked", "pass", "skipped", "untested"]
    page.click("nav a.note")
    assert sections(page) == ["note"]
    page.click("nav a[href='#rules']")
    assert len(sections(page)) == 8


def test_findings_open_by_keyboard_and_lead_to_their_exchange(page: Page) -> None:
    rule = page.locator("[id='wallets.customer.guessed']")
    rule.locator("summary").first.focus()
    page.keyboard.press("Enter")
    link = rule.locator(".finding a").first
    assert link.is_visible()
    target = (link.get_attribute("href") or "").removeprefix("#")
    assert page.locator(f"[id='{target}']").count() == 1


def test_what_a_subject_said_stays_text(page: Page) -> None:
    assert page.locator("main script").count() == 0
    assert "<script>alert(1)</script>" in (page.locator("[id='wallets.customer.guessed']").text_content() or "")
