"""What a generated request shows of any API, by what it was made to be."""

from http import HTTPStatus

from conformance.catalogue import Basis
from conformance.exchange import Exchange, Mode
from conformance.findings import Finding, judged
from conformance.generation.draft import JSON
from conformance.specification import Problem, Specification

_CLAIMED = {Basis.DOCUMENTED, Basis.STANDARD}


def unsupported_method(rule: str, exchange: Exchange, specification: Specification, version: str) -> Finding:
    """What a method shows that a path does not have; Allow may name methods that no document describes.

    Args:
        rule: The id of the rule that asks for 405, with the methods that there are (RFC 9110 sections 10.2.1, 15.5.6).
        exchange: The request and its answer.
        specification: What is described of the path.
        version: What paths of the API begin with, such as ``v1``.
    """
    status, method = exchange.response.status, exchange.request.method
    allow = exchange.response.header("Allow")
    allowed = {name.strip() for name in (allow or "").split(",")}
    described = specification.methods_at(f"/{version}/{exchange.request.path.partition(f'/{version}/')[2]}")
    return judged(
        rule,
        held=status == HTTPStatus.METHOD_NOT_ALLOWED and described <= allowed and method not in allowed,
        where="response status and header Allow",
        expected=f"405 with {' and '.join(sorted(described))}",
        got=f"{status} with {allow or 'none'}, to {method}",
        exchange=exchange,
    )


def wrong_places(exchange: Exchange, specification: Specification) -> list[tuple[str, Problem | None]]:
    """The places in which a generated request breaks what a document or a standard says.

    A body is read again, by the specification as it is now. What was made wrong in path, query and headers was noted
    when the request was generated.

    Args:
        exchange: The request.
        specification: The API's specification.

    Returns:
        The places, each with what is wrong there if it lies in the body; none if the request was not generated.
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
