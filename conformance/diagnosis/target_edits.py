"""Mistakes in the method and the target: another host or port, a path without its mount, a query in other escapes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from urllib import parse
from urllib.parse import parse_qsl, unquote, unquote_plus

from conformance.diagnosis.draft import Draft, Surroundings
from conformance.diagnosis.edits import Altered, Edits
from conformance.diagnosis.form import Mistake

EDITS = Edits()
"""The alterations of method and target."""

_quote = partial(parse.quote, errors="surrogateescape")
_quote_plus = partial(parse.quote_plus, errors="surrogateescape")
_urlencode = partial(parse.urlencode, errors="surrogateescape")

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_DEFAULT_PORTS = {"http": "80", "https": "443"}
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")  # noqa: S104  (names that are compared)
_OTHER_PORTS = ("80", "443", "8080", "8443", "3000", "4000", "5000", "8000", "9000")
_DEVELOPERS_PORTS = ("8080", "3000", "8000")
"""Where clients and servers are usually served that are being worked on."""
_MOST_PARAMETERS = 20
"""Parameters of a query that are left out one by one; of more there would be too many texts."""
_MOUNTS = ("/v1", "/v2", "/api", "/api/v1")
_PARTS_OF_HOSTS = ("sandbox", "api", "www", "staging", "dev", "test")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


def _at(draft: Draft, authority: str) -> Draft:
    """The draft for another host and port."""
    values = {**draft.values, "host": authority} if "host" in draft.values else draft.values
    return replace(draft, authority=authority, uri_authority=authority, values=values)


def _host_and_port(authority: str) -> tuple[str, str]:
    found = re.fullmatch(r"(.*?)(?::(\d+))?", authority)
    return (found[1], found[2] or "") if found else (authority, "")


@EDITS(0)
def _method_case(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    lower = draft.method.lower()
    yield Mistake("method-in-lower-case", {"signed": lower, "sent": draft.method}), replace(draft, method=lower)


@EDITS(1)
def _method(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    for other in (draft.method.capitalize(), *_METHODS):
        if other != draft.method:
            yield Mistake("other-method", {"signed": other, "sent": draft.method}), replace(draft, method=other)


@EDITS(0)
def _scheme(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    other = "http" if draft.scheme == "https" else "https"
    yield Mistake("other-scheme", {"signed": other, "sent": draft.scheme}), replace(draft, scheme=other)


@EDITS(0)
def _known_host(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    host, port = _host_and_port(draft.authority)
    others = [*around.sent("Host"), *around.hosts]
    if host in _LOOPBACK:
        others += [f"{name}:{port}" if port else name for name in _LOOPBACK]
    for other in dict.fromkeys(map(str.strip, others)):
        if other != draft.authority:
            yield _other_host(draft, other)


@EDITS(1)
def _guessed_host(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    host, port = _host_and_port(draft.authority)
    suffix, labels = f":{port}" if port else "", host.split(".")
    guesses = [".".join(labels[:at] + labels[at + 1 :]) for at in range(len(labels) - 2)]
    guesses += [".".join([part, *labels]) for part in _PARTS_OF_HOSTS]
    guesses += [".".join([labels[0], part, *labels[1:]]) for part in _PARTS_OF_HOSTS]
    if host not in _LOOPBACK:
        guesses += _LOOPBACK[:2]
        for name in ("X-Forwarded-Host", "Origin", "Referer"):
            guesses += [re.sub(r"^\w+://|/.*$", "", value.strip()) for value in around.sent(name)]
    for guess in dict.fromkeys(guesses):
        yield _other_host(draft, guess + suffix)
    if draft.uri_authority != draft.authority:
        facts = {"signed": draft.uri_authority, "right": draft.authority}
        yield Mistake("authority-not-normalised", facts), replace(draft, authority=draft.uri_authority)
    if draft.authority != draft.authority.upper():
        yield _other_host(draft, host.upper() + suffix)


def _other_host(draft: Draft, authority: str) -> Altered:
    signed, sent = _host_and_port(authority), _host_and_port(draft.authority)
    if signed[0] == sent[0] and signed[1] != sent[1]:
        return _other_port(draft, signed[1])
    return Mistake("other-host", {"signed": authority, "sent": draft.authority}), _at(draft, authority)


def _other_port(draft: Draft, port: str) -> Altered:
    host, own = _host_and_port(draft.authority)
    authority = f"{host}:{port}" if port else host
    if not port:
        return Mistake("port-left-out", {"signed": authority, "sent": draft.authority}), _at(draft, authority)
    if not own and port == _DEFAULT_PORTS.get(draft.scheme):
        return Mistake("default-port-signed", {"signed": authority, "right": host}), _at(draft, authority)
    return Mistake("other-port", {"signed": authority, "sent": draft.authority}), _at(draft, authority)


@EDITS(1)
def _base_url(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    """Scheme, host and base path of another place at which the API is, as of another environment."""
    starts = [at for at in (0, *_segments(draft.path)) if re.match(r"/v\d", draft.path[at:])][:1]
    bases = [("https", host) for host in around.hosts]
    bases += [("http", f"{name}:{port}") for name in _LOOPBACK[:2] for port in _DEVELOPERS_PORTS]
    for scheme, authority in bases:
        for path in dict.fromkeys((draft.path, *(draft.path[at:] for at in starts))):
            differing = (scheme != draft.scheme) + (authority != draft.authority) + (path != draft.path)
            if differing > 1 and authority != draft.authority:
                signed = f"{scheme}://{authority}{path}"
                facts = {"signed": signed, "sent": f"{draft.scheme}://{draft.authority}{draft.path}"}
                yield (
                    Mistake("other-base-url", facts),
                    replace(_at(draft, authority), scheme=scheme, path=path),
                )


@EDITS(0)
def _port(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    port = _host_and_port(draft.authority)[1]
    yield _other_port(draft, "" if port else _DEFAULT_PORTS.get(draft.scheme, "443"))


@EDITS(2)
def _guessed_port(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    host, port = _host_and_port(draft.authority)
    for other in _OTHER_PORTS:
        if other != port:
            yield _other_port(draft, other)
    if port:
        yield from (_other_host(draft, name) for name in _LOOPBACK if name != host)


# ------------------------------------------------------------------------------------------------------------- the path


def _with_path(draft: Draft, path: str, name: str, **facts: str) -> Altered:
    return Mistake(name, {"signed": path, "sent": draft.path, **facts}), replace(draft, path=path)


@EDITS(0)
def _base_path_left_out(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    for at in _segments(draft.path):
        left_out = draft.path[:at]
        if left_out in around.base_paths or re.match(r"/v\d", draft.path[at:]) or at == _segments(draft.path)[0]:
            yield _with_path(draft, draft.path[at:], "base-path-left-out", base=left_out)


@EDITS(1)
def _base_path(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    for at in _segments(draft.path)[1:4]:
        yield _with_path(draft, draft.path[at:], "base-path-left-out", base=draft.path[:at])
    for base in (*around.base_paths, *_MOUNTS):
        yield _with_path(draft, base + draft.path, "base-path-added", base=base)
    starts = [*_segments(draft.path), len(draft.path)]
    for at, end in pairwise(starts):
        yield _with_path(draft, draft.path[:at] + draft.path[end:], "segment-left-out", segment=draft.path[at:end])


def _segments(path: str) -> list[int]:
    """Where the segments of a path begin, but for the first."""
    return [at for at in range(1, len(path) - 1) if path[at] == "/"]


@EDITS(0)
def _slash(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    if draft.path.endswith("/") and len(draft.path) > 1:
        yield _with_path(draft, draft.path.rstrip("/"), "trailing-slash-left-out")
    elif draft.path not in {"", "/"}:
        yield _with_path(draft, f"{draft.path}/", "trailing-slash-added")


@EDITS(0)
def _more_as_path(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    if draft.covers("@path"):
        if draft.query is not None:
            both = draft.value("@request-target")
            yield Mistake("query-in-path", {"signed": both}), draft.with_value("@path", both)
        whole = draft.value("@target-uri")
        yield Mistake("url-as-path", {"signed": whole}), draft.with_value("@path", whole)


@EDITS(1)
def _path_spelling(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    path = draft.path
    for other in dict.fromkeys(
        (
            unquote(path),
            _quote(unquote(path)),
            _quote(unquote(path), safe="/:@!$&'()*+,;=~"),
            _quote(path),
            _ESCAPE.sub(lambda found: found[0].lower(), path),
            _ESCAPE.sub(lambda found: found[0].upper(), path),
            re.sub(r"/{2,}", "/", path),
            path.lower(),
        )
    ):
        if other != path:
            yield _with_path(draft, other, "path-spelled-otherwise")
    if len(path) > 1:
        yield Mistake("path-without-first-slash", {"signed": path[1:]}), draft.with_value("@path", path[1:])
    for template in around.templates:
        pattern = re.sub(r"\\\{[^/]*?\\\}", "[^/]+", re.escape(template))
        if "{" in template and (found := re.fullmatch(f"(.*?){pattern}", path)):
            yield _with_path(draft, found[1] + template, "template-as-path")


# ------------------------------------------------------------------------------------------------------------ the query


@EDITS(0)
def _query_left_out(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    if draft.query:
        yield Mistake("query-left-out", {"sent": f"?{draft.query}"}), replace(draft, query=None)
        if draft.covers("@query"):
            components = tuple(each for each in draft.components if each != "@query")
            yield Mistake("query-left-out", {"sent": f"?{draft.query}"}), replace(draft, components=components)


@EDITS(0)
def _query_form(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    if draft.covers("@query"):
        bare = draft.query or ""
        yield Mistake("query-without-question-mark", {"signed": bare}), draft.with_value("@query", bare)


@EDITS(0)
def _query_escapes(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    query = draft.query or ""
    yield from _queries(draft, unquote(query), query.replace("+", "%20"), query.replace("%20", "+"), _requoted(query))


@EDITS(1)
def _query_spelling(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    query = draft.query or ""
    pairs = query.split("&")
    parsed = parse_qsl(query, keep_blank_values=True)
    yield from _queries(
        draft,
        unquote_plus(query),
        _urlencode(parsed, quote_via=parse.quote),
        _ESCAPE.sub(lambda found: found[0].lower(), query),
        _ESCAPE.sub(lambda found: found[0].upper(), query),
        _quote(query, safe="=&"),
        _quote(query, safe="=&+%"),
        _quote(unquote(query), safe="=&"),
        _quote(unquote_plus(query), safe="=&/:?@!$'()*,;~"),
        query.lower(),
    )
    for name, other in (
        ("query-sorted", "&".join(sorted(pairs))),
        ("query-reversed", "&".join(reversed(pairs))),
        ("query-without-empty-values", "&".join(pair for pair in pairs if not pair.endswith("=") and "=" in pair)),
        ("query-with-equals-signs", "&".join(pair if "=" in pair else f"{pair}=" for pair in pairs)),
        ("query-without-equals-signs", "&".join(pair.rstrip("=") for pair in pairs)),
    ):
        if draft.query is not None and other != query:
            yield Mistake(name, {"signed": f"?{other}", "sent": f"?{query}"}), replace(draft, query=other)
    if draft.query is None:
        yield Mistake("empty-query-signed"), replace(draft, query="")
    if not query and draft.query is not None:
        yield Mistake("empty-query-left-out"), replace(draft, query=None)
    for at in range(len(pairs) if 1 < len(pairs) <= _MOST_PARAMETERS else 0):
        facts = {"left_out": pairs[at]}
        yield Mistake("query-parameter-left-out", facts), replace(draft, query="&".join(pairs[:at] + pairs[at + 1 :]))


def _requoted(query: str) -> str:
    return _urlencode(parse_qsl(query, keep_blank_values=True), quote_via=parse.quote_plus)


def _queries(draft: Draft, *others: str) -> Iterator[Altered]:
    for other in dict.fromkeys(others):
        if draft.query is not None and other != draft.query:
            facts = {"signed": f"?{other}", "sent": f"?{draft.query}"}
            yield Mistake("query-encoded-otherwise", facts), replace(draft, query=other)


@EDITS(1)
def _query_parameters(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    for component in draft.components:
        if component.startswith("@query-param"):
            value = draft.value(component)
            for other in dict.fromkeys((unquote(value), _quote_plus(unquote(value)))):
                if other != value:
                    facts = {"component": component, "signed": other, "right": value}
                    yield Mistake("query-parameter-encoded-otherwise", facts), draft.with_value(component, other)


@EDITS(1)
def _as_a_url_object_has_it(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    """What the members `protocol` and `origin` of a URL in JavaScript hold, and a scheme with what follows it."""
    if draft.covers("@scheme"):
        for other in (f"{draft.scheme}:", f"{draft.scheme}://", draft.scheme.upper()):
            yield (
                Mistake("scheme-written-otherwise", {"signed": other, "right": draft.scheme}),
                draft.with_value("@scheme", other),
            )
    if draft.covers("@authority"):
        for origin in (f"{draft.scheme}://{draft.authority}", f"https://{draft.authority}"):
            facts = {"signed": origin, "right": draft.authority}
            yield Mistake("origin-as-authority", facts), draft.with_value("@authority", origin)


@EDITS(1)
def _part_of_target(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    if draft.covers("@target-uri"):
        for other in (draft.value("@request-target"), draft.path, draft.value("@target-uri").partition("://")[2]):
            yield Mistake("part-as-target-uri", {"signed": other}), draft.with_value("@target-uri", other)
    if draft.covers("@request-target"):
        old = f"{draft.method.lower()} {draft.value('@request-target')}"
        yield Mistake("method-in-request-target", {"signed": old}), draft.with_value("@request-target", old)
        whole = draft.value("@target-uri")
        yield Mistake("url-as-request-target", {"signed": whole}), draft.with_value("@request-target", whole)
