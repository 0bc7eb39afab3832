"""How a secret may be written, and where any of many texts stand in another one."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping

UNMISTAKABLE = 8
"""From how many characters on no other text holds a secret by chance."""
PART = 12
"""From how many characters on a part of a secret is hidden like the whole."""
_MOST_IN_AN_EXPRESSION = 400
"""How many texts are looked for by one regular expression, whose time grows with their number."""
_ARMOR = re.compile(r"-----[A-Z ]+-----")

Place = tuple[int, int, str]
"""Where a text begins and ends within another one, and what to write instead."""


def plain_forms(value: str) -> list[str]:
    """The ways in which a secret is written: as it is, in a form, or in a JSON string, slashes escaped or not."""
    quoted = [json.dumps(value, ensure_ascii=plain)[1:-1] for plain in (True, False)]
    slashed = [each.replace("/", "\\/") for each in quoted]
    return list(dict.fromkeys([value, *quoted, *slashed, value.replace(" ", "+")]))


def coded_forms(value: str) -> list[str]:
    """What base64 and hex make of a secret, alone and within something longer, the longest first.

    In base64 it depends on the neighbours by which bits a secret begins and ends; the characters between are its own.
    """
    secret = value.encode("utf-8", "surrogatepass")
    found = {secret.hex(), secret.hex().upper()}
    for alphabet in (b"+/", b"-_"):
        for before in range(3):
            coded = base64.b64encode(bytes(before) + secret, alphabet).decode()
            found.add(coded[(before * 8 + 5) // 6 : (before + len(secret)) * 8 // 6])
            if not before:
                found |= {coded, coded.rstrip("=")}
    return sorted((each for each in found if len(each) >= UNMISTAKABLE), key=len, reverse=True)


class Forms:
    """Texts to find, each with what to write instead.

    Args:
        within_words: Whether they are found within words even if they are short.
        seldom: Whether hardly any text holds one of them, so that it pays to look whether it does.
    """

    def __init__(self, *, within_words: bool = False, seldom: bool = False) -> None:
        self._within_words = within_words
        self._seldom = seldom
        self._instead: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._index: _Index | None = None

    def add(self, forms: Iterable[str], placeholder: str, *, own: str | None = None) -> None:
        """Add texts, those that are there already excepted, unless it is a secret's `own` form."""
        for form in forms:
            self._instead.setdefault(form, placeholder)
        if own is not None:
            self._instead[own] = placeholder
        self._pattern = self._index = None

    def places(self, text: str) -> list[Place]:
        """Where they stand, from the left, the longest first; no two places overlap."""
        if not self._instead:
            return []
        if len(self._instead) > _MOST_IN_AN_EXPRESSION:
            self._index = self._index or _Index(self._instead)
            return list(self._index.places(text))
        if self._seldom and not any(form in text for form in self._instead):
            return []
        if self._pattern is None:
            longest_first = sorted(self._instead, key=len, reverse=True)
            write = re.escape if self._within_words else _expression
            self._pattern = re.compile("|".join(map(write, longest_first)))
        return [(*match.span(), self._instead[match[0]]) for match in self._pattern.finditer(text)]


def _expression(secret: str) -> str:
    """The expression that finds a secret; one so short that words hold it is found where it stands alone."""
    found = re.escape(secret)
    return found if len(secret) >= UNMISTAKABLE else rf"(?<![0-9A-Za-z]){found}(?![0-9A-Za-z])"


def _in_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


class _Index:
    """Finds very many texts in a time that hardly grows with their number.

    Args:
        instead: The texts, each with what to write instead.
    """

    def __init__(self, instead: Mapping[str, str]) -> None:
        self._instead = instead
        self._lengths: dict[str, list[int]] = {}
        for form in sorted(instead, key=len, reverse=True):
            lengths = self._lengths.setdefault(form[:UNMISTAKABLE], [])
            if not lengths or lengths[-1] != len(form):
                lengths.append(len(form))
        self._short = sorted({len(form) for form in instead if len(form) < UNMISTAKABLE}, reverse=True)

    def places(self, text: str) -> Iterator[Place]:
        """Where they stand."""
        at, known = 0, self._lengths
        while at < len(text):
            lengths = known.get(text[at : at + UNMISTAKABLE])
            found = self._longest(text, at, lengths) if lengths or self._short else 0
            if found:
                yield at, at + found, self._instead[text[at : at + found]]
            at += found or 1

    def _longest(self, text: str, at: int, lengths: Iterable[int] | None) -> int:
        for length in lengths or ():
            if length >= UNMISTAKABLE and text[at : at + length] in self._instead:
                return length
        if self._short and not _in_word(text[at - 1 : at]):
            for length in self._short:
                if text[at : at + length] in self._instead and not _in_word(text[at + length : at + length + 1]):
                    return length
        return 0


class Parts:
    """Parts of secrets: every piece of so many characters, in any of the forms that a secret may have.

    What a private key has in common with all others, the lines around it, is no secret.
    """

    def __init__(self) -> None:
        self._pieces: dict[str, str] = {}
        self._blocks: set[str] = set()

    def add(self, value: str, placeholder: str) -> None:
        """Add a secret."""
        for piece in _ARMOR.sub("", value).split("\n"):
            for form in [*plain_forms(piece), *coded_forms(piece)]:
                for start in range(len(form) - PART + 1):
                    found = form[start : start + PART]
                    if found not in f"{placeholder}-":  # or what is hidden would be hidden again
                        self._pieces.setdefault(found, placeholder)
                half = PART // 2
                self._blocks |= {form[start : start + half] for start in range(0, len(form) - half + 1, half)}

    def places(self, text: str) -> list[Place]:
        """Where they stand, from the left; neighbours are one place."""
        if not any(block in text for block in self._blocks):  # every piece holds one of them whole
            return []
        found: list[Place] = []
        for start in range(len(text) - PART + 1):
            placeholder = self._pieces.get(text[start : start + PART])
            if placeholder is None:
                continue
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], start + PART, found[-1][2])
            else:
                found.append((start, start + PART, placeholder))
        return found
