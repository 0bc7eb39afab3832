"""What a client sends that no sentence forbids, and that is seldom meant: told as advice, which breaks no rule."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from urllib.parse import parse_qsl, unquote

from conformance.api import Api
from conformance.exchange import Exchange, Request, is_compressed
from conformance.specification import Operation, Specification
from conformance.standards.message_signatures import SignatureRejected, declared_signatures
from conformance.standards.signature_parameters import MILLISECONDS

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_EMPTY = {"undefined", "null", "None", "nil", "NaN", "[object Object]"}
_TEMPLATE = re.compile(r"\$?\{.*\}|:[A-Za-z]\w*|<.*>")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_SECRET = re.compile(r"(?i)(?:private|secret|api|signing)_?key|secret|password|passphrase|mnemonic|seed|token")
_COMMON = {"accept", "content-type", "content-length", "host", "user-agent", "content-digest"}
"""Header fields that no client sends because of one API."""


@dataclass(frozen=True)
class Advice:
    """What a client should look at, though it breaks no rule.

    Args:
        exchange: The id of the exchange that shows it.
        where: The place, such as ``request query``.
        text: What is there, what becomes of it, and what was probably meant.
    """

    exchange: str
    where: str
    text: str


def advice_on(exchange: Exchange, api: Api, others: Mapping[str, Api]) -> list[Advice]:
    """What a request shows.

    Args:
        exchange: The request with its answer, and the operation that it is for.
        api: The API that it was sent to.
        others: The other APIs that it can be mixed up with, by their names.
    """
    operation = _operations(api).get(exchange.operation or "")
    if operation is None:
        return []
    request = exchange.request
    found = [
        *_query(request, operation),
        *_empty_variables(exchange),
        *_headers(exchange, api, others),
        *_body(request),
        *_described(exchange, api),
        *_unknown_members(exchange, api),
        *_signature(request),
    ]
    return [Advice(exchange.id, where, text) for where, text in found]


def _query(request: Request, operation: Operation) -> Iterator[tuple[str, str]]:
    known = [parameter.name for parameter in operation.parameters if parameter.place == "query"]
    for name in dict.fromkeys(name for name, _ in parse_qsl(request.query, keep_blank_values=True)):
        if name in known:
            continue
        close = get_close_matches(name, known, n=1)
        meant = f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(known)}." if known else ""
        yield "request query", f"No document has the query name {name!r} for {operation.id}; it is passed over.{meant}"


def _empty_variables(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """What stands in a URL where a program put a variable that was empty, or that it should have replaced."""
    for name, value in exchange.parameters.items():
        if _is_placeholder(unquote(value)):
            yield (
                "request path",
                f"It has {unquote(value)!r} where the {name} should be; put the id there that the API gave.",
            )
    for name, value in parse_qsl(exchange.request.query):
        if _is_placeholder(value):
            yield "request query", f"{name} is {value!r}, as of a variable that was empty; put the value there."
        elif _ESCAPE.search(value):
            yield "request query", f"{name} has percent-encoding left once it is decoded, {value!r}; encode it once."
        elif value[:1] in {"[", "{"}:
            yield "request query", f"{name} is JSON, {value!r}; several values are joined by commas."


def _is_placeholder(value: str) -> bool:
    return value in _EMPTY or bool(_TEMPLATE.fullmatch(value))


def _described(exchange: Exchange, api: Api) -> Iterator[tuple[str, str]]:
    """Where a body departs from the description, of a request that breaks no rule; one that does is told by that."""
    request = exchange.request
    if not request.body or exchange.breaks or exchange.operation is None:
        return
    for each in _specification(api).request_problems(exchange.operation, "application/json", request.body):
        if not each.hides_all:
            yield f"request {each.pointer}", f"The API's description asks for {each.expected}, and it is {each.got}."


def _unknown_members(exchange: Exchange, api: Api) -> Iterator[tuple[str, str]]:
    """The members of a body that no document knows, of a request that breaks no rule."""
    if not exchange.request.body or exchange.breaks or exchange.operation is None:
        return
    known = _specification(api).request_members(exchange.operation)
    for name in exchange.request.members() if known else ():
        if name in known or name in _common_members(api):
            continue
        close = get_close_matches(name, known, n=1, cutoff=0.75)
        meant = f" Did you mean {close[0]!r}?" if close else ""
        secret = " It reads like a secret, which does not belong there." if _SECRET.search(name) else ""
        yield (
            f"request /{name}",
            f"No document has the member {name!r} for {exchange.operation}; it is passed over.{meant}{secret}",
        )


def _headers(exchange: Exchange, api: Api, others: Mapping[str, Api]) -> Iterator[tuple[str, str]]:
    sent = {name.lower(): name for name, _ in exchange.request.headers}
    own = _header_names(api)
    for other in others.values():
        for name in sorted(set(sent) & (_header_names(other) - own - _COMMON)):
            yield f"request header {sent[name]}", f"{other.title} has this header field, {api.title} does not read it."
    if (
        "authorization" in sent
        and api.secret_headers
        and not any(rule.endswith(".sends-key") for rule in exchange.breaks)
    ):
        key = api.secret_headers[0]
        yield "request header Authorization", f"{api.title} does not read it: the key belongs into {key}."


@cache
def _operations(api: Api) -> Mapping[str, Operation]:
    """The operations of an API by their ids."""
    return _specification(api).operations


@cache
def _common_members(api: Api) -> frozenset[str]:
    """The members that several operations have, and that others may have too for all that is said of them."""
    specification = _specification(api)
    found = Counter(name for each in specification.operations for name in specification.request_members(each))
    return frozenset(name for name, times in found.items() if times > 1)


@cache
def _specification(api: Api) -> Specification:
    return Specification.load(api.specification)


@cache
def _header_names(api: Api) -> frozenset[str]:
    """The names, in lower case, of the header fields that the documents of an API list for its requests."""
    described = {
        each.name.lower() for one in _operations(api).values() for each in one.parameters if each.place == "header"
    }
    return frozenset(described | {name.lower() for name in api.secret_headers})


def _body(request: Request) -> Iterator[tuple[str, str]]:
    kind = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    if request.body and kind in _FORMS:
        yield "request body", f"It is a form, {kind}; bodies are JSON, with Content-Type: application/json."
    if request.body and is_compressed(request):
        coding = request.header("Content-Encoding")
        yield "request body", f"It is compressed, {coding}; no document says that servers take that."


def _signature(request: Request) -> Iterator[tuple[str, str]]:
    try:
        declared = declared_signatures(request.headers)
    except SignatureRejected:
        return
    where = "request header Signature-Input"
    for said, _ in declared:
        if said.key_id is None:
            yield where, "It has no 'keyid'. A server that knows several keys cannot tell by which to verify it."
        if said.created is None:
            yield where, "It has no 'created'. RFC 9421, section 2.3, recommends it, and servers may insist on it."
        elif said.created > MILLISECONDS:
            yield where, "Its 'created' is in milliseconds; RFC 9421, section 2.3, has seconds."
