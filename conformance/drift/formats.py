"""What form a text has, whatever it says: ids, times, keys and nonces vary by nature, their form does not."""

import base64
import binascii
import re
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qsl, urlsplit

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in {
        "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "UUID in capitals": r"(?=.*[A-F])[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}",
        "date-time in UTC": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
        "date-time with an offset": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?[+-]\d\d:\d\d",
        "date-time without a zone": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?",
        "date": r"\d{4}-\d\d-\d\d",
        "HTTP date": r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
        "digits": r"-?\d+",
        "decimal number": r"-?\d+\.\d+",
        "hexadecimal with 0x": r"0x[0-9a-fA-F]+",
        "JWT": r"[\w-]+\.[\w-]+\.[\w-]+",
        "base64 or the like": r"[A-Za-z0-9+/_-]{16,}={0,2}",
        "e-mail address": r"[^@\s]+@[^@\s]+\.[^@\s]+",
        "CAIP account": r"[a-z0-9-]+:[\w-]+:\w+",
        "URL": r"https?://\S+",
    }.items()
)
_SPECIAL = re.compile(r"[-_]")
_HEX = re.compile(r"[0-9a-f]{8,}")
_WORD = re.compile(r"[A-Za-z]+([ ._:/-][A-Za-z0-9]+)*")
VARYING = "…"
"""What stands in a skeleton for what varies by nature."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|«[^»]*»")
_RANDOM = re.compile(
    r"[A-Za-z0-9+/_-]{20,}={0,2}|(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{8,}|[0-9a-f]{8,}|(?:%[0-9A-F]{2})+|\d+|«[^»]*»"
)
_SHORT_NUMBER = re.compile(r"\d{1,4}")
_HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_SHORTEST_HUMPS = 2.5
"""How many letters the parts of a name such as createdAt have on average; those of a nonce have fewer."""
_LABELLED = re.compile(r"([A-Z][A-Za-z ]{1,30}): ?(.*)")
_LONGEST_WORD = 60
_EARLIEST, _LATEST = 1_000_000_000, 4_000_000_000
"""Numbers between these are seconds since 1970, a thousand times as great ones milliseconds."""
_MORE_LINES = 2


@lru_cache(maxsize=65536)
def forms(text: str) -> frozenset[str]:
    """The forms that a text may be said to have; one of several ones at once may be meant."""
    if not text:
        return frozenset({"empty"})
    if len(text) > 10_000:  # noqa: PLR2004  (long texts have none of these forms)
        return frozenset({"long text"})
    found = {name for name, pattern in _PATTERNS if pattern.fullmatch(text)}
    if _HEX.fullmatch(text) and not text.isdigit():
        found.add(f"{len(text)} hexadecimal digits")
    if found & {"hexadecimal with 0x"}:
        found.add(f"0x and {len(text) - 2} hexadecimal digits")
    if any(name.startswith("date-time") for name in found):
        found.add("time with a fraction of a second" if "." in text else "time in whole seconds")
    if "base64 or the like" in found:
        found |= _alphabets(text)
    if "URL" in found:
        found.add(f"URL like {skeleton(text)}")
    return frozenset(found) or frozenset({"text"})


def _alphabets(text: str) -> set[str]:
    """The ways to write bytes as text that a text may be in."""
    found = set()
    if not _SPECIAL.search(text) and len(text) % 4 == 0:
        found.add("base64")
    if not re.search("[+/=]", text):
        found.add("base64url without padding")
    return found


@lru_cache(maxsize=65536)
def is_word(text: str) -> bool:
    """Whether a text says something by itself, such as a status or the name of a type, so that another one is news."""
    if _SHORT_NUMBER.fullmatch(text):
        return True
    if len(text) > _LONGEST_WORD or not _WORD.fullmatch(text) or _RANDOM.search(text):
        return False
    humps = _HUMP.findall(text)
    return len(humps) <= 1 or sum(map(len, humps)) / len(humps) >= _SHORTEST_HUMPS


@lru_cache(maxsize=65536)
def skeleton(text: str) -> str:
    """A text or URL without what varies by nature: ports, ids, numbers."""
    if text.startswith(("http://", "https://")):
        try:
            parts = urlsplit(text)
            host, names = parts.hostname or "", [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
        except ValueError:
            return "URL"
        path = "/".join(VARYING if _RANDOM.search(part) else part for part in parts.path.split("/"))
        return f"{parts.scheme}://{host}{path}" + (f"?{'&'.join(names)}" if names else "")
    return _RANDOM.sub(VARYING, _QUOTED.sub(VARYING, text))


def contrast(one: str, other: str) -> tuple[str, str]:
    """What of two texts differs, in words that are the same for all texts that differ so: of URLs the parts that do."""
    if not (one.startswith("http") and other.startswith("http")):
        return skeleton(one), skeleton(other)
    told = [_parts(url) for url in (one, other)]
    if told[0][0] != told[1][0]:
        return told[0][0], told[1][0]
    lost, gained = (sorted(told[at][1] - told[1 - at][1]) for at in (0, 1))
    return f"a query with {', '.join(lost) or 'no more'}", f"a query with {', '.join(gained) or 'no more'}"


def _parts(url: str) -> tuple[str, frozenset[str]]:
    """Scheme, host and path of a URL, without what varies, and the names and plain values of its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return skeleton(url), frozenset()
    query = parse_qsl(parts.query, keep_blank_values=True)
    return skeleton(url).partition("?")[0], frozenset(
        f"{name}={value}" if is_word(value) else name for name, value in query
    )


def instant(value: object) -> datetime | None:
    """The time that a value tells, None if it tells none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        for scale in (1, 1000):
            if _EARLIEST <= value / scale <= _LATEST:
                return datetime.fromtimestamp(value / scale, UTC)
        return None
    if isinstance(value, str) and any(name.startswith("date-time") for name in forms(value)):
        try:
            read = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value))
        except ValueError:
            return None
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    return None


@lru_cache(maxsize=4096)
def lines(text: str) -> tuple[tuple[str, str], ...]:
    """The lines of a text of several ones, or of one in base64, each with its label; none if it is no such text.

    A line without a label is called by its number among these.
    """
    plain = text if "\n" in text else _decoded(text)
    if plain is None or plain.count("\n") < _MORE_LINES:
        return ()
    found: list[tuple[str, str]] = []
    bare = 0
    for line in filter(None, map(str.strip, plain.splitlines())):
        match = _LABELLED.fullmatch(line)
        if match:
            found.append((match[1], match[2]))
        else:
            bare += 1
            found.append((f"line {bare} without a label", line))
    return tuple(found)


def _decoded(text: str) -> str | None:
    """The text that a text in base64 stands for, None if it stands for none."""
    if len(text) < 16 or not ({"base64", "base64url without padding"} & forms(text)):  # noqa: PLR2004
        return None
    padded = text + "=" * (-len(text) % 4)
    try:
        plain = (base64.urlsafe_b64decode(padded) if _SPECIAL.search(text) else base64.b64decode(padded)).decode()
    except (binascii.Error, ValueError):
        return None
    return plain if all(letter.isprintable() or letter in "\n\r\t" for letter in plain) else None
