"""Near misses: wrong values that are like a right one, each made from it by one edit with a name.

A value that is drawn at random differs everywhere, so a server that compares a part of it, folds, decodes or converts
it refuses that all the same. A near miss differs in one property. It counts only where no standard and no sentence
makes it the same value: what a standard does make the same is a `SameValue`, with its clause.
"""

# ruff: noqa: RUF001 - characters that are taken for others are what this is about

import base64
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import TypeVar

from conformance.ids import Ids

__all__ = [
    "BASE64",
    "FIELD",
    "HEX",
    "PIN",
    "TEXT",
    "UUID",
    "Kind",
    "NearMiss",
    "SameValue",
    "almost_uuids",
    "chosen",
    "decimal_digits",
    "field_names",
    "hexadecimal",
    "kindred_uuids",
    "misses",
    "respelt_uuids",
    "schemes",
    "sequences_of_bytes",
    "uuids",
]

_LENGTHS = (8, 16, 4, 32, 24, 12, 20, 64, 36, 72)
"""How much of a value is compared by servers that compare no more; 72 is where bcrypt stops."""
_LOOK_ALIKES = {
    **dict(zip("acehijklopsxyAEKMOT", "асеһіјкӏоряхуАЕКМОТ", strict=True)),
    **{digit: chr(0xFF10 + int(digit)) for digit in "0123456789"},
}
"""Letters of another script, and digits of full width, that look like the plain ones."""
_ALPHABETS = ("0123456789", "abcdef", "ABCDEF", string.ascii_lowercase[6:], string.ascii_uppercase[6:])
_ARABIC_ZERO = 0x660
_VERSION, _VARIANT = 14, 19
"""Where the version and the variant of a UUID stand in its text (RFC 9562)."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class NearMiss:
    """A wrong value.

    Args:
        name: In what it differs from the right one, such as ``the same in its first 8 characters``.
        sort: The kind of the edit; a scenario that cannot try all takes some of every sort.
        value: The value.
        same_form: Whether it is as long as the right one, with digits and letters in the same places.
    """

    name: str
    sort: str
    value: str
    same_form: bool


@dataclass(frozen=True)
class SameValue:
    """Another way to write a value.

    Args:
        name: How it is written.
        value: The value, so written.
        clause: What makes it the same.
    """

    name: str
    value: str
    clause: str


def _is_text(value: str) -> bool:
    """Whether a value is a text that JSON and UTF-8 carry: not empty, without NUL and halves of surrogate pairs."""
    return bool(value) and "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _is_visible(value: str) -> bool:
    """Whether a value can stand in a header field as it is: visible ASCII characters, blanks among them."""
    return bool(value) and value.isascii() and value.isprintable() and value.strip() == value


def _is_uuid(value: str) -> bool:
    """Whether a value has the form of a UUID: 8-4-4-4-12 hexadecimal digits."""
    blocks = value.split("-")
    return [len(block) for block in blocks] == [8, 4, 4, 4, 12] and set("".join(blocks)) <= set(
        "0123456789abcdefABCDEF"
    )


def _decoded(text: str) -> str:
    """What a text of base64 stands for, in hexadecimal, however it is padded; the text itself if it is none."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4)).hex()
    except ValueError:
        return text


def _plain_digits(text: str) -> str:
    """A text without blanks and characters that nobody sees, its digits plain ones."""
    seen = (each for each in text if not each.isspace() and unicodedata.category(each) != "Cf")
    return "".join(str(unicodedata.digit(each, each)) for each in seen)


@dataclass(frozen=True)
class Kind:
    """What is known of a kind of value.

    Args:
        fits: Whether a value can be sent in its place.
        folded: What two ways to write one value have in common.
        fixed: The positions of characters that say what the value is and are never changed.
        usual: Values that are the first to be guessed, and those that a maker leaves in for tests and for support.
    """

    fits: Callable[[str], bool] = _is_text
    folded: Callable[[str], str] = str
    fixed: tuple[int, ...] = ()
    usual: tuple[str, ...] = ()


TEXT = Kind()
"""A text in a body: every character of it counts."""
FIELD = Kind(_is_visible)
"""A text in a header field."""
UUID = Kind(_is_uuid, str.lower, (_VERSION, _VARIANT))
"""A UUID, which letter case does not tell from another (RFC 9562 section 4)."""
PIN = Kind(_is_text, _plain_digits, usual=("000000", "123456", "111111", "999999", "654321"))
"""The digits of a PIN; blanks and the digits of another script are what a form may take for the same."""
HEX = Kind(_is_text, str.lower)
"""A number in hexadecimal digits; no document says that letter case counts."""
BASE64 = Kind(_is_visible, _decoded)
"""Bytes in base64, which padding and pad bits do not tell from others (RFC 4648 section 3)."""


