"""Links of a page of the repository, as the site has them: to another page, or to a page that shows a file."""

import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import normpath, relpath

from tools.site.text import outside_code

PAGES = {
    "docs": "",
    "benchmarks/README.md": "costs.md",
    "evidence/README.md": "evidence.md",
    "examples/project/README.md": "project.md",
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "specs/offblocks/openapi.yaml": "judged/offblocks.md",
    "specs/planbok/openapi.yaml": "judged/planbok.md",
    "specs/offblocks/rules.yaml": "rules/offblocks.md",
    "specs/planbok/rules.yaml": "rules/planbok.md",
    "specs/schemas/control.json": "control.md",
    "evidence/mutants.json": "mutants.md",
}
"""Where the site has what the repository has at another place; a folder stands for what is in it."""

_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
_MOST_SHOWN = 200_000


class DeadLinkError(ValueError):
    """A page links to something that the repository does not have; the message says which."""


def place_of(path: str) -> str:
    """Where the site shows a file or a folder of the repository.

    Args:
        path: From the root of the repository.
    """
    if path in PAGES:
        return PAGES[path]
    folder, _, name = path.rpartition("/")
    if folder == "docs" and name.endswith(".md"):
        return name
    return f"{'files' if name else 'files/index'}/{path}.md"


class Links:
    """What the pages link to.

    Args:
        checkout: The root of the repository.
    """

    def __init__(self, checkout: Path) -> None:
        self._checkout = checkout
        self._shown: dict[str, Path] = {}

    def rewritten(self, text: str, path: str) -> str:
        """A page with the links that the site needs.

        Args:
            text: The page in Markdown.
            path: Where the repository has it.

        Raises:
            DeadLinkError: If it links to what the repository does not have.
        """
        here = place_of(path).rpartition("/")[0]

        def on_the_site(link: re.Match[str]) -> str:
            target = normpath(f"{path.rpartition('/')[0] or '.'}/{link[1]}")
            found = self._checkout / target
            if not found.exists() or target.startswith(".."):
                raise DeadLinkError(f"{path} links to {link[1]}, which is not there.")
            if found.is_dir() and (found / "README.md").is_file():
                target = f"{target}/README.md"
            place = place_of(target)
            if place.startswith("files/"):
                self._shown[target] = self._checkout / target
            return relpath(place, here or ".") + (link[2] or "")

        return outside_code(text, lambda line: _LINK.sub(on_the_site, line))

    def files(self) -> dict[str, str]:
        """The pages that show the files and folders that were linked to, by place."""
        return dict(self._pages())

    def _pages(self) -> Iterator[tuple[str, str]]:
        waiting = dict(self._shown)
        while waiting:
            target, path = waiting.popitem()
            yield place_of(target), _folder(path, target, waiting) if path.is_dir() else _file(path, target)


def _folder(path: Path, target: str, waiting: dict[str, Path]) -> str:
    """A page that lists what is in a folder; its files want pages too."""
    names = sorted(each.name for each in path.iterdir() if each.is_file() and not each.name.startswith("."))
    waiting |= {f"{target}/{name}": path / name for name in names}
    here = place_of(target).rpartition("/")[0]
    return f"# {target}\n\n" + "".join(f"- [{each}]({relpath(place_of(f'{target}/{each}'), here)})\n" for each in names)


def _file(path: Path, target: str) -> str:
    content = path.read_text(encoding="utf-8")
    if len(content) > _MOST_SHOWN:
        return f"# {target}\n\nA file of {len(content) // 1000} kB, too long to be shown here.\n"
    language = {".py": "python", ".mjs": "js", ".yml": "yaml", ".toml": "toml"}.get(path.suffix, "")
    fence = "`" * max(3, *(len(each) + 1 for each in re.findall(r"`+", content)), 3)
    return f"# {target}\n\n{fence}{language}\n{content}\n{fence}\n"
