"""Telling right values: such as a standard and the documents allow, and as servers often keep, sign or send otherwise.

Each has a name that says what is special about it. The most telling ones come first, so that a scenario that cannot try
all takes these always.
"""

# ruff: noqa: RUF001 - characters that are taken for others are what this is about

import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

__all__ = ["PAIRS", "RETURNS", "TEXTS", "WORDS", "Pair", "Value", "keeps_query", "same_page"]


_MARK = "§"


@dataclass(frozen=True)
class Value:
    """A right value.

    Args:
        name: What is special about it.
        text: The value; the mark § stands for a number that nobody has used before.
    """

    name: str
    text: str

    def numbered(self, number: int) -> str:
        """The value with a number in the place of the mark."""
        return self.text.replace(_MARK, str(number))


@dataclass(frozen=True)
class Pair:
    """Two right values that differ in one property alone.

    Args:
        name: The property.
        one: The first of them.
        other: The second of them.
    """

    name: str
    one: str
    other: str

    def numbered(self, number: int) -> tuple[str, str]:
        """Both values with a number in the place of the mark."""
        return self.one.replace(_MARK, str(number)), self.other.replace(_MARK, str(number))


TEXTS = (
    Value("more than 255 letters", "§" + "abcdefghijklmnop" * 16),
    Value("blanks around it, and two within", "  two  blanks § "),
    Value("accents that stand behind their letters", "§ Zoe\u0308 Rene\u0301"),
    Value("characters of HTML", '<b>§ &amp; "O\'Brien"</b></script>'),
    Value("characters of four bytes in UTF-8", "𠮷野家 § 🦊👩🏽\u200d🚀"),
    Value("a number with zeros before it, of more digits than a float holds", "00§1234567"),
    Value("backslashes, quotation marks and an escape", '§C:\\new\\"u0041\\u0041'),
    Value("compatible forms of letters and digits", "§ ﬁ ① ｆｕｌｌ Å ²"),
    Value("letters whose case depends on the language", "§ Straße İstanbul ıi ς Σ"),
    Value("script from right to left", "שָׁלוֹם § עולם مرحبا"),
    Value("a percent escape, a plus and an ampersand", "a%20b+c&d=e;f?g#h/../§"),
    Value("more than 255 bytes in 96 characters", "語" * 85 + "§"),
    Value("a UUID in capital letters", "C0FFEE00-AB1D-4ACE-8BAD-FE§"),
    Value("a line feed and a tab", "§first\nsecond\tthird"),
    Value("more than 1,024 letters", "§" + "abcdefgh" * 128),
    Value("a number with an exponent", "§e3"),
    Value("characters of SQL and of templates", "§'; -- {0} ${x} %s {{y}}"),
    Value("marks of direction", "a\u202e§\u202c\u200f"),
    Value("a byte order mark before it", "\ufeff§"),
    Value("separators of lines and paragraphs", "a\u2028§\u2029c"),
    Value("combining signs of India and Thailand", "§ क्षि ที่"),
    Value("control characters other than NUL", "a\x01§\x7fc\x1fd"),
    Value("a carriage return before the line feed", "a\r\n§"),
    Value("more than 64 letters", "§" + "k" * 60),
    Value("more than 128 letters", "§" + "m" * 125),
    Value("a no-break space and an ideographic one", "a\u00a0§\u3000c"),
    Value("the replacement character", "a\ufffd§"),
)
"""Texts of every script and length that JSON allows and no sentence of a document limits."""

WORDS = tuple(
    Value(f"the word {text}", text)
    for text in ("null", "constructor", "undefined", "__proto__", "None", "NaN", "false", "0", "-", "{}")
)
"""Texts that programs take for no value at all or for a part of every object, the most usual ones first; none has a
number that makes it new."""

PAIRS = (
    Pair("letter case", "Order-Ab-§", "order-aB-§"),
    Pair("the normal form of an accent", "Caf\u00e9 §", "Cafe\u0301 §"),
    Pair("a blank behind it", "order §", "order § "),
    Pair("zeros before a number", "§", "00§"),
    Pair("one character behind the 255th", "§" + "a" * 255 + "b", "§" + "a" * 255 + "c"),
    Pair("an accent", "Muller §", "Müller §"),
    Pair("full width", "A7 §", "Ａ７ §"),
    Pair("how often a blank stands", "a b §", "a  b §"),
    Pair("signs that SQL takes for any characters", "axbx§", "a_b%§"),
    Pair("a zero-width character", "ab§", "a\u200bb§"),
    Pair("a sharp s", "STRASSE §", "STRAßE §"),
    Pair("the form of a number", "§000", "§e3"),
    Pair("an escape", "a/b§", "a%2Fb§"),
    Pair("a character of four bytes", "a🦊§", "a🐺§"),
    Pair("a hyphen", "a-§", "a\u2010§"),
    Pair("a fraction of nothing", "§", "§.0"),
    Pair("the end after a line feed", "§\na", "§\nb"),
    Pair("a dot, for any character in regular expressions", "axb§", "a.b§"),
    Pair("an asterisk, for any characters in names of files", "axb§", "a*b§"),
)
"""Texts that no sentence makes the same, in what tells them apart."""

RETURNS = (
    Value("a fragment with a path in it", "https://app.example/wallets?step=verify#/done/2"),
    Value("a path with escapes", "https://app.example/a%2Fb/%C3%A9%20c"),
    Value("parameters without a value", "https://app.example/w?a=&b&c=1"),
    Value("a parameter that comes twice", "https://app.example/w?x=2&x=1&y=3"),
    Value("a thousand characters", "https://app.example/w?token=" + "a1B2" * 250),
    Value("a port", "https://app.example:8443/w"),
    Value("an address of IPv6", "https://[2001:db8::1]:8443/w?x=1"),
    Value("escapes in its query", "https://app.example/w?q=a+b%20c%26d%3De%2B%23&r=%C3%A9"),
    Value("no path", "https://app.example?step=verify"),
    Value("names that the return may add", "https://app.example/w?status=mine&challengeId=mine"),
    Value("letters of both cases in path and query", "https://app.example/WaLLets/?Step=VeRify"),
    Value("parameters of a path, and marks that need no escape", "https://app.example/w;v=1/~me,(x)!?s=a,b:c@d/e?f"),
    Value("another URL in its query", "https://app.example/w?next=https%3A%2F%2Fapp.example%2Fx%3Fy%3Dz%26w%3D1"),
)
"""URLs of a caller's own page, at the edges of what RFC 3986 allows."""

_PORTS = {"http": 80, "https": 443}
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


def same_page(one: str, other: str) -> bool:
    """Whether two URLs lead to one page, whatever their queries are (RFC 3986 section 6.2.2 and 6.2.3)."""
    return _page(one) == _page(other)


def keeps_query(url: str, returned_to: str) -> bool:
    """Whether one URL has every parameter of another one in its query, as often, and perhaps others besides."""
    asked, found = (Counter(parse_qsl(urlsplit(each).query, keep_blank_values=True)) for each in (url, returned_to))
    return asked <= found


def _page(url: str) -> tuple[object, ...]:
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    path = re.sub("%([0-9A-Fa-f]{2})", _normal_escape, parts.path or "/")
    fragment = re.sub("%([0-9A-Fa-f]{2})", _normal_escape, parts.fragment)
    return scheme, parts.hostname, parts.port or _PORTS.get(scheme), path, fragment


def _normal_escape(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED.fullmatch(character) else match[0].upper()
