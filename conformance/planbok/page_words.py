"""What the fields and buttons of a hosted page are for: by their names, by their labels, or as a file says."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

import httpx

from conformance import ConformanceError
from conformance.planbok.pages import Button, Form, Page, PageError, unfamiliar

__all__ = ["NOT_ASKED", "USUAL", "PageFileError", "PageWords"]

NOT_ASKED = {"hidden", "checkbox", "radio"}
"""The kinds of fields that nobody has to fill in."""

_CONTRACT = re.compile(
    r"(?P<pin>pin)|(?P<new_pin>new_pin(_again)?)|(?P<answer>answer_[0-9])|(?P<question>question_[0-9])"
)
_NEW = {"new", "choose", "create", "again", "repeat", "repeated", "retype", "reenter"}
"""What the label of a new PIN, or of its repetition, says."""
_SAYING = {
    "cancel": {"cancel", "abort", "decline", "deny", "reject", "refuse"},
    "skip": {"skip", "later", "not now"},
}
"""What a button for this may say instead."""


class PageFileError(ConformanceError, ValueError):
    """The file that says what a page calls its fields and buttons cannot be used; the message says what is wrong."""


@dataclass(frozen=True)
class PageWords:
    """What pages call what they ask for.

    Args:
        fields: The names or labels of fields, in small letters, by what they are for: ``pin``, ``new_pin``, ``answer``
            or ``question``.
        buttons: What buttons say, in small letters, by what they do: ``continue``, ``cancel`` or ``skip``.
    """

    fields: Mapping[str, frozenset[str]] = field(default_factory=dict)
    buttons: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what a page calls them.

        Args:
            path: A YAML file in the form of ``specs/schemas/page.json``.

        Raises:
            PageFileError: If it is missing, no YAML, or of another form.
        """
        return cls._of_raw(_read(path))

    @classmethod
    def of(cls, text: str) -> Self:
        """What `to_json` wrote, nothing if the text is empty."""
        return cls._of_raw(json.loads(text)) if text else cls()

    @classmethod
    def _of_raw(cls, raw: Mapping[str, Any]) -> Self:
        parts = [raw.get(part, {}) for part in ("fields", "buttons")]
        return cls(*({what: frozenset(map(_bare, called)) for what, called in part.items()} for part in parts))

    def to_json(self) -> str:
        """The same as one line, which a recording keeps."""
        parts = {"fields": self.fields, "buttons": self.buttons}
        return json.dumps(
            {name: {what: sorted(called) for what, called in part.items()} for name, part in parts.items()}
        )

    # ------------------------------------------------------------------------------------------------------- fields

    def meant(self, response: httpx.Response, forms: Sequence[Form]) -> list[Form]:
        """Of several forms the one that asks for most: for a PIN before questions before answers; several if alike."""
        asking: list[tuple[tuple[int, ...], Form]] = []
        for form in forms:
            with suppress(PageError):  # it asks for something that has nothing to do with a challenge
                meanings = Counter(self.meanings(response, form).values())
                asking.append((tuple(meanings[each] for each in ("pin", "new_pin", "question", "answer")), form))
        most = max((asked for asked, _ in asking), default=())
        return [form for asked, form in asking if asked == most]

    def meanings(self, response: httpx.Response, form: Form) -> dict[str, str]:
        """What each field that a person has to fill in is for: ``pin``, ``new_pin``, ``answer`` or ``question``.

        Raises:
            PageError: If one is for something else, as far as can be told.
        """
        said = {
            name: meaning
            for name in form.kinds
            for meaning, names in self.fields.items()
            if names & {_bare(name), _bare(form.labels[name])}
        }
        asked = [name for name, kind in form.kinds.items() if kind not in NOT_ASKED and name not in said]
        empty = [name for name in asked if form.kinds[name] != "select" and not form.fields[name]]
        named = {name: found.lastgroup or "" for name in sorted(asked) if (found := _CONTRACT.fullmatch(name))}
        understood = named if named and named.keys() >= set(empty) else _guessed(form, asked)
        for name in empty:
            if name not in understood:
                raise unfamiliar(
                    response,
                    f"asks for {form.labels[name] or 'something without a label'} in {name}",
                    "a PIN, a new PIN twice, or questions and answers; CONFORMANCE_PLANBOK_PAGE_FILE names a file that "
                    "says what is what",
                )
        return {**said, **understood}

    # ------------------------------------------------------------------------------------------------------ buttons

    def pressed(self, page: Page, form: Form, action: str) -> Button:
        """The button to press for an action: by its value or its label; ``continue`` also the one that says neither.

        Raises:
            PageError: If there is not one such button.
        """
        found = [button for button in form.buttons if self._is_said(button, action)]
        found = found or [button for button in form.buttons if button.value == action]
        found = found or [button for button in form.buttons if action in _words(button.label)]
        if not found and action == "continue":
            found = [button for button in form.buttons if not any(self._says(button, each) for each in _SAYING)]
        elif not found:
            found = [button for button in form.buttons if self._says(button, action)]
        if len(found) != 1:
            shown = ", ".join(button.label or button.value for button in form.buttons) or "none"
            raise unfamiliar(page.response, f"has the buttons: {shown}", f"one that says {action}")
        return found[0]

    def offers(self, page: Page, action: str) -> bool:
        """Whether a page has a button for an action: ``cancel`` or ``skip``."""
        return page.form is not None and any(self._says(button, action) for button in page.form.buttons)

    def _says(self, button: Button, action: str) -> bool:
        words = _words(f"{button.value} {button.label}")
        usual = bool(_SAYING.get(action, {action}) & {*words, *map(" ".join, pairwise(words))})
        return usual or self._is_said(button, action)

    def _is_said(self, button: Button, action: str) -> bool:
        return bool(self.buttons.get(action, frozenset()) & {_bare(button.value), _bare(button.label)})


