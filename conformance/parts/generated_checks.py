"""What generated requests show of the rules of any API, by what each was made to be: exchanges in, findings out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from conformance.bounds.urls import below
from conformance.catalogue import Basis
from conformance.exchange import Exchange, Mode
from conformance.findings import Finding, Says, answer
from conformance.generation.draft import CONTENT_TYPE, JSON, METHOD
from conformance.generation.feeding import DataPool, exercise
from conformance.generation.selection import drop_unless_accepted
from conformance.scenario import found
from conformance.specification import Problem, Specification
from conformance.targets import Subject

__all__ = ["GeneratedChecks", "WrongPlaces", "send_and_judge", "wrong_places"]

WrongPlaces = Sequence[tuple[str, Problem | None]]
"""Where a request breaks what a document or a standard says; in the body, each place with what is wrong there."""

_CLAIMED = {Basis.DOCUMENTED, Basis.STANDARD}
_ACCEPTED = "response.described-accepted"


class GeneratedChecks:
    """The rules for the provider that generated requests show; a subclass adds those that are special to its API.

    Attributes:
        says: Makes the findings; the ids of the API's rules begin with its prefix, and are given without it here.

    Args:
        specification: The API's specification, by which bodies are read.
        base_url: Where the requests were sent.
    """

    says: ClassVar[Says]

    def __init__(self, specification: Specification, base_url: str) -> None:
        self.specification = specification
        self._base_url = base_url

    def findings(self, exchanges: Sequence[Exchange]) -> list[Finding]:
        """What generated requests show, beside what the checks say of any exchange.

        Args:
            exchanges: The exchanges of one test.
        """
        return [finding for exchange in exchanges for finding in self._findings(exchange)]

    def _findings(self, exchange: Exchange) -> Iterator[Finding]:
        generated, status = exchange.generated, exchange.response.status
        if generated is None or generated.mode is Mode.GIVEN or status == HTTPStatus.TOO_MANY_REQUESTS:
            return
        probes = self.probes
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if exchange.operation is None and status != HTTPStatus.NOT_IMPLEMENTED:
                yield self.status("response.no-server-error", exchange, "below 500", held=False)
            if METHOD in generated.mutated:
                yield from self.unsupported_method(exchange)
        elif set(generated.mutated) & set(probes):
            yield from probes[generated.mutated[0]](exchange)
        elif exchange.operation is not None and CONTENT_TYPE not in generated.mutated:
            wrong = wrong_places(exchange, self.specification)
            if wrong:
                yield from self.undescribed(exchange, wrong)
            elif generated.mode is Mode.POSITIVE:
                yield from self.described(exchange, exchange.operation, generated.mutated)

    # ----------------------------------------------------------------------------------- what a subclass may add or say

    @property
    def probes(self) -> Mapping[str, Callable[[Exchange], Iterator[Finding]]]:
        """What a request shows of which one place was changed on purpose, by that place."""
        return {METHOD: self.unsupported_method}

    def accepted_rules(self, operation: str) -> Sequence[str]:  # noqa: ARG002
        """The rules that a request to an operation is accepted if it fits the specification."""
        return (_ACCEPTED,)

    def described(self, exchange: Exchange, operation: str, foreign: Sequence[str]) -> Iterator[Finding]:
        """What a request shows that fits the specification.

        Args:
            exchange: The request and its answer.
            operation: What it asks for.
            foreign: The places in which it is about something that does not exist.
        """
        if not foreign:
            for rule in self.accepted_rules(operation):
                yield self.status(rule, exchange, "2xx", held=exchange.response.succeeded)

    def undescribed(self, exchange: Exchange, wrong: WrongPlaces) -> Iterator[Finding]:
        """What a request shows that does not fit the specification."""
        problems = [f"{place} ({each.expected}, got {each.got})" if each else place for place, each in wrong]
        expected = f"a refusal, since this does not fit: {', '.join(problems)}"
        held = exchange.response.status >= HTTPStatus.BAD_REQUEST
        yield self.status("response.undescribed-refused", exchange, expected, held=held)

    # --------------------------------------------------------------------------------------------- what they share

    def status(self, rule: str, exchange: Exchange, expected: str, *, held: bool) -> Finding:
        """A finding about the status of an answer."""
        return self.says.judged(rule, held, "response status", expected, answer(exchange), exchange)

    def unsupported_method(self, exchange: Exchange) -> Iterator[Finding]:
        """What a method shows that a path does not have; Allow may name methods that no document describes.

        The rule asks for 405, with the methods that there are (RFC 9110 sections 10.2.1, 15.5.6); a server that has
        the method nowhere may answer 501 (section 15.6.2).
        """
        status, method = exchange.response.status, exchange.request.method
        allow = exchange.response.header("Allow")
        allowed = {name.strip() for name in (allow or "").split(",")}
        path = below(exchange.request.url, self._base_url).partition("?")[0]
        described = self.specification.methods_at(path)
        anywhere = {operation.method for operation in self.specification.operations.values()}
        yield self.says.judged(
            "response.unsupported-method",
            (status == HTTPStatus.METHOD_NOT_ALLOWED and described <= allowed and method not in allowed)
            or (status == HTTPStatus.NOT_IMPLEMENTED and method not in anywhere),
            "response status and header Allow",
            f"405 with {' and '.join(sorted(described))}",
            f"{status} with {allow or 'none'}, to {method}",
            exchange,
        )


def wrong_places(exchange: Exchange, specification: Specification) -> WrongPlaces:
    """The places in which a generated request breaks what a document or a standard says.

    A body is read again, by the specification as it is now. What was made wrong in path, query and headers was noted
    when the request was generated.

    Args:
        exchange: The request.
        specification: The API's specification.

    Returns:
        The places; none if the request was not generated.
    """
    generated = exchange.generated
    if generated is None or exchange.operation is None:
        return []
    parameters = specification.operations[exchange.operation].parameters
    claimed = {f"{each.place} {each.name}" for each in parameters if each.basis in _CLAIMED}
    places = [place for place in generated.mutated if generated.mode is Mode.NEGATIVE and place in claimed]
    problems = specification.request_problems(exchange.operation, JSON, exchange.request.body)
    in_body = [(f"body {each.pointer}".strip(), each) for each in problems if each.basis in _CLAIMED]
    return [*((place, None) for place in places), *in_body]


def send_and_judge(
    subject: Subject, operation: str, pool: Callable[[Subject], DataPool], checks: type[GeneratedChecks]
) -> None:
    """Send generated requests to an operation, unless that was done when the test was recorded, and judge them.

    Where no request at all was accepted, nothing is said of those that should be. What was sent is judged even if it
    ended early.

    Args:
        subject: What the test has of the implementation.
        operation: The id of the operation.
        pool: Makes what really exists for the requests.
        checks: What the requests show.
    """
    journal = subject.journal
    try:
        if not subject.recorded:
            seed, examples = subject.requests.child("seed").below(2**64), subject.conditions.examples
            exercise(pool(subject), subject.api.specification, operation, seed=seed, examples=examples)
    finally:
        findings = checks(journal.specification, journal.base_url).findings(journal.exchanges)
        found(*drop_unless_accepted(findings, checks.says.prefix + _ACCEPTED))
