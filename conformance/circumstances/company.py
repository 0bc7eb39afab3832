"""Who else uses the subject while a scenario runs, and what can be read of what the scenario made."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Protocol, TypeVar

from conformance.exchange import Exchange
from conformance.findings import Finding, Says
from conformance.scenario import found

Done = TypeVar("Done")

View = Mapping[str, Any]
"""What can be read at one moment: a value by its place, such as ``customer 7 of first, status``."""


class Company(Protocol):
    """The others of one test, of one API. What they do is judged like its own requests."""

    def populate(self) -> None:
        """Create more customers than one digit counts, before the scenario begins."""

    def step(self, identity: str) -> None:
        """Have another customer do the next step of what customers do.

        Args:
            identity: Whose customer: ``first`` for the scenario's own API client, ``second`` for the other one.

        Raises:
            NeedError: If the run has no credentials for the identity.
        """

    def read_everything(self) -> None:
        """Read whatever can be read of what the scenario's own API client has made so far, and visit its pages."""

    def begin_everything(self) -> None:
        """Begin for the scenario's customers what nobody then completes, each once."""

    def look(self) -> View:
        """What can be read now, of the scenario's customers and of others, but for times.

        When there is more to read than at the last look, a second look says whether the first one changed anything.
        """

    def judge_change(self, exchange: Exchange, before: View, after: View) -> Sequence[Finding]:
        """What the rules say of a step between two looks.

        Args:
            exchange: The step.
            before: What was read before it.
            after: What was read after it.
        """

    def watch(self, visit: Callable[[], Done]) -> Done:
        """Have a person do something at a hosted page, and judge what it changed that can be read."""

    def has_key(self, exchange: Exchange) -> bool:
        """Whether a request may be repeated under an idempotency key of its own."""

    def crowd(self) -> Sequence[Callable[[], object]]:
        """Seven requests of others, to be sent while the scenario sends one of its own."""


def changes(before: View, after: View) -> list[str]:
    """The places that read otherwise after a step than before it; one that is new was not read before."""
    return [place for place, value in before.items() if after.get(place) != value]


class Lookout:
    """Looks at all that can be read, and again when there is more of it, since reading may change it.

    Args:
        look: Reads it.
        judge_reading: Says what changed between two looks with no step between them.
    """

    def __init__(self, look: Callable[[], View], judge_reading: Callable[[View, View], Iterable[Finding]]) -> None:
        self._look = look
        self._judge_reading = judge_reading
        self._places: set[str] = set()

    def look(self) -> View:
        """What can be read now."""
        view = self._look()
        if view.keys() <= self._places:
            return view
        again = self._look()
        found(*self._judge_reading(view, again))
        self._places |= again.keys()
        return again


def change_findings(
    says: Says, exchange: Exchange, before: View, changed: Iterable[str], after: View, *, customer: str, others: str
) -> Iterator[Finding]:
    """What a step shows that changed places which it may not change: by reading, by a refusal, or of another customer.

    Args:
        says: Makes the API's findings.
        exchange: The step.
        before: What was read before it.
        changed: The places that read otherwise after it, but for those that the documents let it change.
        after: What was read after it.
        customer: The id of the customer that the step is about; empty if it names none.
        others: The rule on other customers, without the name of the API.
    """
    if not before:
        return  # nothing could be read, so that nothing can be said
    places = list(changed)
    of_others = [place for place in places if customer and " of " in place and not place.endswith(f" of {customer}")]
    refused = exchange.response.status >= HTTPStatus.BAD_REQUEST
    if exchange.request.method == "GET":
        by_rule = {"response.reading-changes-nothing": places}
    elif refused and customer:
        by_rule = {
            "response.refusal-changes-nothing": [place for place in places if place not in of_others],
            others: of_others,
        }
    else:
        by_rule = {"response.refusal-changes-nothing" if refused else others: places}
    for rule, otherwise in by_rule.items():
        shown = [f"{place}: {before.get(place)!r}, then {after.get(place)!r}" for place in otherwise]
        expected = "nothing else changed by the step"
        yield says.judged(rule, not shown, "what can be read", expected, "; ".join(shown) or "so", exchange)
