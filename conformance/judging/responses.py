"""What the rules about the form of answers say, the same of every API."""

from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus

from conformance.catalogue import Basis
from conformance.exchange import Exchange
from conformance.findings import Finding, Says
from conformance.specification import Problem, Specification

_SURE = frozenset({Basis.DOCUMENTED, Basis.STANDARD})
_SHAPES = {"response.matches-schema": _SURE, "response.matches-inferred-schema": frozenset(Basis) - _SURE}
"""By which rule a part of a schema is judged, from what the part rests on: where sources disagree none is broken."""


def no_server_error(says: Says, exchange: Exchange) -> Finding:
    """Whether the server could answer at all."""
    status = exchange.response.status
    held = status < HTTPStatus.INTERNAL_SERVER_ERROR
    return says.judged("response.no-server-error", held, "response status", "below 500", status, exchange)


def media_type(says: Says, exchange: Exchange, described: Sequence[str]) -> Finding:
    """Whether an answer is of one of the described media types, which are given in lower case."""
    given = exchange.response.header("Content-Type")
    held = (given or "").partition(";")[0].strip().lower() in described
    where, expected = "response header Content-Type", " or ".join(described)
    return says.judged("response.is-json", held, where, expected, given, exchange)


def schema(says: Says, exchange: Exchange, specification: Specification, content_type: str) -> Iterator[Finding]:
    """Whether the body of an answer fits its schema, by the rule that the basis of each part of the schema belongs to.

    Of a body that cannot be read nothing else is said.

    Args:
        says: What makes findings of the API's rules.
        exchange: An exchange that asked for an operation.
        specification: The description of the API.
        content_type: The media type by whose schema the body is read.
    """
    response = exchange.response
    problems = specification.problems(str(exchange.operation), response.status, content_type, response.body)
    is_read = not any(problem.hides_all for problem in problems)
    for rule, bases in _SHAPES.items():
        concerned = first_of_each_place(problem for problem in problems if problem.basis in bases)
        for problem in concerned:
            yield says.judged(rule, False, f"response {problem.pointer}", problem.expected, problem.got, exchange)
        if not concerned and is_read:
            yield says.judged(rule, True, "response body", "as the schema says", "so", exchange)


def first_of_each_place(problems: Iterable[Problem]) -> list[Problem]:
    """The first problem of each place in a body: one deviation is one finding."""
    found: dict[str, Problem] = {}
    for problem in problems:
        found.setdefault(problem.pointer, problem)
    return list(found.values())
