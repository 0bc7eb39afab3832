"""What is wrong with a signed webhook: its headers, the form of its signature, what was signed and how, its age."""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from conformance.diagnosis.form import Diagnosis, Explanation, Mistake, Part
from conformance.diagnosis.webhook_signatures import read_signature
from conformance.diagnosis.webhook_texts import Choice, Scheme, bodies, joints, secrets, stamps

__all__ = ["Scheme", "diagnose_webhook"]

_SECONDS = re.compile(r"[0-9]{1,20}")
_MOST_ALTERNATIVES = 3
_LARGEST_SHOWN = 4_000
_MOST_HASHED = 48 * 1024 * 1024
"""Bytes that tries of two mistakes may hash together: less than a third of a second."""
_LARGEST_EXAMINED = 16 * 1024
"""Bytes of a body of which other forms are tried where only one mistake is looked for."""
_MILLISECONDS, _MICROSECONDS = 10**11, 10**14
"""From these numbers on, a time in seconds would lie in the year 5138 or later."""
_SIZES = {16: "MD5", 20: "SHA1", 48: "SHA384", 64: "SHA512"}


@dataclass(frozen=True)
class _Case:
    scheme: Scheme
    fields: Mapping[str, Sequence[str]]
    body: bytes
    secret: bytes
    now: datetime
    thorough: bool

    def value(self, name: str) -> str | None:
        values = self.fields.get(name.lower(), ())
        return values[0] if values else None


def diagnose_webhook(
    scheme: Scheme,
    lines: Iterable[tuple[str, str]],
    body: bytes,
    secret: str,
    now: datetime,
    *,
    thorough: bool = True,
) -> Diagnosis:
    """Say what is wrong with a signed webhook.

    Args:
        scheme: How it should be signed.
        lines: Name and value of every header line that is known.
        body: The body as it came.
        secret: The secret that it should be signed with.
        now: The receiver's time (UTC).
        thorough: Whether two mistakes at once are looked for too, which takes up to a third of a second.
    """
    fields: dict[str, list[str]] = {}
    for name, value in lines:
        fields.setdefault(name.lower(), []).append(value)
    case = _Case(scheme, fields, body, secret.encode(errors="surrogateescape"), now, thorough)
    return Diagnosis("webhook", tuple(_parts(case)))


def _parts(case: _Case) -> Iterator[Part]:
    scheme = case.scheme
    for name in (scheme.signature, scheme.timestamp):
        if case.value(name) is None:
            yield _wrong(name, _missing(name, case.fields))
        elif len(case.fields[name.lower()]) > 1:
            yield _wrong(name, Mistake("webhook-header-repeated", {"header": name}))
    signature, timestamp = _meant(case, scheme.signature), _meant(case, scheme.timestamp)
    if timestamp is not None:
        yield _time(case, timestamp)
    if signature is not None:
        yield from _signature(case, signature, timestamp)


def _wrong(name: str, *mistakes: Mistake) -> Part:
    return Part(name, valid=False, explanations=(Explanation(mistakes),))


def _missing(name: str, fields: Mapping[str, Sequence[str]]) -> Mistake:
    """That a header is missing, and which other one seems to be meant for it."""
    found = _renamed(name, fields)
    if found is None:
        return Mistake("webhook-header-missing", {"header": name})
    return Mistake("webhook-header-renamed", {"header": name, "found": found})


def _meant(case: _Case, name: str) -> str | None:
    """The value of a header, or else of the one that seems to be sent instead of it."""
    value, other = case.value(name), _renamed(name, case.fields)
    return case.value(other) if value is None and other is not None else value


def _renamed(name: str, fields: Mapping[str, Sequence[str]]) -> str | None:
    """The header that seems to be sent instead of one; None if none does."""
    last = name.lower().rpartition("-")[2]
    return next((each for each in fields if last in each and each != name.lower()), None)


# ------------------------------------------------------------------------------------------------------------- the time


def _time(case: _Case, text: str) -> Part:
    header, allowed = case.scheme.timestamp, case.scheme.tolerance
    mistake = _form_of_time(header, text)
    if mistake is not None:
        return _wrong(header, mistake)
    age = case.now.timestamp() - int(text)
    if abs(age) <= allowed.total_seconds():
        return Part(header, valid=True)
    facts = {"header": header, "age": f"{abs(age):.0f}", "allowed": f"{allowed.total_seconds():.0f}"}
    return _wrong(header, Mistake("webhook-too-old" if age > 0 else "webhook-too-new", facts))


def _form_of_time(header: str, text: str) -> Mistake | None:
    """What is wrong with how a time is written, None if nothing is."""
    if _SECONDS.fullmatch(text):
        if int(text) >= _MICROSECONDS:
            return Mistake("webhook-timestamp-microseconds", {"header": header})
        return Mistake("webhook-timestamp-milliseconds", {"header": header}) if int(text) >= _MILLISECONDS else None
    if text.strip() != text and _SECONDS.fullmatch(text.strip()):
        return Mistake("webhook-white-space", {"header": header})
    if re.fullmatch(r"[0-9]{1,20}\.[0-9]*", text):
        return Mistake("webhook-timestamp-fraction", {"header": header})
    if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) or re.match(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),", text):
        return Mistake("webhook-timestamp-date", {"header": header})
    return Mistake("webhook-timestamp-no-number", {"header": header, "found": f"{text!r:.40}"})


