"""What was seen of one rule in one place."""

from dataclasses import dataclass, replace
from enum import StrEnum
from http import HTTPStatus

from conformance.exchange import Exchange


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
    """

    rule: str
    outcome: Outcome
    where: str = ""
    expected: str = ""
    got: str = ""
    exchange: str | None = None
    reading: str | None = None
    reason: str = ""
    test: str = ""


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

    def status(self, rule: str, exchange: Exchange, *statuses: int) -> Finding:
        """A finding that says whether an answer has one of the statuses."""
        held, expected = exchange.response.status in statuses, " or ".join(str(int(each)) for each in statuses)
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


def shorten(value: object) -> str:
    """`value` as text of at most 300 characters; bytes as text where they are text."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
