"""What is wrong with the signature of a request (RFC 9421): in form, in what was signed, how, with which key."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from conformance.diagnosis.declared import Declared, Old, declared, old_form
from conformance.diagnosis.digest import digest_parts
from conformance.diagnosis.draft import Draft, Surroundings, identifier
from conformance.diagnosis.form import Diagnosis, Explanation, Mistake, Part
from conformance.diagnosis.readings import readings, unreadable
from conformance.diagnosis.search import THOROUGH, Found, holds, search
from conformance.diagnosis.ways import KnownKey, algorithm_of, curve_name, half_size, ways
from conformance.exchange import Request
from conformance.standards.message_signatures import ALGORITHMS, SignatureRejected, component_value

__all__ = ["PLAIN", "Rules", "diagnose_request"]

_DERIVED = {"@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query", "@query-param"}
_MOST_SIGNATURES = 4
"""Signatures of one request that are explained."""
_DEFAULT_PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True)
class Rules:
    """What an API asks for beyond RFC 9421, and what is known of it.

    Args:
        algorithms: The algorithms that it allows; none for any.
        uncovered: Gives what a signature should cover and does not, of a request and what is covered.
        digest_required: Whether a body must have a Content-Digest.
        hosts: The hosts under which it is known.
        base_paths: The paths under which it is known to be served.
        templates: The paths of its operations.
    """

    algorithms: tuple[str, ...] = ()
    uncovered: Callable[[Request, Sequence[str]], Sequence[str]] | None = None
    digest_required: bool = False
    hosts: tuple[str, ...] = ()
    base_paths: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()


PLAIN = Rules()
"""Those of RFC 9421 alone."""


@dataclass(frozen=True)
class _Known:
    """What is known of one request besides: arguments of `diagnose_request`."""

    lines: tuple[tuple[str, str], ...]
    schemes: tuple[str, ...]
    hosts: tuple[str, ...]
    effort: int


def diagnose_request(
    request: Request,
    keys: Sequence[KnownKey],
    *,
    rules: Rules = PLAIN,
    lines: Sequence[tuple[str, str]] = (),
    schemes: Sequence[str] = (),
    hosts: Sequence[str] = (),
    effort: int = THOROUGH,
) -> Diagnosis:
    """Say what is wrong with the signatures of a request, and with the digest of its body.

    Args:
        request: The request as it was sent.
        keys: The public keys that may have signed; the one under whose id the signature says it was made is the right
            one, else the first.
        rules: What the API asks for.
        lines: The header lines with the white space around their values, where that is known.
        schemes: The schemes that the request may have been sent with, where it does not show.
        hosts: Further hosts that the request shows.
        effort: How long to look for two mistakes at once.
    """
    known = _Known(tuple(lines) or request.headers, tuple(schemes), tuple(hosts), effort)
    digest = digest_parts(request, required=rules.digest_required)
    found, wrong = declared(request.headers)
    old = old_form(request.headers)
    if old is not None and not any(each.components for each in found):
        return Diagnosis("request", (_old_part(old, request, keys), *digest))
    parts: list[Part] = []
    if wrong:
        parts.append(Part("signature", valid=False, explanations=(Explanation(tuple(wrong)),)))
    others = [each.signature for each in found]
    for number, each in enumerate(found[:_MOST_SIGNATURES]):
        rest = [content for at, content in enumerate(others) if at != number and content is not None]
        parts += _signature_parts(request, each, rest, keys, rules, known)
    return Diagnosis("request", (*parts, *digest))


def _signature_parts(
    request: Request,
    said: Declared,
    others: Sequence[bytes],
    keys: Sequence[KnownKey],
    rules: Rules,
    known: _Known,
) -> Iterator[Part]:
    name = f"signature {said.label}".rstrip()
    ordered = _ordered(keys, said.parameter("keyid"))
    form = [*said.mistakes, *_unknown_components(request, said)]
    signature: Part | None = None
    key = ordered[0] if ordered else None
    if said.signature is not None and ordered:
        drafts, around = _drafts(request, said, known.schemes), _surroundings(request, said, rules, known)
        found = _of_other_label(drafts, others, ordered[0], said) or search(
            drafts, around, said.signature, ordered, said.parameter("alg"), known.effort
        )
        key = found.key
        half = half_size(key.key)
        if found.reading is not None:
            form += found.reading.mistakes
        elif mistake := unreadable(said.signature, half, curve_name(key.key)):
            form.append(mistake)
        signature = Part(name, found.valid, found.explanations, found.expected)
    form += _algorithm(said, key, rules)
    if form:
        yield Part(f"form of {name}", valid=False, explanations=(Explanation(tuple(_once(form))),))
    if signature is not None:
        yield signature
    missing = rules.uncovered(request, said.components) if rules.uncovered else ()
    if missing:
        facts = {"missing": ", ".join(missing), "covered": ", ".join(said.components) or "nothing"}
        yield Part(f"coverage of {name}", valid=False, explanations=(Explanation((Mistake("not-covered", facts),)),))


def _once(mistakes: Sequence[Mistake]) -> list[Mistake]:
    return list({each.name: each for each in reversed(mistakes)}.values())[::-1]


def _ordered(keys: Sequence[KnownKey], key_id: str | None) -> list[KnownKey]:
    """The keys, the one that the signature names first."""
    return sorted(keys, key=lambda key: key_id not in key.ids)


def _of_other_label(drafts: Sequence[Draft], others: Sequence[bytes], key: KnownKey, said: Declared) -> Found | None:
    """What is found if the bytes under another label are the signature of this one, and its own are not."""
    declared = said.parameter("alg")
    if said.signature is None or not others or holds(drafts, said.signature, key, declared):
        return None
    reading = next(filter(None, (holds(drafts, content, key, declared) for content in others)), None)
    if reading is None:
        return None
    explanation = Explanation((Mistake("signature-of-other-label", {"label": said.label}),))
    return Found(valid=False, expected=drafts[0].text, reading=reading, key=key, explanations=(explanation,))


def _unknown_components(request: Request, said: Declared) -> Iterator[Mistake]:
    for component in dict.fromkeys(said.components):
        name = component.partition(";")[0]
        if said.components.count(component) > 1:
            yield Mistake("component-repeated", {"component": component})
        if name.startswith(("@", "(")):
            if name not in _DERIVED:
                yield Mistake("component-unknown", {"component": name, "known": ", ".join(sorted(_DERIVED))})
        elif request.header(name) is None:
            yield Mistake("covered-field-absent", {"field": name})


def _algorithm(said: Declared, key: KnownKey | None, rules: Rules) -> Iterator[Mistake]:
    named = said.parameter("alg")
    fitting = None if key is None else algorithm_of(key.key, named)
    kind = "" if key is None else curve_name(key.key)
    allowed = ", ".join(rules.algorithms)
    if named is not None and named not in ALGORITHMS:
        yield Mistake("algorithm-unknown", {"algorithm": named, "right": fitting or allowed or ", ".join(ALGORITHMS)})
    elif named is not None and key is not None and named != fitting:
        facts = {"algorithm": named, "key": key.name, "kind": kind, "right": fitting or "none of RFC 9421"}
        yield Mistake("algorithm-does-not-fit-key", facts)
    if rules.algorithms and key is not None and fitting not in rules.algorithms:
        facts = {"key": key.name, "kind": kind, "allowed": allowed}
        yield Mistake("key-of-other-kind", facts)
    elif rules.algorithms and key is None and named in ALGORITHMS and named not in rules.algorithms:
        yield Mistake("algorithm-not-allowed", {"algorithm": named, "allowed": allowed})


# ------------------------------------------------------------------------------------------------ what should be signed


def _drafts(request: Request, said: Declared, schemes: Sequence[str]) -> list[Draft]:
    """What should have been signed: once for each scheme that the request may have been sent with.

    Where Signature-Input is not in form, that is one mistake, whether the base was written rightly or as it is there.
    """
    draft = _draft(request, said)
    drafts = [draft, *(replace(draft, scheme=scheme) for scheme in schemes if scheme != draft.scheme)]
    if said.mistakes:
        as_listed = [replace(each, listing=said.listing) for each in drafts]
        named = [each.written(names=said.written, quote=said.quote) for each in as_listed]
        throughout = [each.written(params_name=f"{said.quote}@signature-params{said.quote}") for each in named]
        drafts += [*as_listed, *named, *throughout]
    return list({each.text: each for each in drafts}.values())


def _draft(request: Request, said: Declared) -> Draft:
    parts = urlsplit(request.url)
    found = re.fullmatch(r"(.*?)(?::(\d*))?", parts.netloc)
    host, port = (found[1].lower(), found[2]) if found else (parts.netloc, None)
    scheme = parts.scheme.lower()
    authority = host if not port or port.lstrip("0") == _DEFAULT_PORTS.get(scheme) else f"{host}:{port}"
    query = parts.query if parts.query or "?" in request.url else None
    components = tuple(dict.fromkeys(said.components))
    values = {
        each: _value(request, each)
        for each in components
        if not each.startswith("@") or each.startswith("@query-param")
    }
    return Draft(
        method=request.method,
        scheme=scheme,
        authority=authority,
        uri_authority=parts.netloc,
        path=parts.path,
        query=query,
        components=components,
        values=values,
        listing=f"({' '.join(map(identifier, said.components))})",
        parameters=said.parameters,
    )


def _value(request: Request, component: str) -> str:
    """The value of a header field, or of a parameter of the query; empty if it has none."""
    name, _, parameters = component.partition(";")
    if not parameters:
        lines = [value.strip() for each, value in request.headers if each.lower() == name]
        return ", ".join(re.sub(r"\r?\n[ \t]*", " ", line) for line in lines)
    try:
        return component_value(request.method.upper(), request.url, request.headers, component)
    except SignatureRejected:
        return ""


def _surroundings(request: Request, said: Declared, rules: Rules, known: _Known) -> Surroundings:
    return Surroundings(
        lines=known.lines,
        body=request.body,
        listed=said.listed,
        hosts=(*known.hosts, *rules.hosts),
        base_paths=rules.base_paths,
        templates=rules.templates,
    )


# --------------------------------------------------------------------------------------------------------- the old form


def _old_part(old: Old, request: Request, keys: Sequence[KnownKey]) -> Part:
    """What is said of a signature in the form that came before RFC 9421."""
    parts = urlsplit(request.url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    values = {name.lower(): request.header(name) or "" for name, _ in request.headers}
    values.setdefault("host", parts.netloc)
    base = old.base(request.method, target, values)
    mistakes = [Mistake("old-form", {"where": old.where})]
    content = old.signature
    fits = ""
    for key in keys if content is not None else ():
        for way in ways(key.key, None):
            for reading in readings(content or b"", half_size(key.key)):
                if not fits and way.verifies(base.encode(), reading.signature):
                    fits = base
                    mistakes += [*reading.mistakes, *([way.mistake] if way.mistake else [])]
    return Part("signature", valid=False, explanations=(Explanation(tuple(mistakes), fits),))
