"""The words of a command line as the shell reads it that it was written for: POSIX, Windows' cmd, or PowerShell."""

import re
import shlex
from collections.abc import Sequence

__all__ = ["words_of"]

_CONTINUATION = re.compile(r"\\\r?\n")
_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_CMD = re.compile(r'\^(?:\r?\n|")')
_POWERSHELL = re.compile(r"`\r?\n")
_OPERATORS = {";", "&", "&&", "|", "||", ">", ">>", "2>", "2>&1", "<"}
"""What ends a command, or says where its output goes."""
_TAKING_ANY_TEXT = {"-d", "--data", "--data-raw", "--data-binary", "--json"}


def words_of(text: str) -> list[str]:
    """The words of the first command in a text.

    For a POSIX shell they may have the quotes $'...' that browsers write. A line that goes on after a caret, or a quote
    behind one, is for cmd; a line that goes on after a backtick is for PowerShell.

    Raises:
        ValueError: If a quote is not closed.
    """
    text = text.strip()
    if _CMD.search(text):
        return _first_command(_arguments(_without_carets(text)))
    if _POWERSHELL.search(text):
        return _first_command(_words_for_powershell(_POWERSHELL.sub(" ", text)))
    joined = _CONTINUATION.sub(" ", text)
    return _first_command(shlex.split(_ANSI_C.sub(lambda found: shlex.quote(_unescaped(found[1])), joined)))


def _first_command(words: Sequence[str]) -> list[str]:
    """The words up to an operator; a body that reads like one is none."""
    before = ["", *words]
    ends = (at for at, word in enumerate(words) if word in _OPERATORS and before[at] not in _TAKING_ANY_TEXT)
    return list(words[: next(ends, len(words))])


def _unescaped(text: str) -> str:
    def one(found: re.Match[str]) -> str:
        digits = found[1] or found[2]
        return chr(int(digits, 16)) if digits else _ESCAPES.get(found[3], found[3])

    return _ESCAPE.sub(one, text)


def _without_carets(text: str) -> str:
    """A command line as cmd passes it on: a caret outside of quotes takes the next character as it is."""
    passed: list[str] = []
    quoted, at = False, 0
    text = text.replace("\r\n", "\n")
    while at < len(text):
        letter = text[at]
        if letter == "^" and not quoted:
            at += 1
            following = text[at : at + 1]
            if following == "\n":  # the line goes on; of two line ends the second one is meant
                following = "\n" if text[at + 1 : at + 2] == "\n" else ""
                at += bool(following)
            passed.append(following)
        else:
            quoted ^= letter == '"'
            passed.append(letter)
        at += 1
    return "".join(passed)


def _arguments(line: str) -> list[str]:
    """The arguments that a program of Windows takes a command line for: a backslash escapes nothing but a quote."""
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    for found in re.finditer(r'(\\*)"|(\\+)|(\s)|([^\\"\s]+)', line):
        slashes, others, blank, plain = found.groups()
        if blank is not None and not quoted:
            words += [] if word is None else ["".join(word)]
            word = None
            continue
        word = [] if word is None else word
        if slashes is None:
            word.append(others or blank or plain)
            continue
        word.append("\\" * (len(slashes) // 2))
        if len(slashes) % 2:
            word.append('"')
        else:
            quoted = not quoted
    if quoted:
        raise ValueError("No closing quotation")
    return words if word is None else [*words, "".join(word)]


def _words_for_powershell(line: str) -> list[str]:
    """The words of PowerShell: in single quotes two of them are one, in double quotes a backtick escapes.

    A quote behind a backslash is one for the program, as the PowerShell of Windows passes it on.
    """
    words: list[str] = []
    for found in re.finditer(r"(?:'(?:[^']|'')*'|\"(?:[^\"`\\]|[`\\].|\"\")*\"|[^\s'\"]+)+", line, re.DOTALL):
        parts = re.findall(r"'((?:[^']|'')*)'|\"((?:[^\"`\\]|[`\\].|\"\")*)\"|([^\s'\"]+)", found[0], re.DOTALL)
        word = "".join(
            single.replace("''", "'") + re.sub(r'`(.)|""', lambda each: each[1] or '"', double, flags=re.DOTALL) + bare
            for single, double, bare in parts
        )
        words.append(word.replace('\\"', '"'))
    return words
