"""Mistakes in the values of covered header fields: altered on the way, written with other blanks, or another line."""

import re
from collections.abc import Iterator
from functools import lru_cache

from conformance.diagnosis.bodies import lookalikes
from conformance.diagnosis.draft import Draft, Surroundings
from conformance.diagnosis.edits import Altered, Edits
from conformance.diagnosis.form import Mistake
from conformance.standards.digest_fields import ALGORITHMS, content_digest

EDITS = Edits()
"""The alterations of header fields."""

_JSON_TYPES = (
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=utf-8",
    "application/json; charset=UTF-8",
    "application/json;charset=UTF-8",
)


def _fields(draft: Draft) -> list[tuple[str, str]]:
    """The covered header fields that are covered whole, with their values."""
    return [(each, draft.value(each)) for each in draft.components if not each.startswith("@") and ";" not in each]


def _field(draft: Draft, name: str, mistake: str, component: str, value: str) -> Altered:
    facts = {"field": name, "signed": value, "sent": draft.value(component)}
    return Mistake(mistake, facts), draft.with_value(component, value)


@EDITS(0)
def _spacing(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    for name, value in _fields(draft):
        sent = around.sent(name)
        raw = ", ".join(sent)
        if raw != value:
            folded = any("\n" in line for line in sent)
            yield _field(draft, name, "field-folded" if folded else "field-with-white-space", name, raw)
            if folded:
                yield _field(draft, name, "field-folded", name, re.sub(r"\r?\n[ \t]*", "", raw).strip())
                yield _field(draft, name, "field-folded", name, re.sub(r"\r?\n", "", raw).strip())
                yield _field(draft, name, "field-folded", name, re.sub(r"\r?\n", "\r\n", raw).strip())
        for other in dict.fromkeys(
            (re.sub(r"\s*,\s*", ", ", value), re.sub(r"\s*,\s*", ",", value), re.sub(r"[ \t]+", " ", value))
        ):
            if other != value:
                yield _field(draft, name, "field-spaced-otherwise", name, other)


@EDITS(0)
def _lines(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    for name, value in _fields(draft):
        sent = [line.strip() for line in around.sent(name)]
        if len(sent) > 1:
            for line in dict.fromkeys((sent[0], sent[-1])):
                yield _field(draft, name, "only-one-line-of-field", name, line)
            for other in dict.fromkeys((",".join(sent), ", ".join(reversed(sent)), "; ".join(sent), " ".join(sent))):
                if other != value:
                    yield _field(draft, name, "lines-joined-otherwise", name, other)


@EDITS(0)
def _content_type(draft: Draft, _: Surroundings) -> Iterator[Altered]:
    for name, value in _fields(draft):
        if name == "content-type":
            bare = value.partition(";")[0].strip()
            for other in dict.fromkeys((bare, *(_JSON_TYPES if "json" in bare.lower() else ()))):
                if other != value:
                    yield _field(draft, name, "field-altered", name, other)


@lru_cache(maxsize=4)  # each pair of mistakes asks again
def _digests(body: bytes) -> list[str]:
    return [content_digest(body, algorithm) for algorithm in ALGORITHMS]


@EDITS(0)
def _digest_field(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    for name, value in _fields(draft):
        if name != "content-digest":
            continue
        right = _digests(around.body)
        others = [*right, ", ".join(right), content_digest(b"")]
        for other in others:
            if other != value:
                yield _field(draft, name, "field-altered", name, other)
        for other in (value.replace(":", ""), value.partition("=")[2], value.partition("=")[2].strip(":")):
            if other != value:
                yield _field(draft, name, "field-altered", name, other)


@EDITS(1)
def _usual(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    for name, value in _fields(draft):
        others = [value.lower(), value.upper()]
        match name:
            case "content-length":
                others += [str(len(around.body)), "0"]
            case "authorization":
                others += [
                    value.partition(" ")[2],
                    f"Bearer {value}",
                    re.sub("^bearer", "Bearer", value, flags=re.IGNORECASE),
                ]
            case "host":
                others += [value.partition(":")[0]]
            case "idempotency-key":
                others += [value.strip('"'), value.replace("-", "")]
        for other in dict.fromkeys(others):
            if other != value:
                case = other.lower() == value.lower()
                yield _field(draft, name, "field-in-other-case" if case else "field-altered", name, other)
        quoted = value[1:-1] if value[:1] == value[-1:] == '"' else f'"{value}"'
        yield _field(draft, name, "field-quoted-otherwise", name, quoted)
        if value:
            yield _field(draft, name, "field-signed-empty", name, "")


@EDITS(2)
def _digest_of_other_body(draft: Draft, around: Surroundings) -> Iterator[Altered]:
    for name, value in _fields(draft):
        if name == "content-digest":
            for algorithm in ALGORITHMS:
                for what, other in lookalikes(around.body):
                    digest = content_digest(other, algorithm)
                    if digest != value:
                        facts = {"what": what, "signed": digest, "sent": value}
                        yield Mistake("digest-of-other-body-signed", facts), draft.with_value(name, digest)
