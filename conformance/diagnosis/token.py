"""What is wrong with the form and the time of a token (RFC 6750, 7515, 7519), or of an API key in its place.

Nothing here verifies a token, which only the server can that has signed it, and nothing tells it.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from conformance.diagnosis.form import Diagnosis, Explanation, Mistake, Part

__all__ = ["TIME", "Claims", "claims_in", "diagnose_token"]

TIME = "its time"
"""The part of a diagnosis that says whether a token is good at present."""

_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*):[ \t]*(.*)", re.DOTALL)
_SCHEME_AND_COLON = re.compile(r"(Bearer|Token)[ \t]*:[ \t]*", re.IGNORECASE)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]+(\S.*)", re.DOTALL)
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_BASIC = re.compile(rb"[\x21-\x39\x3b-\x7e]{4,}:[\x21-\x7e]{4,}")
_TOKEN_MEMBERS = ("token", "access_token", "accessToken", "id_token", "jwt")
_PARTS = ("header", "payload", "signature")
_ENCRYPTED = 5
_MILLISECONDS = 10**11
_SIZES = {
    **dict.fromkeys(("HS256",), 32),
    **dict.fromkeys(("HS384",), 48),
    **dict.fromkeys(("HS512", "ES256", "EdDSA"), 64),
    "ES384": 96,
    "ES512": 132,
}
"""The bytes of a signature by its algorithm, where that fixes them (RFC 7518, section 3; RFC 8037)."""
_UNSEEN = {ord(letter): None for letter in "\u200b\u200c\u200d\u2060\ufeff\u00ad"}
"""Letters of no width."""
_MORE = re.compile(r"(?s)(?=\S*[.]\S*[.]|\S+ \S*[.]\S*[.])((?:export )?[A-Za-z_]\w*=)?(.+?)([,;])?")
"""A token as a line of settings or of a program has it."""
_LEEWAY = timedelta(seconds=60)
"""How far a clock may be wrong before a token from its future is told."""


@dataclass(frozen=True)
class Claims:
    """What a token says of itself, which nobody has verified.

    Args:
        algorithm: By what it is signed; None if it does not say.
        issuer: Who issued it; None if it does not say.
        subject: Whose it is; None if it does not say.
        audience: For whom it is; None if it does not say.
        expires_at: Until when it is good (UTC); None if it does not say.
    """

    algorithm: str | None
    issuer: str | None
    subject: str | None
    audience: str | None
    expires_at: datetime | None


def diagnose_token(text: str, now: datetime, *, key_header: str | None = None) -> Diagnosis:
    """Say what is wrong with a token, or with a key if it stands in the header of keys.

    Args:
        text: The token, or the header line that carries it.
        now: The present (UTC).
        key_header: The header that carries an API key instead of a token; None if there is none.
    """
    line = _HEADER.fullmatch(text.strip())
    name = line[1] if line else ""
    if key_header is not None and name.lower() == key_header.lower() and line:
        return Diagnosis("token", tuple(_key(key_header, line[2])))
    bare, sent = _sent(text if line is None else line[2], is_header=name.lower() == "authorization")
    parts = [_part("how it is sent", sent)]
    if not bare:
        return Diagnosis("token", (_part("how it is sent", [Mistake("token-empty")]),))
    other = _what_else(bare)
    if other is not None:
        return Diagnosis("token", (*parts, _part("what it is", [other])))
    pieces = bare.split(".")
    form = list(_form(pieces))
    parts.append(_part("what it is", form))
    payload = _object(pieces[1])
    if payload is not None:
        parts.append(_part(TIME, list(_time(payload, now))))
    return Diagnosis("token", tuple(parts))


def claims_in(text: str) -> Claims | None:
    """What a token says of itself; None if it cannot be read."""
    line = _HEADER.fullmatch(text.strip())
    bare, _ = _sent(line[2] if line else text, is_header=False)
    pieces = bare.split(".")
    if len(pieces) < len(_PARTS) - 1:
        return None
    header, payload = _object(pieces[0]), _object(pieces[1])
    if payload is None:
        return None
    said = [payload.get(name) for name in ("iss", "sub", "aud")]
    issuer, subject, audience = (each if isinstance(each, str) else None for each in said)
    algorithm = (header or {}).get("alg")
    return Claims(
        algorithm if isinstance(algorithm, str) else None, issuer, subject, audience, _instant(payload.get("exp"))
    )


def _part(name: str, mistakes: list[Mistake]) -> Part:
    explanations = (Explanation(tuple(mistakes)),) if mistakes else ()
    return Part(name, valid=not mistakes, explanations=explanations)


def _key(header: str, text: str) -> Iterator[Part]:
    """What is wrong with an API key in its header."""
    found, bare = [], text.strip()
    scheme = _SCHEME.fullmatch(bare)
    if scheme:
        found.append(Mistake("key-with-scheme", {"header": header, "found": f"`{scheme[1]} `"}))
        bare = scheme[2]
    bare, wrapped = _unwrapped(bare)
    found += wrapped
    if bare.count(".") == len(_PARTS) - 1 and _object(bare.split(".")[0]) is not None:
        found.append(Mistake("key-is-token", {"header": header}))
    if not bare:
        found.append(Mistake("token-empty"))
    yield _part(header, found)


def _sent(text: str, *, is_header: bool) -> tuple[str, list[Mistake]]:
    """The token itself, and what is wrong with how it was sent."""
    found: list[Mistake] = []
    bare = text.strip("\r\n") if is_header else text.rstrip("\n")
    bare, wrapped = _unwrapped(bare)
    found += wrapped
    if colon := _SCHEME_AND_COLON.match(bare):
        found.append(Mistake("token-scheme-with-colon", {"found": colon[1]}))
        bare = f"{colon[1]} {bare[colon.end() :]}"
    schemes = []
    while scheme := _SCHEME.fullmatch(bare):
        schemes.append(scheme[1])
        bare = scheme[2]
    bare = "" if bare.lower() == "bearer" else bare
    others = [each for each in schemes if each.lower() != "bearer"]
    if others:
        found.append(Mistake("token-scheme-other", {"found": f"`{others[0]} `"}))
    elif len(schemes) > 1:
        found.append(Mistake("token-scheme-twice"))
    elif is_header and not schemes and bare:
        found.append(Mistake("token-scheme-missing"))
    if re.search(r"\s", bare):
        bare = re.sub(r"\s", "", bare)
        found.append(Mistake("token-white-space"))
    if "%" in bare:
        bare = unquote(bare)
        found.append(Mistake("token-percent-encoded"))
    return bare, found


def _unwrapped(text: str) -> tuple[str, list[Mistake]]:
    """A token without what stands around it."""
    found: list[Mistake] = []
    bare = text.strip()
    if bare != text:
        found.append(Mistake("token-white-space"))
    try:
        answer = json.loads(bare) if bare.startswith("{") else None
    except (ValueError, RecursionError):
        answer = None
    if isinstance(answer, dict):
        member = next((name for name in _TOKEN_MEMBERS if isinstance(answer.get(name), str)), None)
        if member is not None:
            return str(answer[member]), [*found, Mistake("token-as-json", {"member": member})]
    if (without := bare.translate(_UNSEEN)) != bare:
        bare = without
        found.append(Mistake("token-unseen-characters"))
    more = _MORE.fullmatch(bare)
    if more and (beside := more[1] or more[3]):
        bare = more[2]
        found.append(Mistake("token-with-more", {"found": f"`{beside}`"}))
    for mark, closing in (('"', '"'), ("'", "'"), ("`", "`"), ("\u201c", "\u201d"), ("\u2018", "\u2019"), ("<", ">")):
        if len(bare) > 1 and bare.startswith(mark) and bare.endswith(closing):
            bare = bare[1:-1]
            found.append(Mistake("token-quotation-marks"))
    return bare, found


def _what_else(text: str) -> Mistake | None:
    """What a text is instead of a token of three parts; None if it may be one."""
    if _UUID.fullmatch(text):
        return Mistake("token-is-uuid")
    if text.startswith("-----BEGIN"):
        return Mistake("token-is-key-pem")
    pieces = text.count(".") + 1
    if pieces == 1 and _object(text) is None:
        content = _decoded(text)
        return Mistake("token-is-basic" if content and _BASIC.fullmatch(content) else "token-is-none")
    told = {1: "one", 2: "two"}
    mistakes = {
        **{number: Mistake("token-cut-off", {"parts": word}) for number, word in told.items()},
        len(_PARTS): None,
        _ENCRYPTED: Mistake("token-encrypted"),
    }
    return mistakes.get(pieces, Mistake("token-parts", {"parts": str(pieces)}))


def _form(pieces: list[str]) -> Iterator[Mistake]:
    """What is wrong with the three parts of a token."""
    for name, piece in zip(_PARTS, pieces, strict=True):
        if "+" in piece or "/" in piece:
            yield Mistake("token-standard-base64", {"part": name})
        if piece.endswith("="):
            yield Mistake("token-padded", {"part": name})
        if name != "signature" and _object(piece) is None:
            yield Mistake("token-part-unreadable", {"part": name})
    header = _object(pieces[0]) or {}
    algorithm, signature = header.get("alg"), _decoded(pieces[2])
    if isinstance(algorithm, str) and algorithm.lower() == "none":
        yield Mistake("token-not-signed")
    elif not pieces[2]:
        yield Mistake("token-signature-missing")
    elif isinstance(algorithm, str) and algorithm in _SIZES:
        size = len(signature) if signature is not None else 0
        if size != _SIZES[algorithm]:
            facts = {"size": str(size), "algorithm": algorithm, "expected": str(_SIZES[algorithm])}
            yield Mistake("token-signature-size", facts)


def _time(payload: Mapping[str, Any], now: datetime) -> Iterator[Mistake]:
    """What is wrong with the times of a token."""
    if "exp" not in payload:
        yield Mistake("token-without-expiry")
    times: dict[str, datetime] = {}
    for claim in ("exp", "nbf", "iat"):
        value = payload.get(claim)
        found = _instant(value)
        if found is not None:
            times[claim] = found
        elif isinstance(value, int | float) and value >= _MILLISECONDS:
            yield Mistake("token-time-in-milliseconds", {"claim": claim})
        elif value is not None:
            yield Mistake("token-time-no-number", {"claim": claim})
    if "exp" in times and times["exp"] <= now:
        yield Mistake("token-expired", {"at": _shown(times["exp"]), "ago": _span(now - times["exp"])})
    if "nbf" in times and times["nbf"] > now:
        yield Mistake("token-not-yet", {"at": _shown(times["nbf"]), "ahead": _span(times["nbf"] - now)})
    elif "iat" in times and times["iat"] > now + _LEEWAY:
        yield Mistake("token-issued-later", {"at": _shown(times["iat"]), "ahead": _span(times["iat"] - now)})


def _instant(value: Any) -> datetime | None:
    """The instant of a NumericDate (RFC 7519, section 2); None if it is none, or in milliseconds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MILLISECONDS:
        return None
    return datetime.fromtimestamp(value, UTC)


def _shown(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _span(duration: timedelta) -> str:
    """A duration in the largest unit that tells it."""
    seconds = round(duration.total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}s"
    return f"{seconds} s"


def _decoded(piece: str) -> bytes | None:
    """The bytes of a part, in either alphabet, with padding or without; None if it is no base64."""
    standard = piece.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _object(piece: str) -> dict[str, Any] | None:
    """The JSON object of a part; None if there is none."""
    content = _decoded(piece)
    try:
        document = json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
