"""When a token ends, as the answer that gives it says."""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

USUAL_LIFE = timedelta(hours=1)
"""How long a token is good for unless its answer says otherwise (step guide, Authentication)."""


def said_end(members: Mapping[str, Any], token: str) -> datetime | None:
    """When a token ends (UTC): its answer's ``expiresAt``, else what the token claims itself; None if neither says it.

    Args:
        members: The members of the answer.
        token: The token, which may be a JSON Web Token with the claim ``exp`` (RFC 7519, section 4.1.4).
    """
    for seconds in (members.get("expiresAt"), _claimed(token)):
        if isinstance(seconds, int) and not isinstance(seconds, bool):
            try:
                return datetime.fromtimestamp(seconds, UTC)
            except (OverflowError, OSError, ValueError):
                continue
    return None


def _claimed(token: str) -> object:
    payload = token.split(".")[1] if token.count(".") == 2 else ""  # noqa: PLR2004  (head, payload, signature)
    try:
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return claims.get("exp") if isinstance(claims, dict) else None
