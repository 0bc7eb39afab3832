"""What was seen of one rule in one place."""

from dataclasses import dataclass, replace
from enum import StrEnum

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


_LONGEST = 300


def shorten(value: object) -> str:
    """`value` as text of at most 300 characters; bytes as text where they are text."""
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
