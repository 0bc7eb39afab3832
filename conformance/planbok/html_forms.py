"""The forms of an HTML page, as a browser without scripts reads them: fields, labels, buttons, and the text around.

It knows nothing of PINs, nor of the suite.
"""

from collections.abc import Sequence
from html.parser import HTMLParser


def collapse(pieces: Sequence[str]) -> str:
    """The pieces of a text as one, each run of white space in it as a single space, none at its ends."""
    return " ".join("".join(pieces).split())


class Element(dict[str, str]):
    """An element of a page: its attributes by name, the first of each name counting.

    Args:
        tag: The name of the element, such as ``input``.
        attributes: Name and value of each attribute as written; None for one without a value.

    Attributes:
        tag: The name of the element.
        words: The pieces of the text in it.
        options: The options of a ``select``.
        label: The ``label`` that it stands in, None if it stands in none.
    """

    def __init__(self, tag: str, attributes: Sequence[tuple[str, str | None]]) -> None:
        super().__init__({name: value or "" for name, value in reversed(attributes)})
        self.tag = tag
        self.words: list[str] = []
        self.options: list[Element] = []
        self.label: Element | None = None

    @property
    def kind(self) -> str:
        """The type of a field or button in lower case."""
        usual = {"input": "text", "button": "submit"}.get(self.tag)
        return self.get("type", usual).lower() or usual if usual else self.tag

    @property
    def sent(self) -> bool:
        """Whether the browser sends the field as it is."""
        return self.kind not in {"checkbox", "radio"} or "checked" in self

    @property
    def choices(self) -> list[str]:
        """The values that a list offers."""
        return [option.value for option in self.options if "disabled" not in option]

    @property
    def value(self) -> str:
        """What the browser sends for it as long as nobody changes it."""
        match self.kind:
            case "select":
                selected = [option.value for option in self.options if "selected" in option]
                return next(iter([*selected[-1:], *self.choices]), "")
            case "option":
                return self.get("value", collapse(self.words))
            case "textarea":
                return "".join(self.words).removeprefix("\n")
            case "checkbox" | "radio":
                return self.get("value", "on")
            case _:
                return self.get("value", "")


class PageReader(HTMLParser):
    """Reads title, text and forms; what is left open ends where its next sibling, its form or the page ends.

    Attributes:
        first: The first element of each tag, by the tag.
        text: The pieces of the visible text.
        shows_text: Whether there is visible text besides what stands there for browsers without scripts.
        has_fields_outside_forms: Whether there are fields to fill in that no form sends.
        forms: The forms.
        controls: The fields that forms send, without their buttons.
        buttons: The buttons that send a form.
    """

    KEEPING = frozenset({"button", "label", "noscript", "option", "script", "style", "template", "textarea", "title"})
    CLOSED = frozenset({"script", "style", "template", "textarea", "title"})
    UNSEEN = CLOSED | {"option"}
    INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "kbd", "mark", "small", "span", "strong", "time", "u"})

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, Element] = {}
        self.text: list[str] = []
        self.shows_text = False
        self.has_fields_outside_forms = False
        self.forms: list[Element] = []
        self.controls: list[Element] = []
        self.buttons: list[Element] = []
        self._labels: list[Element] = []
        self._in_form = False
        self._list: Element | None = None
        self._open: dict[str, Element] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        if self.CLOSED & self._open.keys():
            return
        element = Element(tag, attrs)
        if tag not in self.INLINE:
            self.text.append(" ")
        self.first.setdefault(tag, element)
        match tag:
            case "label":
                self._labels.append(element)
            case "option" if self._list is not None:
                self._list.options.append(element)
            case "form" if not self._in_form:
                self.forms.append(element)
                self._in_form = True
            case "input" | "select" | "textarea" | "button":
                self._control(element)
        if tag in self.KEEPING:
            self._open.pop(tag, None)
            self._open[tag] = element

    def _control(self, element: Element) -> None:
        self._open.pop("option", None)
        self._list = element if element.tag == "select" else None
        if "disabled" in element or element.kind in {"button", "reset", "file"}:
            return
        if element.tag == "button" or element.kind in {"submit", "image"}:
            if self._in_form:
                self.buttons.append(element)
        elif self._in_form:
            element.label = self._open.get("label")
            self.controls.append(element)
        else:
            self.has_fields_outside_forms = self.has_fields_outside_forms or element.kind != "hidden"

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        if self.CLOSED & self._open.keys() - {tag}:
            return
        if tag not in self.INLINE:
            self.text.append(" ")
        self._open.pop(tag, None)
        if tag == "select":
            self._open.pop("option", None)
            self._list = None
        elif tag == "form":
            self._in_form = False
            for inner in ("button", "label", "option"):
                self._open.pop(inner, None)

    def handle_data(self, data: str) -> None:
        """Text, which belongs to the innermost element that keeps its text."""
        innermost = next(reversed(self._open), "")
        if innermost:
            self._open[innermost].words.append(data)
        if innermost not in self.UNSEEN:
            self.text.append(data)
            self.shows_text = self.shows_text or bool(data.strip() and "noscript" not in self._open)

    def label_of(self, control: Element) -> str:
        """What a person is told to fill in: its label's text, or what stands in for one."""
        pointing = (label for label in self._labels if control.get("id") and label.get("for") == control["id"])
        label = next(pointing, control.label)
        shown = collapse(label.words) if label is not None else ""
        return shown or control.get("aria-label") or control.get("placeholder", "")