# -------------------------------------------------------------------------------------------------------- the signature


def _signature(case: _Case, text: str, timestamp: str | None) -> Iterator[Part]:
    """The form of the signature, and then what it is of."""
    header = case.scheme.signature
    read = read_signature(case.scheme, text)
    if read.mistakes:
        yield _wrong(f"{header}, its form", *read.mistakes)
    if read.digest is None:
        return
    expected = (timestamp or "").encode(errors="surrogateescape") + b"." + case.body
    shown = _text(expected) if timestamp is not None else ""
    if timestamp is not None and hmac.compare_digest(hmac.digest(case.secret, expected, "sha256"), read.digest):
        yield Part(header, valid=True)
        return
    explanations = tuple(_explanations(case, read.digest, timestamp, expected))
    if not explanations and len(read.digest) in _SIZES:
        facts = {"size": str(len(read.digest)), "algorithm": f"HMAC-{_SIZES[len(read.digest)]}"}
        explanations = (Explanation((Mistake("webhook-digest-size", facts),)),)
    if explanations or timestamp is not None:
        yield Part(header, valid=False, explanations=explanations, expected=shown)


def _explanations(case: _Case, digest: bytes, timestamp: str | None, expected: bytes) -> Iterator[Explanation]:
    """What explains a digest: one mistake, or else two; up to three that come to the same."""
    found: dict[tuple[str, ...], Explanation] = {}
    for count in (1, 2) if case.thorough else (1,):
        for tried in _tries(case, timestamp, count):
            if hmac.compare_digest(_digest(tried, len(digest)), digest):
                names = tuple(sorted(mistake.name for mistake in tried.mistakes))
                fits = "" if tried.text == expected else _text(tried.text)
                found.setdefault(names, Explanation(tried.mistakes, fits))
        if found:
            break
    yield from list(found.values())[:_MOST_ALTERNATIVES]


@dataclass(frozen=True)
class _Try:
    mistakes: tuple[Mistake, ...]
    key: bytes
    text: bytes
    way: str


def _tries(case: _Case, timestamp: str | None, count: int) -> Iterator[_Try]:
    """Whatever may have been signed, with exactly so many mistakes."""
    examined = case.thorough or len(case.body) <= _LARGEST_EXAMINED
    dimensions: tuple[list[Choice], ...] = (
        list(bodies(case.body)) if examined else [Choice(None, case.body)],
        list(stamps(case.scheme, timestamp, case.body)),
        list(joints(case.scheme, case.value(case.scheme.id))),
        list(secrets(case.secret)),
        list(_WAYS),
    )
    left = _MOST_HASHED
    for picked in _picked(dimensions, count):
        body, stamp, joint, key, way = (choice.value for choice in picked)
        text = joint.replace(b"\0t", stamp).replace(b"\0b", body)
        left -= len(text) + 64
        if left < 0:
            return
        yield _Try(tuple(choice.mistake for choice in picked if choice.mistake), key, text, way.decode())


def _picked(dimensions: Sequence[Sequence[Choice]], count: int) -> Iterator[tuple[Choice, ...]]:
    """One choice of each dimension, the right one, which comes first, in all but so many."""
    if not dimensions:
        if not count:
            yield ()
        return
    right, *others = dimensions[0]
    for rest in _picked(dimensions[1:], count):
        yield (right, *rest)
    if count:
        for rest in _picked(dimensions[1:], count - 1):
            for other in others:
                yield (other, *rest)


_WAYS = (
    Choice(None, b"hmac"),
    Choice(Mistake("webhook-other-algorithm", {"found": "SHA1"}), b"sha1"),
    Choice(Mistake("webhook-other-algorithm", {"found": "SHA384"}), b"sha384"),
    Choice(Mistake("webhook-other-algorithm", {"found": "SHA512"}), b"sha512"),
    Choice(Mistake("webhook-other-algorithm", {"found": "MD5"}), b"md5"),
    Choice(Mistake("webhook-plain-hash", {"what": "what should be signed"}), b"plain"),
    Choice(Mistake("webhook-plain-hash", {"what": "the secret and what should be signed"}), b"before"),
    Choice(Mistake("webhook-plain-hash", {"what": "what should be signed and the secret"}), b"after"),
    Choice(Mistake("webhook-key-and-text-swapped"), b"swapped"),
)


def _digest(tried: _Try, size: int) -> bytes:
    """The digest of a try; empty if it is of another size than the one that came."""
    if size != _SIZE_OF.get(tried.way, 32):
        return b""
    key, text = tried.key, tried.text
    hashed = {"plain": (text,), "before": (key, text), "after": (text, key)}
    if tried.way in hashed:
        return hashlib.sha256(b"".join(hashed[tried.way])).digest()
    if tried.way == "swapped":
        key, text = text, key
    return hmac.digest(key, text, "sha256" if tried.way in {"hmac", "swapped"} else tried.way)


_SIZE_OF = {"sha1": 20, "sha384": 48, "sha512": 64, "md5": 16}


def _text(content: bytes) -> str:
    """A text as it is shown; nothing of a long one."""
    return content.decode(errors="replace") if len(content) <= _LARGEST_SHOWN else ""
