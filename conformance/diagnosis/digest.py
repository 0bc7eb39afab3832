"""What is wrong with a Content-Digest (RFC 9530): its form, its algorithm, or the bytes that were hashed."""

import base64
import hashlib
import re
from collections.abc import Iterator

from conformance.diagnosis.bodies import lookalikes
from conformance.diagnosis.form import Diagnosis, Explanation, Mistake, Part
from conformance.exchange import Request
from conformance.standards.digest_fields import ALGORITHMS, DigestRejected, check_content_digest, content_digest

__all__ = ["NAME", "diagnose_digest", "digest_parts"]

NAME = "Content-Digest"
"""The name of the part."""

_MEMBER = re.compile(r"\s*(?:([A-Za-z0-9*._-]+)\s*=(?=[:\"'A-Za-z0-9+/_-]))?\s*([:\"']?)([^:\"',;]+)([:\"']?)[^,]*")
_HASHES = {
    "sha-256": "sha256",
    "sha-512": "sha512",
    "sha-384": "sha384",
    "sha-1": "sha1",
    "md5": "md5",
    "sha3-256": "sha3_256",
}
_OTHER_NAMES = {"sha256": "sha-256", "sha512": "sha-512", "sha384": "sha-384", "sha": "sha-1", "sha1": "sha-1"}
_OTHER_FIELDS = ("Digest", "Repr-Digest", "Content-MD5", "X-Content-Digest")


def digest_parts(request: Request, *, required: bool) -> list[Part]:
    """What is said of the digest of a request: of its form, if that is wrong, and of what was hashed.

    Args:
        request: The request.
        required: Whether a body must have a digest.

    Returns:
        Nothing if it has none and needs none.
    """
    value, body = request.header(NAME), request.body
    right = content_digest(body)
    if value is None:
        if not required or not body:
            return []
        other = next((name for name in _OTHER_FIELDS if request.header(name) is not None), None)
        mistake = Mistake("digest-in-other-field", {"field": other}) if other else Mistake("digest-missing")
        return [Part(NAME, valid=False, explanations=(Explanation((mistake,)),), expected=right)]
    members = [found for found in _MEMBER.finditer(value) if found[3].strip()]
    named = [algorithm for algorithm in ALGORITHMS if any(_name(found) == algorithm for found in members)]
    expected = ", ".join(content_digest(body, algorithm) for algorithm in named) or right
    form = tuple(mistake for found in members for mistake in _form(found))
    if not members:
        form = (Mistake("digest-empty"),)
    parts = [Part(f"form of {NAME}", valid=False, explanations=(Explanation(form),), expected=expected)] if form else []
    wrong = [found for found in members if not _is_right(found, body)]
    if wrong:
        found = [mistakes for each in wrong for mistakes in _explained(each, body)]
        parts.append(Part(NAME, valid=False, explanations=_distinct(found), expected=expected))
    elif not form:
        parts.append(_as_judged(body, value, expected))
    return parts


def diagnose_digest(request: Request) -> Diagnosis:
    """What is said of the digest of a request whose body must have one."""
    return Diagnosis("request", tuple(digest_parts(request, required=True)))


def _as_judged(body: bytes, value: str, expected: str) -> Part:
    """What the standard's own check says of a digest in which nothing wrong was found."""
    try:
        check_content_digest(body, value)
    except DigestRejected:
        return Part(NAME, valid=False, expected=expected)
    return Part(NAME, valid=True, expected=expected)


def _distinct(found: list[tuple[Mistake, ...]]) -> tuple[Explanation, ...]:
    """The explanations of fewest mistakes, each once."""
    fewest = min(map(len, found), default=0)
    names = {tuple(each.name for each in mistakes): mistakes for mistakes in reversed(found) if len(mistakes) == fewest}
    return tuple(Explanation(mistakes) for mistakes in reversed(names.values()))


def _name(found: re.Match[str]) -> str:
    written = (found[1] or "").lower()
    return _OTHER_NAMES.get(written, written)


def _form(found: re.Match[str]) -> Iterator[Mistake]:
    written, name = found[1] or "", _name(found)
    if not written:
        yield Mistake("digest-without-algorithm")
    elif name != written:
        yield Mistake("digest-algorithm-spelled-otherwise", {"written": written, "right": name})
    if (found[2], found[4]) != (":", ":"):
        yield Mistake("digest-without-colons")
    if name and name not in ALGORITHMS:
        yield Mistake("digest-algorithm-not-allowed", {"algorithm": name, "allowed": " or ".join(ALGORITHMS)})


def _is_right(found: re.Match[str], body: bytes) -> bool:
    """Whether a member is the digest of a body, by the algorithm that it names, or by any if it names none we know."""
    named = _HASHES.get(_name(found))
    digests = (hashlib.new(each, body).digest() for each in ([named] if named else _HASHES.values()))
    return found[3].strip() in {base64.b64encode(digest).decode() for digest in digests}


def _explained(found: re.Match[str], body: bytes) -> Iterator[tuple[Mistake, ...]]:
    name, text = _name(found), found[3].strip()
    for what, hashed in _bodies(body):
        for algorithm, own in _HASHES.items():
            digest = hashlib.new(own, hashed).digest()
            for encoding, written in _texts(digest):
                if written == text:
                    mistakes = [*encoding]
                    if name in _HASHES and algorithm != name:
                        mistakes.append(Mistake("digest-of-other-algorithm", {"named": name, "used": algorithm}))
                    if what:
                        mistakes.append(Mistake("digest-of-other-bytes", {"what": what, "bytes": str(len(body))}))
                    yield tuple(mistakes)


def _bodies(body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "", body
    yield from (each for each in lookalikes(body) if each[1] != body)


def _texts(digest: bytes) -> Iterator[tuple[tuple[Mistake, ...], str]]:
    """A digest as text, as it should be and as it should not."""
    right = base64.b64encode(digest).decode()
    yield (), right
    yield (Mistake("digest-in-hex"),), digest.hex()
    yield (Mistake("digest-in-hex"),), digest.hex().upper()
    yield (Mistake("digest-in-hex"),), base64.b64encode(digest.hex().encode()).decode()
    yield (Mistake("digest-in-base64-twice"),), base64.b64encode(right.encode()).decode()
    urlsafe = base64.urlsafe_b64encode(digest).decode()
    if urlsafe != right:
        yield (Mistake("digest-in-base64url"),), urlsafe
        yield (Mistake("digest-in-base64url"),), urlsafe.rstrip("=")
    if right.endswith("="):
        yield (Mistake("digest-without-padding"),), right.rstrip("=")
