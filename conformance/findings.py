"""What was seen of one rule in one place."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus

from conformance.exchange import Exchange, Response


class Outcome(StrEnum):
    """What a finding says of its rule."""

    HELD = "held"
    BROKEN = "broken"
    BLOCKED = "blocked"
    SKIPPED = "skipped"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """What was seen of one rule in one place.

    Args:
        rule: The rule's id.
        outcome: Whether it held, or why that could not be judged.
        where: The place: a side and a part of it, such as ``response status`` or ``response /challenge``.
        expected: What the rule asks for there.
        got: What was there.
        exchange: The id of the exchange, if one exchange shows it.
        reading: For a rule on which sources disagree, the id of the reading that was seen; None if none of them was.
        reason: For a rule that could not be judged, the step that failed or what the run needs.
        test: The id of the test.
        relies_on: For a rule that was blocked, the ids of the rules that the step that failed relies on.
    """

    @property
    def observation(self) -> str:
        """What was seen, or why it could not be judged, in one sentence."""
        return self.reason or f"{self.where}: expected {self.expected}, got {self.got}"

    rule: str
    outcome: Outcome
    where: str = ""
    expected: str = ""
    got: str = ""
    exchange: str | None = None
    reading: str | None = None
    reason: str = ""
    test: str = ""
    relies_on: tuple[str, ...] = ()


def judged(rule: str, *, held: bool, where: str, expected: str, got: object, exchange: Exchange | None) -> Finding:
    """A finding that says whether `rule` held."""
    return Finding(
        rule,
        Outcome.HELD if held else Outcome.BROKEN,
        where=where,
        expected=expected,
        got=shorten(got),
        exchange=exchange.id if exchange else None,
    )


def read(
    rule: str, reading: str | None, *, where: str, expected: str, got: object, exchange: Exchange | None
) -> Finding:
    """A finding that says which reading of a contradicted `rule` was seen, None for none of them."""
    finding = judged(rule, held=reading is not None, where=where, expected=expected, got=got, exchange=exchange)
    return replace(finding, reading=reading)


def refusal_text(response: Response) -> str | None:
    """What a response says of why it refuses; None if it does not refuse, or says nothing."""
    if response.succeeded:
        return None
    members = response.members()
    errors = members.get("errors")
    nested = errors.get("message") if isinstance(errors, Mapping) else None
    said = (members.get("detail"), members.get("message"), nested)
    return next((each for each in said if isinstance(each, str)), None)


def answer(exchange: Exchange) -> str:
    """The answer of an exchange in one line: its status, and the start of its body if it did not succeed."""
    response = exchange.response
    members = response.members()
    detail = members.get("detail", members.get("message"))
    shown = detail if isinstance(detail, str) else response.body
    return str(response.status) if response.succeeded or not shown else f"{response.status} ({shorten(shown)})"


@dataclass(frozen=True)
class Says:
    """Makes findings of the rules whose ids begin alike.

    Args:
        prefix: What the ids begin with, such as ``offblocks.`` or ``planbok.client.``.
    """

    prefix: str

    def judged(
        self,
        rule: str,
        held: bool,  # noqa: FBT001  (whether a rule held is what a finding says)
        where: str,
        expected: str,
        got: object,
        exchange: Exchange | None = None,
    ) -> Finding:
        """A finding that says whether a rule held, arguments as in `judged`."""
        return judged(self.prefix + rule, held=held, where=where, expected=expected, got=got, exchange=exchange)

    def read(
        self, rule: str, reading: str | None, where: str, expected: str, got: object, exchange: Exchange | None = None
    ) -> Finding:
        """A finding that says which reading of a contradicted rule was seen, arguments as in `read`."""
        return read(self.prefix + rule, reading, where=where, expected=expected, got=got, exchange=exchange)

    def lacking(self, rule: str, what: str, exchange: Exchange) -> Finding:
        """A finding that says that a rule cannot be judged, since an answer does not show `what` it is about."""
        reason = f"This needs what this API does not show: {what}."
        return Finding(self.prefix + rule, Outcome.SKIPPED, reason=reason, exchange=exchange.id)

    def status(self, rule: str, exchange: Exchange, *statuses: int) -> Finding:
        """A finding that says whether an answer has one of the statuses."""
        held, expected = exchange.response.has_status(*statuses), " or ".join(str(int(each)) for each in statuses)
        return self.judged(rule, held, "response status", expected, answer(exchange), exchange)

    def refusal(self, rule: str, exchange: Exchange, because: str = "") -> Finding:
        """A finding that says whether a request was refused with 4xx, for the reason given."""
        held = HTTPStatus.BAD_REQUEST <= exchange.response.status < HTTPStatus.INTERNAL_SERVER_ERROR
        expected = f"a refusal: {because}" if because else "a refusal"
        return self.judged(rule, held, "response status", expected, answer(exchange), exchange)

    def acceptance(self, rule: str, exchange: Exchange) -> Finding:
        """A finding that says whether a request was accepted, with whatever status of 2xx."""
        held = exchange.response.succeeded
        return self.judged(rule, held, "response status", "2xx", answer(exchange), exchange)


_LONGEST = 300
_LOOKED_AT = 64 * 1024
"""The characters of a text that are looked through for secrets, a part of which the first ones may show."""
_hiding: list[Callable[[str], str]] = []


@contextmanager
def hiding(hide: Callable[[str], str]) -> Iterator[None]:
    """Have `shorten` take secrets out of a text before it is cut, while the context lasts.

    A part of a secret could not be recognised.

    Args:
        hide: Gives a text without the secrets that are known by now.
    """
    _hiding.append(hide)
    try:
        yield
    finally:
        _hiding.remove(hide)


def shorten(value: object) -> str:
    """`value` as text of at most 300 characters; bytes as text where they are text."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    length = len(text)
    if length <= _LONGEST:
        return text
    if _hiding:
        text = _hiding[-1](text[:_LOOKED_AT])
        if length > _LOOKED_AT and len(text) <= _LONGEST:
            text = ""  # its end may be a part of a secret
    return f"{text[:_LONGEST]}… ({length} characters)"
