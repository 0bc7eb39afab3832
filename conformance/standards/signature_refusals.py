"""Why a signature is refused, and the memory of those that were accepted."""

import math
from enum import StrEnum
from threading import Lock

from conformance.standards.rejection import Rejected

__all__ = ["Reason", "ReplayStore", "SignatureRejected"]


class Reason(StrEnum):
    """Why a signed message was rejected."""

    MISSING = "missing"
    MALFORMED = "malformed"
    LABEL_MISMATCH = "label-mismatch"
    UNKNOWN_KEY = "unknown-key"
    WRONG_ALGORITHM = "wrong-algorithm"
    WRONG_FORM = "wrong-form"
    MISMATCH = "mismatch"
    CREATED_MISSING = "created-missing"
    TOO_OLD = "too-old"
    IN_THE_FUTURE = "in-the-future"
    EXPIRED = "expired"
    COMPONENT_MISSING = "component-missing"
    COMPONENT_ABSENT = "component-absent"
    COMPONENT_REPEATED = "component-repeated"
    REPLAYED = "replayed"


class SignatureRejected(Rejected[Reason]):
    """A message whose signature cannot be read, built or trusted."""


class ReplayStore:
    """Remembers which signatures were seen, each until it could no longer be accepted. Safe to share among threads."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, bytes], float] = {}
        self._lock = Lock()
        self._next_purge = -math.inf

    def seen_before(self, key_id: str, token: bytes, *, now: float, until: float) -> bool:
        """Whether `token` was seen under `key_id` before; if not, it is remembered.

        Args:
            key_id: The id of the key that signed.
            token: What marks the signature: its bytes or its nonce.
            now: The time, in seconds since 1970 (UTC).
            until: The last instant at which to remember it, in seconds since 1970 (UTC); infinity for ever.
        """
        with self._lock:
            if now >= self._next_purge:
                self._until = {seen: end for seen, end in self._until.items() if end >= now}
                self._next_purge = now + 60
            seen = self._until.get((key_id, token))
            if seen is not None and seen >= now:
                return True
            self._until[key_id, token] = until
            return False
