"""Identity and randomness: the only module that draws what must differ from one use to the next.

Ids come from a seed and the id of a test, never from a shared counter, so that one test replays alone.
"""

import secrets
import string
import threading
from hashlib import shake_256
from uuid import UUID

_ALPHANUMERIC = string.ascii_letters + string.digits


class Ids:
    """A reproducible stream of ids: the same parts give the same stream, other parts an unrelated one.

    Args:
        parts: What the stream is derived from, such as a seed and the id of a test.
    """

    def __init__(self, *parts: str | int) -> None:
        self._root = "\x1f".join(str(part) for part in parts).encode()
        self._drawn = 0
        self._lock = threading.Lock()

    def child(self, name: str) -> "Ids":
        """An independent stream named `name`; drawing from it does not move this one."""
        return Ids(self._root.hex(), name)

    def draw(self, size: int) -> bytes:
        """The next `size` bytes."""
        with self._lock:
            self._drawn += 1
            position = self._drawn
        return shake_256(self._root + position.to_bytes(8, "big")).digest(size)

    def uuid(self) -> UUID:
        """The next id as a UUID of version 4 (RFC 9562)."""
        return UUID(bytes=self.draw(16), version=4)

    def alphanumeric(self, length: int) -> str:
        """The next `length` characters of ``[A-Za-z0-9]``."""
        return "".join(_ALPHANUMERIC[byte % len(_ALPHANUMERIC)] for byte in self.draw(length))

    def below(self, bound: int) -> int:
        """The next integer from 0 up to, not including, `bound`."""
        return int.from_bytes(self.draw(16), "big") % bound


def fresh_seed() -> str:
    """A seed that nobody can foresee, for runs in which ids must be new (16 hex digits)."""
    return secrets.token_hex(8)
