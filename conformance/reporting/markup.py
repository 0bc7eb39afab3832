"""HTML as text that is escaped once: elements are made by `tag`, and whatever else comes along is plain text."""

import re
from html import escape

from conformance.reporting.phrases import printable


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


_CODE = re.compile(r"`+([^`]+)`+")
_VOID = frozenset({"input", "meta"})


def tag(kind: str, /, *content: str, **attributes: str | bool) -> Html:
    """An element.

    Args:
        kind: Its name.
        *content: What is in it; what is no `Html` is escaped, and shown as escapes where it would steer a terminal.
        **attributes: Its attributes, ``_`` standing for ``-``, and `css` for ``class``; True for one without a value,
            False for none.
    """
    said = "".join(_attribute(name, value) for name, value in attributes.items() if value is not False)
    if kind in _VOID:
        return Html(f"<{kind}{said}>")
    return Html(f"<{kind}{said}>{joined(*content)}</{kind}>")


def joined(*content: str) -> Html:
    """Several pieces as one; what is no `Html` is escaped."""
    return Html("".join(each if isinstance(each, Html) else escape(printable(each), quote=False) for each in content))


def prose(text: str) -> Html:
    """A sentence of ours as HTML: what stands between backticks is code."""
    parts = _CODE.split(text)
    return joined(*(tag("code", part) if number % 2 else part for number, part in enumerate(parts)))


def _attribute(name: str, value: str | bool) -> str:  # noqa: FBT001  (an attribute of HTML is there or not)
    written = "class" if name == "css" else name.strip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(printable(str(value)))}"'
