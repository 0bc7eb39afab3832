"""The forms of an HTML page, as a browser without scripts reads them: fields, labels, buttons, and the text around.

It knows nothing of PINs, nor of the suite.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from justhtml import stream

_LABELLED_BY = re.compile(r"""aria-labelledby\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_MOST_GROUPS = 20
"""How many groups within groups are followed: a page that means no harm has one or two."""


def collapse(pieces: Sequence[str]) -> str:
    """The pieces of a text as one, each run of white space in it as a single space, none at its ends."""
    return " ".join("".join(pieces).split())


class Element(dict[str, str]):
    """An element of a page: its attributes by name, the first of each name counting.

    Args:
        tag: The name of the element, such as ``input``.
        attributes: Name and value of each attribute, the first of each name; None for one without a value.

    Attributes:
        tag: The name of the element.
        words: The pieces of the text in it.
        options: The options of a ``select``.
        label: The ``label`` that it stands in, None if it stands in none.
        group: The ``fieldset``, or element with the role ``group``, that it stands in, None if it stands in none.
        before: The text between it and the field before it.
    """

    def __init__(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        super().__init__({name: value or "" for name, value in attributes.items()})
        self.tag = tag
        self.words: list[str] = []
        self.options: list[Element] = []
        self.label: Element | None = None
        self.group: Element | None = None
        self.before = ""

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


@dataclass
class WrittenForm:
    """A form as it is written.

    Args:
        element: The element itself.

    Attributes:
        controls: The fields that it sends, without its buttons.
        buttons: The buttons that send it.
    """

    element: Element
    controls: list[Element] = field(default_factory=list)
    buttons: list[Element] = field(default_factory=list)


class PageReader:
    """Reads title, text and forms; what is left open ends where its next sibling, its form or the page ends.

    Attributes:
        first: The first element of each tag, by the tag.
        text: The pieces of the visible text.
        shows_text: Whether there is visible text besides what stands there for browsers without scripts.
        has_unnamed_fields: Whether there are fields to fill in whose form does not send what is in them.
        has_fields_outside_forms: Whether there are fields to fill in that no form sends.
        forms: The forms, each with its fields and buttons.
        refresh: What the page says of the page that follows by itself, and when; None if it says nothing.
    """

    KEEPING = frozenset({"button", "label", "noscript", "option", "script", "style", "template", "textarea", "title"})
    CLOSED = frozenset({"script", "style", "template", "textarea", "title"})
    UNSEEN = CLOSED | {"option"}
    INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "kbd", "mark", "small", "span", "strong", "time", "u"})

    def __init__(self) -> None:
        self.first: dict[str, Element] = {}
        self.text: list[str] = []
        self.shows_text = False
        self.has_unnamed_fields = False
        self.has_fields_outside_forms = False
        self.forms: list[WrittenForm] = []
        self.refresh: str | None = None
        self._pointing: dict[str, Element] = {}
        self._naming: set[str] = set()
        self._names: dict[str, Element] = {}
        self._named: list[tuple[Element, int]] = []
        self._groups: list[tuple[Element, int]] = []
        self._told = 0
        self._in_form = False
        self._list: Element | None = None
        self._open: dict[str, Element] = {}

    @property
    def controls(self) -> list[Element]:
        """The fields of all forms."""
        return [control for form in self.forms for control in form.controls]

    def read(self, page: str) -> None:
        """Read a page, in a time that grows with its length alone.

        What stands in ``noscript`` is text for the tokenizer, which takes scripts for granted, and read as a page.
        """
        inside = next(reversed(self._open), "") == "noscript"
        self._naming.update(*("".join(found).split() for found in _LABELLED_BY.findall(page)))
        for event in stream(page):
            match event:
                case "start", (str(tag), dict(attributes)):
                    self._begin(tag, attributes)
                case "end", str(tag):
                    self._end(tag)
                case "text", str(text) if next(reversed(self._open), "") == "noscript" and not inside:
                    self.read(text)
                case "text", str(text):
                    self._say(text)

    def _begin(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        if self.CLOSED & self._open.keys():
            return
        element = Element(tag, attributes)
        if tag not in self.INLINE:
            self.text.append(" ")
        self.first.setdefault(tag, element)
        self._enter_groups(element)
        self._enter_names(element)
        match tag:
            case "label":
                if element.get("for"):
                    self._pointing.setdefault(element["for"], element)
            case "option" if self._list is not None:
                self._list.options.append(element)
            case "form" if not self._in_form:
                self.forms.append(WrittenForm(element))
                self._in_form = True
            case "meta" if element.get("http-equiv", "").lower() == "refresh":
                self.refresh = self.refresh or element.get("content", "")
            case "input" | "select" | "textarea" | "button":
                self._control(element)
        if tag in self.KEEPING:
            self._open.pop(tag, None)
            self._open[tag] = element

    def _enter_groups(self, element: Element) -> None:
        self._groups = [(group, depth + (group.tag == element.tag)) for group, depth in self._groups]
        if element.tag == "fieldset" or element.get("role") in {"group", "radiogroup"}:
            self._groups = [*self._groups[-_MOST_GROUPS:], (element, 1)]

    def _enter_names(self, element: Element) -> None:
        """Keep the text of an element that fields say that they are labelled by."""
        self._named = [(name, depth + (name.tag == element.tag)) for name, depth in self._named]
        if element.get("id") in self._naming - self._names.keys():
            self._names[element["id"]] = element
            self._named = [*self._named[-_MOST_GROUPS:], (element, 1)]

    def _control(self, element: Element) -> None:
        element.group = self._groups[-1][0] if self._groups else None
        element.before, self._told = collapse(self.text[self._told :]), len(self.text)
        self._open.pop("option", None)
        self._list = element if element.tag == "select" else None
        if "disabled" in element or element.kind in {"button", "reset", "file"}:
            return
        if element.tag == "button" or element.kind in {"submit", "image"}:
            if self._in_form:
                self.forms[-1].buttons.append(element)
        elif self._in_form:
            seen = element.kind not in {"hidden", "checkbox", "radio"}
            self.has_unnamed_fields = self.has_unnamed_fields or (seen and not element.get("name"))
            element.label = self._open.get("label")
            self.forms[-1].controls.append(element)
        else:
            self.has_fields_outside_forms = self.has_fields_outside_forms or element.kind != "hidden"

    def _end(self, tag: str) -> None:
        if self.CLOSED & self._open.keys() - {tag}:
            return
        if tag not in self.INLINE:
            self.text.append(" ")
        self._open.pop(tag, None)
        depths = [(group, depth - (group.tag == tag)) for group, depth in self._groups]
        self._groups = [(group, depth) for group, depth in depths if depth]
        left = [(name, depth - (name.tag == tag)) for name, depth in self._named]
        self._named = [(name, depth) for name, depth in left if depth]
        if tag == "select":
            self._open.pop("option", None)
            self._list = None
        elif tag == "form":
            self._in_form = False
            for inner in ("button", "label", "option"):
                self._open.pop(inner, None)

    def _say(self, data: str) -> None:
        """Text, which belongs to the innermost element that keeps its text."""
        innermost = next(reversed(self._open), "")
        if innermost:
            self._open[innermost].words.append(data)
        for name, _ in self._named:
            if name is not self._open.get(innermost):
                name.words.append(data)
        if innermost not in self.UNSEEN:
            self.text.append(data)
            self.shows_text = self.shows_text or bool(data.strip() and "noscript" not in self._open)

    def label_of(self, control: Element) -> str:
        """What a person is told to fill in: its label's text, or what stands in for one."""
        label = self._pointing.get(control.get("id", ""), control.label)
        named = (self._names.get(name) for name in control.get("aria-labelledby", "").split())
        shown = " ".join(collapse(each.words) for each in (*named, label) if each is not None)
        return shown or control.get("aria-label") or control.get("placeholder", "")

    def label_of_group(self, control: Element) -> str:
        """What a person is told of the boxes that begin with this one: by their group, before them, by the first."""
        group = control.group.get("aria-label", "") if control.group is not None else ""
        return " ".join(dict.fromkeys(each for each in (group, control.before, self.label_of(control)) if each))
