"""What Signature-Input and Signature say, read as generously as can be, and in what they are not in form."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.diagnosis.draft import split_parameters
from conformance.diagnosis.form import Mistake

__all__ = ["Declared", "Old", "declared", "old_form"]

_MEMBER = re.compile(
    r"(?:(?P<label>[A-Za-z*][\w.*-]*)\s*=\s*)?"
    r"\((?P<list>(?:\"[^\"]*\"|[^)\"])*)\)"
    r"(?P<parameters>(?:\s*;\s*[\w.*-]+(?:=(?:\"(?:[^\"\\]|\\.)*\"|[^;,\s]*))?)*)"
)
_ITEM = re.compile(
    r"(?P<quote>[\"']?)(?P<name>@?[^\s\"',;]+)(?P=quote)(?P<parameters>(?:;[\w.*-]+(?:=(?:\"[^\"]*\"|[^\s;,\"]*))?)*)"
)
_LABELLED = re.compile(r"([A-Za-z*][\w.*-]{0,63})=(?=[:\"'A-Za-z0-9+/_-])(.+)", re.DOTALL)
_OLD_PARAMETER = re.compile(r'([A-Za-z]+)\s*=\s*(?:"([^"]*)"|(\d+))')
_HEX = re.compile(r"(?:0[xX])?(?:[0-9a-fA-F]{2}){32,}")
_MILLISECONDS = 10**11
"""From this number on, a time in seconds would lie in the year 5138, so that it is one in milliseconds."""
_LONGEST_INPUT = 8 * 1024
"""Characters of Signature-Input that are read; in a longer one the search for its parts would take too long."""
_NUMBERS, _TEXTS = {"created", "expires"}, {"keyid", "alg", "nonce", "tag"}


@dataclass(frozen=True)
class Declared:
    """One signature as the two fields have it.

    Args:
        label: Its label.
        components: The identifiers of the covered components, in small letters, without the quotes around the name.
        written: Names that are written otherwise than they should be, by the identifiers of their components.
        quote: What stands on each side of a name.
        listing: The list of components as it is written, with its parentheses.
        parameters: Names and values of the parameters as they are written.
        signature: The bytes of the signature; None if there are none that can be read.
        mistakes: In what the fields are not in form.
        listed: All that follows the label in Signature-Input, as it is written.
    """

    label: str
    components: tuple[str, ...]
    written: Mapping[str, str]
    quote: str
    listing: str
    parameters: tuple[tuple[str, str | None], ...]
    signature: bytes | None
    mistakes: tuple[Mistake, ...] = ()
    listed: str = ""

    def parameter(self, name: str) -> str | None:
        """The value of a parameter without its quotes, None if it is not there."""
        value = next((value for each, value in self.parameters if each == name), None)
        return None if value is None else value.strip('"')


def declared(headers: Sequence[tuple[str, str]]) -> tuple[list[Declared], list[Mistake]]:
    """The signatures of a request, and what is wrong with its two fields as a whole.

    Args:
        headers: Names and values of all header fields.
    """
    inputs = list(_inputs(_joined(headers, "Signature-Input")[:_LONGEST_INPUT]))
    signatures = _signatures(_joined(headers, "Signature"))
    if not inputs and not signatures:
        return [], [Mistake("unsigned")]
    if not inputs:
        return [], [Mistake("signature-input-missing")]
    if not signatures:
        return [_paired(each, None, ()) for each in inputs], [Mistake("signature-missing")]
    wrong: list[Mistake] = []
    by_label = {label: (content, mistakes) for label, content, mistakes in signatures}
    labels = [each.label for each in inputs]
    if len(set(labels)) < len(labels):
        wrong.append(Mistake("label-used-twice", {"label": max(labels, key=labels.count)}))
    left = [each for each in signatures if each[0] not in labels]
    found = []
    for each in inputs:
        if each.label in by_label:
            found.append(_paired(each, *by_label[each.label]))
            continue
        if not left:
            found.append(_paired(each, None, (Mistake("no-signature-under-label", {"label": each.label}),)))
            continue
        label, content, mistakes = left.pop(0)
        if label:
            facts = {"input": each.label or "none", "signature": label}
            mistakes = (Mistake("labels-differ", facts), *mistakes)
        found.append(_paired(each, content, mistakes))
    return found, wrong


def _paired(read: Declared, content: bytes | None, mistakes: Sequence[Mistake]) -> Declared:
    return replace(read, signature=content, mistakes=(*read.mistakes, *mistakes))


def _joined(headers: Sequence[tuple[str, str]], name: str) -> str:
    return ", ".join(value.strip() for each, value in headers if each.lower() == name.lower())


def _inputs(text: str) -> Iterator[Declared]:
    for found in _MEMBER.finditer(text):
        label, listed = found["label"] or "", found["list"]
        items = list(_ITEM.finditer(listed))
        components = tuple(f"{item['name'].lower()}{item['parameters']}" for item in items)
        pairs = zip(components, items, strict=True)
        written = {component: item["name"] for component, item in pairs if not component.startswith(item["name"])}
        quotes = {item["quote"] for item in items} or {'"'}
        parameters = split_parameters(found["parameters"])
        mistakes = (*_of_label(label), *_of_items(listed, items), *_of_parameters(parameters))
        raw = f"({listed}){found['parameters']}"
        yield Declared(label, components, written, min(quotes), f"({listed})", parameters, None, mistakes, raw)


def _of_label(label: str) -> Iterator[Mistake]:
    if not label:
        yield Mistake("label-missing")
    elif label != label.lower():
        yield Mistake("label-in-upper-case", {"label": label})


def _of_items(listed: str, items: Sequence[re.Match[str]]) -> Iterator[Mistake]:
    outside = re.sub(r'"[^"]*"', "", listed)
    names = ", ".join(item["name"] for item in items if item["name"] != item["name"].lower())
    if names:
        yield Mistake("component-names-in-upper-case", {"names": names})
    bare = ", ".join(item["name"] for item in items if item["quote"] != '"')
    if bare:
        yield Mistake("component-names-without-quotes", {"names": bare})
    if "," in outside:
        yield Mistake("components-with-commas")


def _of_parameters(parameters: Sequence[tuple[str, str | None]]) -> Iterator[Mistake]:
    for name, value in parameters:
        bare = (value or "").strip('"')
        if name in _NUMBERS:
            if value is not None and value.startswith('"'):
                yield Mistake("time-in-quotes", {"parameter": name, "value": bare})
            if re.fullmatch(r"\d+", bare) and int(bare) >= _MILLISECONDS:
                yield Mistake("time-in-milliseconds", {"parameter": name, "value": bare, "seconds": bare[:-3]})
            elif not re.fullmatch(r"-?\d+", bare):
                yield Mistake("time-is-no-integer", {"parameter": name, "value": bare})
        elif name in _TEXTS and (value is None or not value.startswith('"')):
            yield Mistake("parameter-without-quotes", {"parameter": name, "value": bare})
        elif name.lower() in _NUMBERS | _TEXTS and name != name.lower():
            yield Mistake("parameter-name-in-upper-case", {"parameter": name, "right": name.lower()})


# ------------------------------------------------------------------------------------------------- the field Signature


def _signatures(text: str) -> list[tuple[str, bytes | None, tuple[Mistake, ...]]]:
    members = (part.strip() for part in text.split(","))
    return [_signature(member) for member in members if member]


def _signature(member: str) -> tuple[str, bytes | None, tuple[Mistake, ...]]:
    found = _LABELLED.fullmatch(member)
    label, value = (found[1], found[2]) if found else ("", member)
    mistakes = [] if label else [Mistake("signature-without-label")]
    value = value.partition(";")[0].strip()
    if re.fullmatch(r":[^:]*:", value):
        value = value[1:-1]
    else:
        quoted = re.fullmatch(r"([\"'])(.*)\1", value, re.DOTALL)
        mistakes.append(Mistake("signature-in-quotes" if quoted else "signature-without-colons"))
        value = (quoted[2] if quoted else value).strip(":")
    content, wrong = _content(value)
    return label, content, (*mistakes, *wrong)


def _content(text: str) -> tuple[bytes | None, list[Mistake]]:
    bare = "".join(text.split())
    wrong = [] if bare == text else [Mistake("signature-with-white-space")]
    if _HEX.fullmatch(bare):
        return bytes.fromhex(bare.removeprefix("0x").removeprefix("0X")), [*wrong, Mistake("signature-in-hex")]
    if set(bare) & set("-_"):
        wrong.append(Mistake("signature-in-base64url"))
        bare = bare.replace("-", "+").replace("_", "/")
    stripped = bare.rstrip("=")
    if len(bare) % 4:
        wrong.append(Mistake("signature-without-padding"))
    try:
        return base64.b64decode(stripped + "=" * (-len(stripped) % 4), validate=True), wrong
    except (binascii.Error, ValueError):
        return None, [*wrong, Mistake("signature-unreadable", {"text": text[:60]})]


# -------------------------------------------------------------------------------------------------------- the old form


@dataclass(frozen=True)
class Old:
    """A signature in the form of draft-cavage-http-signatures, which came before RFC 9421.

    Args:
        headers: The names of what is covered, in order.
        parameters: The parameters by name.
        signature: The bytes of the signature, None if there are none.
        where: The field in which it stands.
    """

    headers: tuple[str, ...]
    parameters: dict[str, str]
    signature: bytes | None
    where: str

    def base(self, method: str, target: str, values: dict[str, str]) -> str:
        """The text that is signed (draft-cavage-http-signatures-12, section 2.3).

        Args:
            method: The method.
            target: Path and query.
            values: The values of the header fields by their names in small letters.
        """
        special = {
            "(request-target)": f"{method.lower()} {target}",
            "(created)": self.parameters.get("created", ""),
            "(expires)": self.parameters.get("expires", ""),
        }
        return "\n".join(f"{name}: {special.get(name, values.get(name, ''))}" for name in self.headers)


def old_form(headers: Sequence[tuple[str, str]]) -> Old | None:
    """The signature in the older form, None if there is none."""
    for name, value in headers:
        if name.lower() == "authorization" and value.lower().lstrip().startswith("signature "):
            text = value.strip()[len("signature ") :]
        elif name.lower() == "signature":
            text = value
        else:
            continue
        parameters = {found[1]: found[2] or found[3] or "" for found in _OLD_PARAMETER.finditer(text)}
        if "keyId" in parameters and "signature" in parameters:
            covered = parameters.get("headers", "(created)" if "created" in parameters else "date").lower().split()
            content, _ = _content(parameters["signature"])
            return Old(tuple(covered), parameters, content, name)
    return None
