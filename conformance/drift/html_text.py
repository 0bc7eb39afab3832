"""The text of an HTML page as a browser gives it to the clipboard: each block on lines of its own."""

import re
from html.parser import HTMLParser

_BLOCKS = {
    *("address", "article", "aside", "blockquote", "br", "button", "dd", "details", "div", "dl", "dt", "fieldset"),
    *(
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
    ),
    *("ol", "option", "p", "pre", "section", "summary", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
"""The elements that a browser shows as blocks, and copies as lines."""
_UNSEEN = {"head", "noscript", "script", "style", "svg", "template", "title"}
_HTML = re.compile(
    r"\s*(<!--.*?-->\s*)*<(!doctype html|html|body|head|main|article|div|p|h1)\b", re.IGNORECASE | re.DOTALL
)


def is_html(text: str) -> bool:
    """Whether a text is HTML rather than what a browser shows of it."""
    return bool(_HTML.match(text[:10_000]))


def as_text(html: str) -> str:
    """The text of a page, one block a line; scripts, styles and pictures are left out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "".join(reader.parts)


class _Reader(HTMLParser):
    """Collects the text of the elements that are seen."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unseen += tag in _UNSEEN
        self._preformatted += tag == "pre"
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._preformatted = max(0, self._preformatted - (tag == "pre"))
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(data if self._preformatted else re.sub(r"\s+", " ", data))
