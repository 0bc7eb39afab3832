"""What both servers share at the command line."""

import argparse
import json
import shlex
import socket
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any


def add_arguments(parser: argparse.ArgumentParser, wrongs: Iterable[str]) -> None:
    parser.add_argument("--port", type=int, default=0, help="the port; a free one if it is left out")
    parser.add_argument("--webhook-url", default="", help="where a run receives events")
    parser.add_argument("--choice", action="append", default=[], metavar="NAME=JSON", help="a choice made otherwise")
    parser.add_argument("--wrong", action="append", default=[], choices=sorted(wrongs), help="a mistake to make")


def chosen(choices: Any, texts: list[str]) -> Any:
    changed = {name: json.loads(text) for name, _, text in (one.partition("=") for one in texts)}
    if unknown := changed.keys() - {one.name for one in fields(choices)}:
        raise ValueError(f"no such choice: {', '.join(sorted(unknown))}")
    return replace(choices, **changed)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def tell(settings: Mapping[str, str]) -> None:
    """Prints what a run has to be told, as lines for a shell."""
    sys.stdout.write("".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()))
    sys.stdout.flush()
