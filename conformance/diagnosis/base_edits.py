"""Mistakes in how the signature base is put together: line ends, quotes, order, the line of the parameters."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from urllib.parse import quote

from conformance.diagnosis.draft import Draft, Surroundings, identifier
from conformance.diagnosis.edits import Altered, Edits
from conformance.diagnosis.form import Mistake

EDITS = Edits()
"""The alterations of the base itself."""

_RFC_ORDER = ("created", "expires", "nonce", "alg", "keyid", "tag")
_FIRST = ("created", "keyid", "alg")
_MOST_PERMUTED = 5
_MOST_LINES = 20
"""Lines that are swapped or left out one by one; of more there would be too many texts."""
_MOST_ADDED = ("date", "content-type", "content-length", "content-digest", "idempotency-key", "authorization", "host")


@EDITS(0)
def _line_ends(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    yield Mistake("newline-after-base"), draft.written(ending="\n")
    yield Mistake("crlf-line-ends"), draft.written(separator="\r\n")


@EDITS(1)
def _other_line_ends(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    yield Mistake("crlf-line-ends"), draft.written(separator="\r\n", ending="\r\n")
    yield Mistake("crlf-after-base"), draft.written(ending="\r\n")
    yield Mistake("blank-after-base"), draft.written(ending=" ")
    for name, separator in (
        ("nothing", ""),
        ("a blank", " "),
        ("a backslash and the letter n", "\\n"),
        ("a comma", ","),
        ("a comma and a blank", ", "),
        ("a bar", "|"),
        ("a semicolon", ";"),
        ("a tab", "\t"),
    ):
        yield Mistake("lines-separated-otherwise", {"by": name}), draft.written(separator=separator)
    yield Mistake("lines-separated-otherwise", {"by": "an empty line"}), draft.written(separator="\n\n")


@EDITS(0)
def _params_line(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    yield Mistake("signature-params-left-out"), draft.written(params_line="absent")
    yield Mistake("signature-params-without-quotes"), draft.written(params_name="@signature-params")


@EDITS(1)
def _params_line_otherwise(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    yield Mistake("signature-params-first"), draft.written(params_line="first")
    yield Mistake("signature-params-alone"), draft.written(params_line="alone")
    yield Mistake("signature-params-left-out"), draft.written(params_line="absent", ending="\n")
    yield Mistake("signature-params-without-parameters"), replace(draft, parameters=())
    yield Mistake("signature-params-without-components"), replace(draft, listing="")
    yield Mistake("signature-params-without-components"), replace(draft, listing="()")
    for name in ("signature-input", "@signature-input"):
        yield Mistake("signature-params-as-signature-input"), draft.written(params_name=f'"{name}"')
    if around.listed and around.listed != draft.params:
        yield Mistake("signature-params-as-in-header", {"signed": around.listed}), _listed(draft, around.listed)


def _listed(draft: Draft, text: str) -> Draft:
    return replace(draft, listing=text, parameters=())


@EDITS(0)
def _names(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    yield Mistake("names-without-quotes"), draft.written(quote="", params_name="@signature-params")
    yield Mistake("names-without-quotes"), draft.written(quote="")
    as_sent = {name.lower(): name for name, _ in around.lines if name != name.lower()}
    found = {each: each.partition(";")[0] for each in draft.components if not each.startswith("@")}
    capitals = {component: as_sent.get(name, name.title()) for component, name in found.items()}
    if capitals:
        yield from _capitals(draft, capitals)
        titled = {component: name.title() for component, name in found.items()}
        if titled != capitals:
            yield from _capitals(draft, titled)


def _capitals(draft: Draft, names: dict[str, str]) -> Iterator[Altered]:
    mistake = Mistake("names-in-upper-case", {"names": ", ".join(names.values())})
    written = draft.written(names={**draft.writing.names, **names})
    yield mistake, written
    listing = draft.listing
    for component, name in names.items():
        listing = listing.replace(f'"{component.partition(";")[0]}"', f'"{name}"')
    yield mistake, replace(written, listing=listing)


@EDITS(1)
def _derived_names(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    yield Mistake("names-in-single-quotes"), draft.written(quote="'", params_name="'@signature-params'")
    bare = {each: each[1:].partition(";")[0] for each in draft.components if each.startswith("@")}
    if bare:
        yield Mistake("names-without-at"), draft.written(names={**draft.writing.names, **bare})


@EDITS(0)
def _colons(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    yield Mistake("colon-without-blank"), draft.written(colon=":")


@EDITS(1)
def _other_colons(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    for colon in (" : ", " :", ":  ", ":\t", "=", " "):
        yield Mistake("other-than-colon", {"signed": colon}), draft.written(colon=colon)


# ------------------------------------------------------------------------------------------------------------ the order


def _ordered(draft: Draft, components: Sequence[str]) -> Iterator[Altered]:
    if tuple(components) != draft.components:
        mistake = Mistake("components-in-other-order", {"signed": ", ".join(components)})
        yield mistake, replace(draft, components=tuple(components))


def _listing(draft: Draft, components: Sequence[str]) -> str:
    return f"({' '.join(map(identifier, components))})" if len(components) == len(draft.components) else draft.listing


@EDITS(0)
def _order(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    sent = [name.lower() for name, _ in around.lines]

    def place(component: str) -> tuple[bool, int]:
        name = component.partition(";")[0]
        return not name.startswith("@"), sent.index(name) if name in sent else -1

    for order in (sorted(draft.components), draft.components[::-1], sorted(draft.components, key=place)):
        yield from _ordered(draft, order)


@EDITS(1)
def _swapped(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    components = draft.components
    for at in range(len(components) - 1 if len(components) <= _MOST_LINES else 0):
        yield from _ordered(draft, (*components[:at], components[at + 1], components[at], *components[at + 2 :]))
    for order in (sorted(components), components[::-1]):
        for mistake, other in _ordered(draft, order):
            yield mistake, replace(other, listing=_listing(draft, order))


@EDITS(2)
def _any_order(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    if len(draft.components) <= _MOST_PERMUTED:
        for order in permutations(draft.components):
            yield from _ordered(draft, order)


@EDITS(1)
def _lines_left_out(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    for component in draft.components[:_MOST_LINES]:
        rest = tuple(each for each in draft.components if each != component)
        mistake = Mistake("line-left-out", {"component": component})
        yield mistake, replace(draft, components=rest)
        if len(draft.components) > 1:
            yield mistake, replace(draft, components=rest, listing=f"({' '.join(map(identifier, rest))})")


@EDITS(2)
def _lines_added(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    derived = ("@method", "@path", "@query", "@authority", "@scheme", "@target-uri", "@request-target")
    names = [*derived, *(name for name in _MOST_ADDED if around.sent(name))]
    for name in names:
        if name in draft.components:
            continue
        value = draft.value(name) if name.startswith("@") else ", ".join(map(str.strip, around.sent(name)))
        more = draft.with_value(name, value)
        mistake = Mistake("line-added", {"component": name})
        yield mistake, replace(more, components=(*draft.components, name))
        listing = f"{draft.listing[:-1]} {identifier(name)})"
        yield mistake, replace(more, components=(*draft.components, name), listing=listing)


# ------------------------------------------------------------------------------------------------------- the parameters


@EDITS(0)
def _parameter_order(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    def place(parameter: tuple[str, str | None]) -> int:
        return _RFC_ORDER.index(parameter[0]) if parameter[0] in _RFC_ORDER else len(_RFC_ORDER)

    given = draft.parameters
    first = [
        [each for each in given if each[0] == name] + [each for each in given if each[0] != name] for name in _FIRST
    ]
    for order in (sorted(given, key=lambda each: each[0]), sorted(given, key=place), given[::-1], *first):
        yield from _reordered(draft, order)


@EDITS(2)
def _any_parameter_order(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    if len(draft.parameters) <= _MOST_PERMUTED:
        for order in permutations(draft.parameters):
            yield from _reordered(draft, order)


def _reordered(draft: Draft, order: Sequence[tuple[str, str | None]]) -> Iterator[Altered]:
    if tuple(order) != draft.parameters:
        signed, sent = (", ".join(name for name, _ in each) for each in (order, draft.parameters))
        facts = {"signed": signed, "sent": sent}
        yield Mistake("parameters-in-other-order", facts), replace(draft, parameters=tuple(order))


@EDITS(0)
def _parameters_left_out(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    for parameter in draft.parameters:
        rest = tuple(each for each in draft.parameters if each != parameter)
        yield Mistake("parameter-left-out", {"parameter": parameter[0]}), replace(draft, parameters=rest)


@EDITS(1)
def _parameters_added(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    if all(name != "alg" for name, _ in draft.parameters):
        for algorithm in ("ecdsa-p384-sha384", "ecdsa-p256-sha256", "ed25519", "rsa-pss-sha512", "rsa-v1_5-sha256"):
            added = ("alg", f'"{algorithm}"')
            for parameters in ((*draft.parameters, added), (added, *draft.parameters)):
                yield Mistake("parameter-added", {"parameter": "alg"}), replace(draft, parameters=parameters)


@EDITS(1)
def _parameter_values(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    for at, (name, value) in enumerate(draft.parameters):
        others: list[tuple[str, str]] = []
        if value is not None and name in {"created", "expires"} and re.fullmatch(r"\d{1,15}", value):
            others += [("parameter-altered", str(int(value) + by)) for by in (-1, 1, -2, 2)]
            others += [("parameter-altered", f"{value}000"), ("parameter-quoted-otherwise", f'"{value}"')]
            if len(value) > 12:  # noqa: PLR2004  (milliseconds have thirteen digits)
                others += [("parameter-altered", value[:-3])]
        elif value is not None and value.startswith('"'):
            others += [("parameter-quoted-otherwise", value.strip('"'))]
            if value != value.lower():
                others += [("parameter-altered", value.lower())]
        for mistake, other in others:
            parameters = (*draft.parameters[:at], (name, other), *draft.parameters[at + 1 :])
            facts = {"parameter": name, "signed": other, "sent": value or ""}
            yield Mistake(mistake, facts), replace(draft, parameters=parameters)


@EDITS(1)
def _parameter_spacing(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    for name, text in (
        ("blanks", re.sub(";", "; ", draft.params)),
        ("commas", draft.listing.replace(" ", ", ") + draft.params[len(draft.listing) :]),
        ("a label", f"sig={draft.params}"),
        ("a label", f"sig1={draft.params}"),
    ):
        if text != draft.params:
            yield Mistake("signature-params-with-more", {"more": name, "signed": text}), _listed(draft, text)
    if not draft.listing.startswith("("):
        return
    bare = draft.listing.replace('"', "")
    if bare != draft.listing:
        facts = {"signed": bare}
        yield Mistake("listed-names-without-quotes", facts), replace(draft, listing=bare)


# ------------------------------------------------------------------------------------------------ another text at all


@EDITS(1)
def _other_texts(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    headers = {name.lower(): value.strip() for name, value in around.lines}
    old = [f"(request-target): {draft.method.lower()} {draft.value('@request-target')}"]
    names = [each for each in draft.components if not each.startswith("@")]
    if draft.covers("@authority"):
        names.insert(0, "host")
    old += [f"{name}: {headers.get(name, draft.value(name))}" for name in names]
    yield Mistake("old-signing-string"), replace(draft, instead="\n".join(old))
    body = around.body.decode("utf-8", "surrogateescape")
    if body:
        yield Mistake("body-signed"), replace(draft, instead=body)
    target, created = draft.value("@request-target"), dict(draft.parameters).get("created") or ""
    for parts in ((created, draft.method, target, body), (draft.method, target, body), (created, body)):
        for separator in ("", "\n", "."):
            joined = separator.join(parts)
            if joined and joined != body:
                yield Mistake("own-text-signed", {"signed": joined[:80]}), replace(draft, instead=joined)


@EDITS(2)
def _whole_text(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    del around
    text = draft.text
    yield Mistake("base-in-lower-case"), replace(draft, instead=text.lower())
    yield Mistake("newline-before-base"), replace(draft, instead=f"\n{text}")
    before, _, last = text.rpartition("\n")
    yield (
        Mistake("lines-separated-otherwise", {"by": "an empty line at last"}),
        replace(draft, instead=f"{before}\n\n{last}"),
    )
    yield Mistake("base-percent-encoded"), replace(draft, instead=quote(text, errors="surrogateescape"))
    yield Mistake("base-as-json-string"), replace(draft, instead=json.dumps(text))
