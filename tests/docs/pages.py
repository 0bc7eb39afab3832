"""The commands and snippets that the pages print, each with its place."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "benchmarks/README.md", "evidence/README.md")
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SEPARATORS = {"&&", "||", "|", ";", "&"}


@dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Args:
        page: The page, from the root of the repository.
        language: What it is written in; empty if the page does not say.
        text: The block, without what the page indents it by.
    """

    page: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text.strip().splitlines()[0][:60]}"


def blocks() -> list[Block]:
    """Every block of every page that people write, but for the pages of examples, which have tests of their own."""
    paths = [*(CHECKOUT / page for page in PAGES), *sorted((CHECKOUT / "docs").glob("*.md"))]
    return [block for path in paths for block in blocks_of(path.relative_to(CHECKOUT).as_posix(), path.read_text())]


def blocks_of(page: str, text: str) -> Iterator[Block]:
    """The blocks of one page."""
    for indent, language, content in _FENCE.findall(text):
        yield Block(page, language, re.sub(rf"^{indent}", "", content, flags=re.MULTILINE))


def commands(block: Block) -> Iterator[str]:
    """The single commands of a block for a shell, without comments, settings before them and where output goes."""
    for line in block.text.replace("\\\n", " ").splitlines():
        words: list[str] = []
        for word in [*shlex.split(line, comments=True), ";"]:
            if word not in _SEPARATORS:
                words.append(word)
                continue
            if found := _command(words):
                yield found
            words = []


def _command(words: list[str]) -> str:
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if ">" in words:
        words = words[: words.index(">")]
    return shlex.join(words)


def elsewhere() -> dict[str, Any]:
    """What is not run here, with the reason."""
    listed: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "elsewhere.yaml").read_text(encoding="utf-8"))
    return listed
