"""Secrets that are planted in settings, the command lines that they are planted for, and where they are found."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml

from conformance.commands.scan import found_in
from tools.hostile.harms import ECHOES
from tools.hostile.server import Asked, Harm, well_behaved

_PLANTED = {
    "planbok": {
        "API_KEY": 'planted"key\\with/signs+and=more-8Jq2vX5mN7bR4tY1wZ3c',
        "READ_ONLY_KEY": "planted-read-only-Hk3Lp9Qx2Wv7Zs",
        "WEBHOOK_SECRET": "planted-webhook-secret-Bn6Md4Fg1Tj8Yc",
        "SECOND_API_KEY": "planted-second-key-Xc5Vb7Nm2As4Df",
        "SECOND_WEBHOOK_SECRET": "planted-second-webhook-Po9Iu8Yt6Re",
    },
    "offblocks": {
        "API_KEY": "planted-api-key-Qw3Er5Ty7Ui9Op",
        "API_SECRET": "planted-api-secret-Zx2Cv4Bn6Ml8Kj",
        "SECOND_API_KEY": "planted-second-api-key-Gh5Fd3Sa1",
        "SECOND_API_SECRET": "planted-second-secret-Lk7Jh5Gf3Ds",
    },
}
"""What stands in the settings of each API, by the ends of their names."""


@dataclass(frozen=True)
class Case:
    """One command line.

    Args:
        api: The API whose settings are planted.
        arguments: The arguments; SERVER stands for the origin of the server.
        harm: What the server does.
        chosen: What chooses the requests that it does it for.
    """

    api: str
    arguments: tuple[str, ...]
    harm: Harm
    chosen: Callable[[Asked], bool]


def plant(settings: Mapping[str, str], api: str) -> dict[str, str]:
    """The settings with planted secrets."""
    return {**settings, **{f"CONFORMANCE_{api.upper()}_{name}": value for name, value in _PLANTED[api].items()}}


def cases() -> Iterator[Case]:
    """The command lines."""
    few = ("--examples", "1", "--time-limit", "5", "--workers", "1")
    for api in _PLANTED:
        live, webhooks = ("run", api, "--target", "live", "--report", "out"), ("--rule", f"{api}.webhook.*")
        lines: list[tuple[str, ...]] = [
            (*live, "--rule", f"{api}.*.*", *few),
            (*live, "-v", *webhooks, *few),
            ("record", api, "--target", "live", "--cassettes", "out", *webhooks, "--examples", "1"),
        ]
        for arguments in lines:
            yield from (Case(api, arguments, harm, _all) for harm in ECHOES.values())
        others: list[tuple[str, ...]] = [
            ("run", api, "--rule", f"{api}.response.*", "--report", "out"),
            ("run", api, "--target", "documents", "--report", "out"),
            ("run", api, "--target", "sandbox", *webhooks, "--report", "out", *few),
            ("doctor",),
            ("doctor", "--scan", "."),
            ("doctor", "--probe", api),
            ("rules",),
            ("pin", "SERVER/gateway/challenges/none", "--pin", "482913"),
        ]
        for arguments in others:
            yield Case(api, arguments, ECHOES["as a refusal of access"], _all)
    yield Case("offblocks", ("doctor", "--probe", "offblocks"), well_behaved, _all)


def _all(_asked: Asked) -> bool:
    return True


def found(folder: Path, settings: Mapping[str, str]) -> list[str]:
    """What the scan finds in a folder of the planted secrets."""
    import os  # noqa: PLC0415  (the settings are those of the environment for as long as this takes)

    before = dict(os.environ)
    os.environ.update(settings)
    try:
        return [each.replace(str(folder), "") for each in found_in(folder)]
    finally:
        os.environ.clear()
        os.environ.update(before)


def is_whole(path: Path) -> bool:
    """Whether a file is one that a command writes, and has its end."""
    try:
        content = path.read_text(encoding="utf-8")
        match path.suffix:
            case ".json":
                json.loads(content)
            case ".xml":
                ET.fromstring(content)  # noqa: S314  (ours)
            case ".yaml":
                return "interactions" in yaml.load(content, Loader=yaml.CSafeLoader)
            case ".html":
                return content.rstrip().endswith("</html>")
            case _:
                return False
    except (ValueError, ET.ParseError, yaml.YAMLError):
        return False
    return True