USUAL = PageWords()
"""What is understood without a file."""


def _guessed(form: Form, asked: Sequence[str]) -> dict[str, str]:
    """The meanings of fields that have names of their own, as far as types and labels leave no doubt."""
    words = {name: set(_words(f"{name} {form.labels[name]}")) for name in asked}
    lists = [name for name in asked if form.kinds[name] == "select"]
    texts = [name for name in asked if name not in lists]
    answers = [name for name in texts if "answer" in words[name] or form.labels[name].endswith("?")]
    secret = [name for name in texts if form.kinds[name] == "password" or "pin" in words[name]]
    pins = [name for name in secret if name not in answers]
    meanings = dict.fromkeys(answers, "answer")
    if len(lists) == len(answers):
        meanings |= dict.fromkeys(lists, "question")
    old = [name for name in pins if words[name] & {"current", "old", "present"}]
    others = [name for name in pins if not words[name] & _NEW]
    if len(pins) == len(others) + 2 and len(others) == 1:
        old = others
    match len(pins), len(old):
        case (1, _):
            meanings[pins[0]] = "new_pin" if words[pins[0]] & _NEW else "pin"
        case (2, 0) | (2, 1) | (3, 1):
            meanings |= {name: "pin" if name in old else "new_pin" for name in pins}
    return meanings


def _words(text: str) -> list[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    return re.findall(r"[a-z]+", spaced.casefold())


def _bare(text: str) -> str:
    return " ".join(text.split()).casefold()


def _read(path: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415  (only for a file)

    from conformance.files import first_problem, read_bounded  # noqa: PLC0415
    from conformance.speed.plain_yaml import read_yaml  # noqa: PLC0415

    try:
        raw = read_yaml(read_bounded(path))
    except OSError as error:
        raise PageFileError(f"The page file {path} cannot be read: {error.strerror or error}.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PageFileError(f"The page file {path} is not YAML: {' '.join(str(error).split())}") from error
    if problem := first_problem(_schema(), raw):
        place, message = problem
        raise PageFileError(f"The page file {path} is wrong at {'/'.join(map(str, place)) or 'the top'}: {message}")
    found: dict[str, Any] = raw
    return found


@cache
def _schema() -> Any:
    import jsonschema_rs  # noqa: PLC0415

    from conformance.files import data_path  # noqa: PLC0415

    return jsonschema_rs.validator_for(json.loads(data_path("specs/schemas/page.json").read_bytes()))
