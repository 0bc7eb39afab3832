"""Files that mean harm: each kind in several shapes, and the commands that are to read them."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.files import data_path

TEST = "customer/a_body_that_is_no_json_is_refused"
_CASSETTE = f"cassettes/offblocks/{TEST}.yaml"
_REPLAY = ("run", "offblocks", "--cassettes", "cassettes", "--workers", "1", "--rule", "offblocks.customer.*")
_DESCRIPTION = ("new-api", "hostile", "--openapi", "openapi.yaml")
_LIVE = ("run", "offblocks", "--target", "live")
_DEEP = 100_000


@dataclass(frozen=True)
class Shape:
    """One way in which a file means harm.

    Args:
        kind: What it tries.
        name: How it tries it.
        arguments: The command that is to read it.
        make: What makes it in a folder.
    """

    kind: str
    name: str
    arguments: tuple[str, ...]
    make: Callable[[Path], None]


def _cassette(content: str) -> Callable[[Path], None]:
    return _file(_CASSETTE, content)


def _file(name: str, content: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    return make


def _altered(old: str, new: str) -> Callable[[Path], None]:
    """A shipped cassette in which something stands otherwise."""

    def make(folder: Path) -> None:
        text = data_path(f"cassettes/offblocks/{TEST}.yaml").read_text(encoding="utf-8")
        _cassette(text.replace(old, new, 1))(folder)

    return make


def _large(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            file.truncate(300 * 1024 * 1024)

    return make


def _pipe(name: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(folder / name)

    return make


def _folder(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).mkdir(parents=True)


def _aliases(times: int) -> str:
    return "\n".join(["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * times)}]" for n in range(1, 30))])


def shapes() -> Iterator[Shape]:
    """All kinds of files, each in at least three shapes."""
    for kind, named in _KINDS.items():
        for name, (arguments, make) in named.items():
            yield Shape(kind, name, arguments, make)


_KINDS: Mapping[str, Mapping[str, tuple[tuple[str, ...], Callable[[Path], None]]]] = {
    "a file that is nested": {
        "a cassette of brackets": (_REPLAY, _cassette("[" * _DEEP)),
        "a cassette of dashes": (_REPLAY, _cassette("- " * _DEEP)),
        "a description of mappings": (_DESCRIPTION, _file("openapi.yaml", '{"a":' * _DEEP)),
        "a description of JSON": (_DESCRIPTION, _file("openapi.yaml", "[" * _DEEP + "]" * _DEEP)),
    },
    "a file that grows by aliases": {
        "a cassette": (_REPLAY, _cassette(_aliases(9))),
        "a description": (_DESCRIPTION, _file("openapi.yaml", _aliases(9))),
        "of what they stand in": (_REPLAY, _cassette("&a [*a]")),
    },
    "a file that is long": {
        "a cassette": (_REPLAY, _large(_CASSETTE)),
        "a description": (_DESCRIPTION, _large("openapi.yaml")),
        "settings": (_LIVE, _large(".env")),
    },
    "no file": {
        "a cassette that is a folder": (_REPLAY, _folder(_CASSETTE)),
        "a cassette that is a pipe": (_REPLAY, _pipe(_CASSETTE)),
        "a description that is a device": (("new-api", "hostile", "--openapi", "/dev/zero"), lambda _: None),
        "settings that are a pipe": (_LIVE, _pipe(".env")),
        "settings that are a folder": (_LIVE, _folder(".env")),
        "settings that are a link to themselves": (_LIVE, lambda folder: (folder / ".env").symlink_to(".env")),
    },
    "a scalar without sense": {
        "a date": (_REPLAY, _cassette("a: 2026-99-99")),
        "a number of many digits": (_REPLAY, _cassette("a: " + "9" * 5000)),
        "a word for a truth": (_DESCRIPTION, _file("openapi.yaml", "a: !!bool abc")),
        "an object of Python": (_REPLAY, _cassette("!!python/name:os.system a")),
    },
    "a cassette without sense": {
        "half an address": (_REPLAY, _altered("base_url: ", "base_url: http://[::1 #")),
        "an address with NUL": (_REPLAY, _altered("base_url: ", 'base_url: "http://a\\0b" #')),
        "a body that is a number": (_REPLAY, _altered("string: ", "string: 5 #")),
        "a body that is a mapping": (_REPLAY, _altered("string: ", "string: {a: 1} #")),
        "settings without components": (_REPLAY, _altered("  components: ", "  other: ")),
        "components that are none": (_REPLAY, _altered("components: '", "components: '\"@nope ")),
    },
}