def misses(right: str, kind: Kind = TEXT, *, others: Iterable[str] = (), former: Iterable[str] = ()) -> list[NearMiss]:
    """The near misses of a value, sorts taking turns.

    Args:
        right: The right value.
        kind: What is known of it.
        others: Other values of the same kind.
        former: Values that were right before.
    """
    found: dict[str, list[NearMiss]] = {}
    seen = {kind.folded(right)}
    for sort, edits in _edits(right, kind, tuple(others), tuple(former)):
        for name, value in edits:
            if kind.fits(value) and kind.folded(value) not in seen:
                seen.add(kind.folded(value))
                found.setdefault(sort, []).append(NearMiss(name, sort, value, _shape(value) == _shape(right)))
    turns = zip_longest(*found.values())
    return [miss for turn in turns for miss in turn if miss is not None]


def chosen(found: Sequence[Found], ids: Ids, *, core: int, more: int = 0) -> list[Found]:
    """Some of many values, for a scenario that cannot try all: the first ones always, and others of the rest.

    Args:
        found: The values, the most telling ones first.
        ids: What the others are drawn from.
        core: How many are always among them.
        more: How many others are drawn.
    """
    rest = list(found[core:])
    drawn = [rest.pop(ids.below(len(rest))) for _ in range(min(more, len(rest)))]
    return [*found[:core], *drawn]


