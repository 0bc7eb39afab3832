"""What the tests of the hosted page share: a window of a browser, narrow and wide, and what is asked of its pages."""

import re
from collections.abc import Iterator
from importlib.resources import files

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response, ViewportSize, sync_playwright

_AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (4\d\d) \(.*\)")

NARROW: ViewportSize = {"width": 360, "height": 640}
WIDE: ViewportSize = {"width": 1280, "height": 800}


class Window:
    """One window of a browser.

    Args:
        page: The page that Playwright drives; new.

    Attributes:
        documents: Address and status of each document that was shown, the oldest first.
        requested: The address of each request.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.documents: list[tuple[str, int]] = []
        self.requested: list[str] = []
        self._said: list[ConsoleMessage] = []
        self._broke: list[str] = []
        page.on("console", lambda said: self._said.append(said))  # noqa: PLW0108 - Playwright takes no built-in
        page.on("pageerror", lambda error: self._broke.append(str(error)))
        page.on("requestfailed", lambda request: self._broke.append(request.url))
        page.on("request", lambda request: self.requested.append(request.url))
        page.on("response", self._remember)

    def _remember(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.documents.append((response.url, response.status))

    def forget(self) -> None:
        """Begin anew with what is remembered."""
        for each in (self.documents, self.requested, self._said, self._broke):
            each.clear()

    def complaints(self) -> list[str]:
        """What went wrong, but for documents that came with an error's status: Chromium reports each of them."""
        # The rest are hints: one of them misses the name of a user, of which this page knows none.
        said = [each for each in self._said if each.type in {"error", "warning"} and not self._is_of_a_document(each)]
        return [*(each.text for each in said), *self._broke]

    def _is_of_a_document(self, said: ConsoleMessage) -> bool:
        refused = _REFUSED.fullmatch(said.text)
        return refused is not None and (said.location["url"], int(refused[1])) in self.documents

    def history(self) -> list[str]:
        """The addresses in the history of the window."""
        session = self.page.context.new_cdp_session(self.page)
        entries = session.send("Page.getNavigationHistory")["entries"]
        session.detach()
        return [entry["url"] for entry in entries]

    def shows(self, element: Locator) -> bool:
        """Whether an element stands whole in the window as it is scrolled."""
        box, size = element.bounding_box(), self.page.viewport_size
        assert box is not None
        assert size is not None
        return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]

    def fits(self) -> bool:
        """Whether nothing is wider than the window."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))

    def violations(self) -> list[tuple[str, str]]:
        """What axe-core finds to be out of reach of some people: the rule and the element, for each."""
        self.page.evaluate(_AXE)
        found = self.page.evaluate("axe.run({resultTypes: ['violations', 'incomplete']})")
        assert "color-contrast" in {each["id"] for each in found["passes"]}
        unclear = [each for each in found["incomplete"] if each["impact"] in {"serious", "critical"}]
        return [(each["id"], node["html"]) for each in (*found["violations"], *unclear) for node in each["nodes"]]

    def focused(self) -> str:
        """The name of what has the focus; of a button its value, and nothing if it has none."""
        attribute = "value" if self.page.locator("button:focus").count() else "name"
        return self.page.locator(":focus").get_attribute(attribute) or ""

    def shows_the_focus(self) -> bool:
        """Whether what has the focus comes to stand in the window, with a line of 5 pixels around it."""
        for _ in range(40):  # a browser moves the focus of a new page and scrolls to it when it paints next
            shown = self.page.evaluate(
                """() => {
                    const { top, bottom } = document.activeElement.getBoundingClientRect();
                    const { outlineStyle, outlineWidth, outlineOffset } = getComputedStyle(document.activeElement);
                    const outline = [outlineStyle, outlineWidth, outlineOffset].join(" ");
                    return outline === "solid 3px 2px" && top >= 5 && bottom + 5 <= innerHeight;
                }"""
            )
            if shown:
                return True
            self.page.wait_for_timeout(50)
        return False

    def tab_to(self, name: str, *, key: str = "Tab") -> list[str]:
        """Go on to what has that name; the names on the way, from the present one on."""
        names = [self.focused()]
        while names[-1] != name:
            assert len(names) < 20, f"{key} does not lead to {name}: {names}"
            self.page.keyboard.press(key)
            assert self.shows_the_focus(), names
            names.append(self.focused())
        return names


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield browser
        browser.close()


def _watched(window: Window) -> Iterator[Window]:
    window.forget()
    yield window
    assert window.complaints() == []


@pytest.fixture(scope="module", params=[NARROW, WIDE], ids=["narrow", "wide"])
def any_window(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Window]:
    page = browser.new_page(viewport=request.param)
    yield Window(page)
    page.close()


@pytest.fixture
def window(any_window: Window) -> Iterator[Window]:
    """A window, narrow or wide, that has nothing to complain of."""
    yield from _watched(any_window)


@pytest.fixture
def window_without_scripts(browser: Browser) -> Iterator[Window]:
    """A narrow window that runs no script of a page, and has nothing to complain of."""
    page = browser.new_page(viewport=NARROW, java_script_enabled=False)
    yield from _watched(Window(page))
    page.close()
