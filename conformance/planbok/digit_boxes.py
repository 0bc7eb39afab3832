"""Boxes of one character each in which a text is entered together, such as a PIN digit by digit.

It knows nothing of pages of PINs but that such a text has six characters where several stand side by side.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from conformance.planbok.html_forms import Element

TOGETHER = 6
"""How many boxes hold one PIN (Onboarding and PIN Setup: six digits)."""
_FEWEST = 4
"""How many boxes side by side are taken for one field at least."""
_KINDS = {"text", "tel", "number", "password"}


def boxes(controls: Sequence[Element]) -> Iterator[list[Element]]:
    """The fields that are entered in boxes, each with its boxes in their order.

    Boxes belong together that stand side by side in one group of fields and whose names differ in their numbers alone;
    where these are twice or three times six, each six do.

    Args:
        controls: The fields of a form in the order of the page.
    """
    asked = [control for control in controls if control.kind != "hidden"]
    for (is_box, _, _), found in groupby(asked, key=lambda each: (_is_box(each), id(each.group), _stem(each))):
        run = list(found)
        size = TOGETHER if len(run) % TOGETHER == 0 else len(run)
        if is_box and len(run) >= _FEWEST:
            yield from (run[start : start + size] for start in range(0, len(run), size))


def entered(text: str, number: int) -> list[str]:
    """What each of so many boxes holds when a text is entered, the last one whatever is too long."""
    return [text[place : place + 1] for place in range(number - 1)] + [text[number - 1 :]]


def _is_box(control: Element) -> bool:
    return control.kind in _KINDS and "1" in (control.get("maxlength"), control.get("size"))


def _stem(control: Element) -> str:
    return re.sub(r"[0-9]+", "", control.get("name", ""))