def _edits(
    right: str, kind: Kind, others: Sequence[str], former: Sequence[str]
) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """All edits of a value, by their sorts; the first four show a comparison of any part."""
    places = _places(right, kind)
    yield "last", _one_character(right, {"last": -1, "last but one": -2}, places)
    yield "first", _one_character(right, {"first": 0, "second": 1}, places)
    yield "middle", _one_character(right, {"middle": len(places) // 2, "fourth": 3, "seventh": 6}, places)
    yield "order", _orders(right, places)
    yield "case", _letter_case(right)
    yield "length", _lengths(right)
    yield "blanks", _blanks(right)
    yield "usual", (("one that many have", value) for value in kind.usual)
    yield "another", _of_others(others, former)
    yield "joined", _joined(right, others)
    yield "script", _scripts(right)
    yield "number", _numbers(right)
    yield "encoding", _encodings(right)
    yield "start", _alike_at_the_start(right, places)
    yield "end", _alike_at_the_end(right, places)
    yield "pattern", _patterns(right)


def _shape(value: str) -> str:
    """A value with each digit and letter replaced by its kind."""
    return re.sub("[A-Za-z]", "a", re.sub("[0-9]", "0", value))


def _changed(character: str) -> str:
    """Another character of the same kind, of a hexadecimal digit another such one; what is no letter or digit stays."""
    for alphabet in _ALPHABETS:
        if character in alphabet:
            return alphabet[(alphabet.index(character) + 1) % len(alphabet)]
    return character


def _changed_at(right: str, places: Iterable[int]) -> str:
    wanted = set(places)
    return "".join(_changed(each) if place in wanted else each for place, each in enumerate(right))


def _places(right: str, kind: Kind) -> list[int]:
    """Where a character can be changed to another of the same kind."""
    return [place for place, each in enumerate(right) if _changed(each) != each and place not in kind.fixed]


def _one_character(right: str, ordinals: Mapping[str, int], places: Sequence[int]) -> Iterator[tuple[str, str]]:
    for name, number in ordinals.items():
        if -len(places) <= number < len(places):
            yield f"with another {name} character", _changed_at(right, [places[number]])


def _orders(right: str, places: Sequence[int]) -> Iterator[tuple[str, str]]:
    for one, next_one in pairwise(places):
        if right[one] != right[next_one] and one + 1 == next_one:
            swapped = right[:one] + right[next_one] + right[one] + right[next_one + 1 :]
            yield "with two neighbouring characters in each other's place", swapped
            break
    yield "with its characters in reverse", right[::-1]


def _alike_at_the_start(right: str, places: Sequence[int]) -> Iterator[tuple[str, str]]:
    for length in _LENGTHS:
        if length < len(right):
            after = (place for place in places if place >= length)
            yield f"the same in its first {length} characters", _changed_at(right, after)


def _patterns(right: str) -> Iterator[tuple[str, str]]:
    yield "with the per cent sign of SQL for its last character", f"{right[:-1]}%"
    yield "with the underscore of SQL for its last character", f"{right[:-1]}_"
    yield "with an asterisk for its last character", f"{right[:-1]}*"
    yield "with the dot of regular expressions for its last character", f"{right[:-1]}."


def _alike_at_the_end(right: str, places: Sequence[int]) -> Iterator[tuple[str, str]]:
    for length in _LENGTHS:
        if length < len(right):
            before = (place for place in places if place < len(right) - length)
            yield f"the same in its last {length} characters", _changed_at(right, before)


def _lengths(right: str) -> Iterator[tuple[str, str]]:
    yield "without its last character", right[:-1]
    yield "with one more character", right + (right[-1] if right[-1].isalnum() else "0")
    for length in _LENGTHS:
        if length < len(right) - 1:
            yield f"cut to its first {length} characters", right[:length]
    yield "without its first character", right[1:]
    yield "twice", right * 2
    yield "its first character alone", right[:1]


def _letter_case(right: str) -> Iterator[tuple[str, str]]:
    yield "in capitals", right.upper()
    yield "in small letters", right.lower()
    yield "in the other letter case", right.swapcase()
    letters = [place for place, each in enumerate(right) if each.swapcase() != each]
    for place in letters[-1:]:
        yield "its last letter in the other case", right[:place] + right[place].swapcase() + right[place + 1 :]


def _blanks(right: str) -> Iterator[tuple[str, str]]:
    yield "with a blank behind it", f"{right} "
    yield "with a blank before it", f" {right}"
    middle = len(right) // 2
    yield "with a blank within", f"{right[:middle]} {right[middle:]}"
    yield "with a line feed behind it", f"{right}\n"
    yield "with a no-break space behind it", f"{right}\u00a0"
    if " " in right:
        yield "with two blanks for one", right.replace(" ", "  ", 1)


def _scripts(right: str) -> Iterator[tuple[str, str]]:
    for place, each in enumerate(right):
        if each in _LOOK_ALIKES:
            alike = _LOOK_ALIKES[each]
            yield f"with {unicodedata.name(alike)} for {each}", right[:place] + alike + right[place + 1 :]
            break
    yield "with a zero-width space behind it", f"{right}\u200b"
    for form in ("NFC", "NFD", "NFKC"):
        yield f"in the normal form {form}", unicodedata.normalize(form, right)
    wide = "".join(chr(ord(each) + 0xFEE0) if "!" <= each <= "~" else each for each in right)
    yield "in characters of full width", wide
    for plain, other in (("i", "ı"), ("I", "İ"), ("s", "ſ"), ("K", "\u212a"), ("k", "\u212a"), ("ss", "ß")):
        if plain in right:
            yield f"with {unicodedata.name(other)} for {plain}", right.replace(plain, other, 1)
    middle = len(right) // 2
    yield "with a soft hyphen within", f"{right[:middle]}\u00ad{right[middle:]}"


def _numbers(right: str) -> Iterator[tuple[str, str]]:
    if right.startswith("0") and right.isdecimal():
        yield "without the zeros before it", right.lstrip("0") or "0"
    yield "with a zero before it", f"0{right}"
    if right.isdecimal():
        yield "with a sign before it", f"+{right}"
        yield "with a fraction of nothing", f"{right}.0"
        yield "in hexadecimal", hex(int(right))
        yield "one more", str(int(right) + 1).zfill(len(right))
        yield "one less", str(abs(int(right) - 1)).zfill(len(right))


def _encodings(right: str) -> Iterator[tuple[str, str]]:
    encoded = right.encode(errors="replace")
    yield "with an escape for its last character", right[:-1] + f"%{ord(right[-1]) % 256:02x}"
    yield "in base64", base64.b64encode(encoded).decode()
    yield "in hexadecimal of its bytes", encoded.hex()
    try:
        yield "in base64 of the bytes that its digits are", base64.b64encode(bytes.fromhex(right)).decode()
    except ValueError:
        return


def _of_others(others: Sequence[str], former: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield from (("another of its kind", other) for other in others)
    yield from (("the one before it", old) for old in former)


def _joined(right: str, others: Sequence[str]) -> Iterator[tuple[str, str]]:
    for other in others:
        middle = len(right) // 2
        yield "its first half and another one's second", right[:middle] + other[middle:]
        yield "another one's first half and its second", other[:middle] + right[middle:]


def almost_uuids(right: str) -> list[NearMiss]:
    """Texts that are no UUID, and almost one."""
    forms = {"without its last digit": right[:-1], "with one more digit": f"{right}0"}
    return [NearMiss(name, "form", value, same_form=False) for name, value in forms.items()]


def respelt_uuids(right: str) -> list[NearMiss]:
    """Texts that libraries read as a UUID, and that have not its form of 8-4-4-4-12 digits (RFC 9562, section 4)."""
    digits = right.replace("-", "")
    forms = {
        "without hyphens": digits,
        "in braces": f"{{{right}}}",
        "as a URN": f"urn:uuid:{right}",
        "with a hyphen elsewhere": f"{digits[:9]}-{digits[9:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}",
    }
    return [NearMiss(name, "form", value, same_form=False) for name, value in forms.items()]


def kindred_uuids(right: str) -> list[NearMiss]:
    """UUIDs that differ from one in the digit of its version alone, or of its variant; none if it is no UUID."""
    if not _is_uuid(right):
        return []
    versions = [digit for digit in "47" if digit != right[_VERSION]]
    variants = [digit for digit in "8b" if digit != right[_VARIANT].lower()]
    digits = (("version", _VERSION, versions[0]), ("variant", _VARIANT, variants[0]))
    return [
        NearMiss(f"of another {name}", "kindred", right[:place] + digit + right[place + 1 :], same_form=False)
        for name, place, digit in digits
    ]


# ------------------------------------------------------------------------------------- what is the same by a standard


def uuids(right: str) -> list[SameValue]:
    """Other ways to write a UUID."""
    return [SameValue("in capitals", right.upper(), "RFC 9562 section 4: letter case does not count")]


def schemes(right: str) -> list[SameValue]:
    """Other ways to write the credentials in an Authorization field, the scheme before them."""
    scheme, _, rest = right.partition(" ")
    return [
        SameValue("its scheme in small letters", f"{scheme.lower()} {rest}", "RFC 9110 section 11.1"),
        SameValue("its scheme in capitals", f"{scheme.upper()} {rest}", "RFC 9110 section 11.1"),
        SameValue("two blanks behind its scheme", f"{scheme}  {rest}", "RFC 9110 section 11.4: one blank or more"),
    ]


def field_names(right: str) -> list[SameValue]:
    """Other ways to write the name of a header field."""
    clause = "RFC 9110 section 5.1: letter case does not count"
    return [SameValue("in small letters", right.lower(), clause), SameValue("in capitals", right.upper(), clause)]


def sequences_of_bytes(right: str) -> list[SameValue]:
    """Other ways to write a byte sequence in a structured field, from its base64 between the colons."""
    clause = "RFC 8941 section 4.2.7"
    bare = right.rstrip("=")
    found = [SameValue("without padding", bare, clause)] if bare != right else []
    return [*found, *(SameValue("with pad bits that are set", each, clause) for each in _with_pad_bits(right))]


def _with_pad_bits(right: str) -> Iterator[str]:
    """A text of base64 with the lowest of the bits set that its last character has too many, if it has any."""
    bare = right.rstrip("=")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    if bare != right and bare[-1] in alphabet:
        yield bare[:-1] + alphabet[alphabet.index(bare[-1]) | 1] + right[len(bare) :]


def hexadecimal(right: str) -> list[SameValue]:
    """Other ways to write a number in hexadecimal digits; of an Ethereum address, those without a checksum."""
    digits = right.removeprefix("0x")
    prefix = right[: len(right) - len(digits)]
    clause = "EIP-55: letter case is a checksum, and digits of one case have none"
    return [
        SameValue("in small letters", prefix + digits.lower(), clause),
        SameValue("in capitals", prefix + digits.upper(), clause),
    ]


def decimal_digits(right: str) -> list[SameValue]:
    """Other ways in which a person enters digits at a form, which it may take for the same or refuse."""
    clause = "no document says so: a form may do this"
    return [
        SameValue("with a blank behind it", f"{right} ", clause),
        SameValue("with a blank before it", f" {right}", clause),
        SameValue("with a blank within", f"{right[:3]} {right[3:]}", clause),
        SameValue("in digits of full width", "".join(chr(0xFF10 + int(each)) for each in right), clause),
        SameValue("in Arabic digits", "".join(chr(_ARABIC_ZERO + int(each)) for each in right), clause),
    ]
