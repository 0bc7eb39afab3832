"""A document as its statements: sentences, members, statuses and printed blocks, each with a digest of its text."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_METHODS = "GET|POST|PUT|PATCH|DELETE"
_METHOD_ALONE = re.compile(rf"({_METHODS})", re.IGNORECASE)
_REQUEST_LINE = re.compile(rf"({_METHODS}) \S+ HTTP/[\d.]+")
_STATUS = re.compile(r"[1-5]\d\d")
_MEMBER = re.compile(r"\S+?(string|integer|number|boolean|object|array|any|enum)(\W+[\w-]+)?(Required|Optional)")
_HEADING = re.compile(r"(Header|Path|Query) parameters|Body|Responses|Authorizations")
_MENU_ENTRY = "\u2022"
_OPENS, _CLOSES = "{[", "}]"
_QUOTES = str.maketrans("", "", "'\"")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z[(])")
_LOST_LINE_END = re.compile(r"(?<=[a-z]\.)(?=\w+: )")
_NUMBER = re.compile(r"\d+\.")
_ENDS = (".", "!", "?", ":", ";", ",")
_LONG_ENOUGH = 4
"""How many words a line has at least whose sentence goes on in the next."""


@dataclass(frozen=True)
class Passage:
    """A statement of a document, where it stands.

    Args:
        text: What it says, normalised.
        line: The number of the line in which it begins, from 1.
    """

    text: str
    line: int

    @property
    def digest(self) -> str:
        """The SHA-256 of the text, as 64 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def normalised(text: str) -> str:
    """A text without what differs between two copies of one page.

    Quotation marks and characters beyond ASCII, such as the pictures of a menu, go; white space becomes one blank.
    """
    plain = " ".join(text.split()).encode("ascii", "ignore").decode()
    return " ".join(plain.translate(_QUOTES).split())


def split(document: str) -> tuple[Passage, ...]:
    """The statements of a document, in its order.

    A sentence is one; so is a heading, a member of a schema with its description, a status with its meaning, a printed
    request without its body, a printed body, and a menu.

    Args:
        document: The text of the page, as it is copied from a browser.
    """
    lines = [line.strip() for line in document.splitlines()]
    return tuple(Passage(text, start + 1) for start, block in _blocks(lines) for text in map(normalised, block) if text)


def _blocks(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Each block of a document, as the index of its first line and the statements in it."""
    plain = [normalised(line) for line in lines]
    at = 0
    while at < len(lines):
        end = _end_of_block(lines, plain, at)
        if end is not None:
            yield at, [" ".join(lines[at:end])]
        else:
            end = _end_of_prose(plain, at)
            yield at, _sentences(" ".join(lines[at:end]))
        at = end


def _end_of_block(lines: Sequence[str], plain: Sequence[str], at: int) -> int | None:
    """The index of the line after the block that begins at a line, None if prose begins there."""
    first = plain[at]
    if lines[at].startswith(_MENU_ENTRY):
        return _last_of(lines, at, lambda line: line.startswith(_MENU_ENTRY))
    if first.startswith(tuple(_OPENS)) and not first.startswith("[!"):
        return _after_brackets(lines, at)
    if _STATUS.fullmatch(first):
        return _last_of(plain, at, lambda line: bool(line) and not _begins_another(line))
    if _REQUEST_LINE.fullmatch(first):
        return _last_of(plain, at, lambda line: bool(line) and not line.startswith(tuple(_OPENS)))
    if _MEMBER.fullmatch(first):
        return _after_member(plain, at)
    return None


def _last_of(lines: Sequence[str], at: int, belongs: Callable[[str], bool]) -> int:
    end = at + 1
    while end < len(lines) and belongs(lines[end]):
        end += 1
    return end


def _begins_another(line: str) -> bool:
    return any(pattern.fullmatch(line) for pattern in (_STATUS, _METHOD_ALONE, _REQUEST_LINE))


def _after_brackets(lines: Sequence[str], at: int) -> int:
    depth = 0
    for number in range(at, len(lines)):
        bare = re.sub(r'"(\\.|[^"\\])*"', "", lines[number])
        depth += sum(map(bare.count, _OPENS)) - sum(map(bare.count, _CLOSES))
        if depth <= 0:
            return number + 1
    return len(lines)


def _after_member(plain: Sequence[str], at: int) -> int:
    """The index of the line after a member of a schema, its description and its example."""
    end, filled = at + 1, [number for number in range(at + 1, len(plain)) if plain[number]][:2]
    if filled and not any(pattern.fullmatch(plain[filled[0]]) for pattern in (_MEMBER, _HEADING)):
        end = filled[0] + 1
        if filled[1:] and plain[filled[1]].startswith("Example:"):
            end = filled[1] + 1
    return end


def _end_of_prose(plain: Sequence[str], at: int) -> int:
    """The index of the line after a paragraph; a browser breaks a sentence before code, which begins in lower case."""
    end = at + 1
    while (
        end < len(plain)
        and plain[end][:1].islower()
        and len(plain[end - 1].split()) >= _LONG_ENOUGH
        and not plain[end - 1].endswith(_ENDS)
    ):
        end += 1
    return end


def _sentences(paragraph: str) -> list[str]:
    found = [part for sentence in _SENTENCE_END.split(paragraph) for part in _definitions(sentence)]
    if len(found) > 1 and _NUMBER.fullmatch(found[0]):
        found[:2] = [f"{found[0]} {found[1]}"]
    return found


def _definitions(sentence: str) -> list[str]:
    """The parts of a sentence between which a line end was lost, each of which begins with a name and a colon."""
    cuts = [match.start() for match in _LOST_LINE_END.finditer(sentence) if " " in sentence[: match.start()]]
    return [sentence[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
