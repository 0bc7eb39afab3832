"""Mistakes in a token, or in what is sent in the place of one."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from conformance.diagnosis.token import diagnose_token
from conformance.ids import Ids
from tools.mistakes.form import Case

NOW = datetime(2026, 1, 17, 18, 21, 53, tzinfo=UTC)
_SOON = int(NOW.timestamp()) + 3000


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _token(ids: Ids, algorithm: str = "HS256", **claims: Any) -> str:
    payload = {"exp": _SOON, "Id": str(ids.uuid()), "Generation": 0, **claims}
    parts = [_part(json.dumps(each).encode()) for each in ({"alg": algorithm, "typ": "JWT"}, payload)]
    text = ".".join(parts)
    return f"{text}.{_part(hmac.digest(ids.draw(32), text.encode(), hashlib.sha256))}"


def _case(title: str, names: Sequence[str], sent: Callable[[str], str] = str, **claims: Any) -> Case:
    """A token of these claims, and how it is sent."""
    return Case(title, tuple(names), lambda ids: diagnose_token(sent(_token(ids, **claims)), NOW))


SINGLE: tuple[Case, ...] = (
    _case("expired", ["token-expired"], exp=int(NOW.timestamp()) - 10),
    _case("its end in milliseconds", ["token-time-in-milliseconds"], exp=_SOON * 1000),
    _case("its end as a text", ["token-time-no-number"], exp=str(_SOON)),
    _case("not good yet", ["token-not-yet"], nbf=_SOON),
    _case("not signed", ["token-not-signed"], algorithm="none"),
    _case("no scheme", ["token-scheme-missing"], lambda token: f"Authorization: {token}"),
    _case("the scheme twice", ["token-scheme-twice"], lambda token: f"Authorization: Bearer Bearer {token}"),
    _case("a colon after the scheme", ["token-scheme-with-colon"], lambda token: f"Authorization: Bearer: {token}"),
    _case("another scheme", ["token-scheme-other"], lambda token: f"Authorization: Token {token}"),
    _case("quoted", ["token-quotation-marks"], lambda token: f'"{token}"'),
    _case("in the quotation marks of a text program", ["token-quotation-marks"], lambda token: f"\u201c{token}\u201d"),
    _case("with a letter of no width before it", ["token-unseen-characters"], lambda token: f"\u200b{token}"),
    _case("as a line of settings", ["token-with-more"], lambda token: f"export TOKEN={token}"),
    _case("with a comma after it", ["token-with-more"], lambda token: f"Authorization: Bearer {token},"),
    _case("the whole answer", ["token-as-json"], lambda token: json.dumps({"token": token, "tokenType": "Bearer"})),
    _case("percent-encoded", ["token-percent-encoded"], lambda token: token.replace(".", "%2E")),
    _case("wrapped", ["token-white-space"], lambda token: f"{token[:40]}\n{token[40:]}"),
    _case("without its signature", ["token-cut-off"], lambda token: token.rpartition(".")[0]),
    _case("nothing", ["token-empty"], lambda _: "Authorization: Bearer "),
)
"""One mistake each."""
