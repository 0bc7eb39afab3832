"""Every command and snippet of README and the pages is run, or listed in elsewhere.yaml with the reason."""

import configparser
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from inspect import signature
from pathlib import Path
from shutil import which
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from conformance.cli import app
from conformance.clock import SystemClock
from conformance.planbok.webhooks import Inbox, WebhookRejected, sign
from conformance.sandbox.remote import World
from conformance.sandbox.server import RunningSandbox

from .pages import Block, blocks, blocks_of, commands, elsewhere

BLOCKS = blocks()
ELSEWHERE = elsewhere()
LISTED = {each["begins"]: each["why"] for each in ELSEWHERE["commands"]}
SHOWN = {"text", "ini", "toml", "yaml", "json"}
SERVING = ("conformance sandbox", "conformance proxy", "conformance webhooks check", "conformance pin")
"""What goes on until somebody ends it, or needs somebody to answer: here its options are read; others test it."""

FEW = "offblocks.authentication.token-issued"
"""The rules that a run is narrowed to, so that it takes a second."""

ENDS = {
    "conformance run offblocks --target sandbox --base-url offblocks=http://127.0.0.1:8080/offblocks": (0,),
    "conformance explain request": (1,),
    "conformance judge": (0, 1, 3),
}
"""The exit codes of commands that do not end with 0, by their beginning; what they are about is made up here."""


def is_this(listed: dict[str, str], block: Block) -> bool:
    return block.page == listed["page"] and block.text.lstrip().startswith(listed["begins"])


def all_commands() -> list[str]:
    return list(dict.fromkeys(each for block in BLOCKS if block.language == "sh" for each in own(block)))


def own(block: Block) -> Iterator[str]:
    return iter(()) if is_elsewhere(block) else commands(block)


def is_elsewhere(block: Block) -> bool:
    return any(is_this(each, block) for each in ELSEWHERE["blocks"])


def reason(command: str) -> str | None:
    return next((why for begins, why in LISTED.items() if command.startswith(begins)), None)


COMMANDS = [each for each in all_commands() if reason(each) is None]


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("conformance ")])
def test_a_command_of_a_page_runs(command: str, settings: Path, running: RunningSandbox) -> None:
    (settings / "our_faults.py").write_text(fault_of_the_page(), encoding="utf-8")
    words = shlex.split(command.replace("http://127.0.0.1:8080", running.origin))[1:]
    if command.startswith(SERVING):
        read(words)
        return
    result = CliRunner().invoke(app, narrowed(words))
    expected = next((codes for begins, codes in ENDS.items() if command.startswith(begins)), (0,))
    assert result.exit_code in expected, f"{result.output}\n{result.exception}"


def narrowed(words: list[str]) -> list[str]:
    """A command on few rules, if it judges many."""
    if words[0] not in {"run", "record"}:
        return words
    if "--rule" in words:
        place = words.index("--rule")
        words = [*words[:place], *words[place + 2 :]]
    api = [] if {"offblocks", "planbok"} & set(words) else ["offblocks"]
    aside = ["--cassettes", "recorded"] if words[0] == "record" and "--cassettes" not in words else []
    return [*words, *api, *aside, "--rule", FEW]


def read(words: list[str]) -> None:
    """Read the options of a command as it does when it is run."""
    command: click.Command = app
    while isinstance(command, click.Group):
        context = click.Context(command)
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    command.make_context("conformance", words)


def fault_of_the_page() -> str:
    (found,) = [each.text for each in BLOCKS if each.page == "docs/add-a-fault.md" and each.language == "python"]
    return found


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.startswith("curl ")])
def test_a_request_of_a_page_is_answered(command: str, unused: RunningSandbox, tmp_path: Path) -> None:
    if which("curl") is None:
        pytest.skip("curl is not installed")
    words = shlex.split(command.replace("localhost:8080", unused.origin))
    done = subprocess.run([*words, "-sS", "--fail"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) is not None


def test_every_command_is_run_or_listed() -> None:
    left = [each for each in COMMANDS if not each.startswith(("conformance ", "curl ", "export "))]
    assert left == []


def test_what_is_listed_stands_on_a_page() -> None:
    assert [begins for begins in LISTED if not any(each.startswith(begins) for each in all_commands())] == []
    assert [each for each in ELSEWHERE["blocks"] if not any(is_this(each, block) for block in BLOCKS)] == []


# ------------------------------------------------------------------------------------------------------------ snippets


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reader's own client, importable as the pages import it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "stand_ins"))
    yield
    sys.modules.pop("our_client", None)


class Logged(list[str]):
    """A log as the snippets use one."""

    def warning(self, form: str, *arguments: object) -> None:
        self.append(form % arguments)


class Asked:
    """A request as a framework gives it."""

    def __init__(self, headers: dict[str, str], body: bytes) -> None:
        self.headers, self.body = headers, body


def receives_webhooks(given: dict[str, Any]) -> None:
    now = SystemClock().now()
    body = json.dumps({"event": "wallet.created", "timestamp": now.isoformat(), "data": {"id": "1"}}).encode()
    headers = {**sign(body, "secret", now), "X-Webhook-Event": "wallet.created", "X-Webhook-Id": "1"}
    assert given["webhook"](Asked(headers, body)) == 200
    assert given["webhook"](Asked(headers, body + b" ")) == 401
    assert len(given["stored"]) == len(given["log"]) == 1


def may_be_signed(given: dict[str, Any]) -> None:
    address = "0x9354a47ec0d935aF5475d9Fa3CFD9b1fA380CEDC"
    text = (
        f"our.app wants you to sign in with your Ethereum account:\n{address}\n\n\nURI: https://our.app\nVersion: 1\n"
        "Chain ID: 1\nNonce: 3gUA9vgzZiYZ0zMs\nIssued At: 2026-11-29T12:59:30Z"
    )
    assert given["may_be_signed"](text, address, ["our.app"])
    assert not given["may_be_signed"](text, address, ["stranger.app"])
    assert not given["may_be_signed"]("no sign-in message", address, ["our.app"])


def is_a_level(given: dict[str, Any]) -> None:
    assert given["WeekEnd"]().starts_at.isoweekday() == 7


SHOWS: dict[str, Callable[[dict[str, Any]], None]] = {
    "docs/webhooks.md": receives_webhooks,
    "docs/sign-in.md": may_be_signed,
    "docs/add-a-circumstance.md": is_a_level,
}
"""What a snippet that holds no test shows, by its page."""


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    "block", [each for each in BLOCKS if each.language == "python" and not is_elsewhere(each)], ids=str
)
def test_a_snippet_in_python_runs(block: Block, conformance_world: World) -> None:
    stored: list[object] = []
    given: dict[str, Any] = {
        "webhook_secret": "secret",
        "Inbox": Inbox,
        "WebhookRejected": WebhookRejected,
        "log": Logged(),
        "HttpResponse": lambda status: status,
        "stored": stored,
        "store": stored.append,
    }
    exec(compile(block.text, str(block), "exec"), given)  # noqa: S102  (the page's own)
    tests = [value for name, value in given.items() if name.startswith("test_")]
    for test in tests:
        assert list(signature(test).parameters) == ["conformance_world"]
        test(conformance_world)
    if not tests:
        SHOWS[block.page](given)


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.language in SHOWN], ids=str)
def test_what_a_page_shows_can_be_read(block: Block) -> None:
    match block.language:
        case "yaml":
            assert yaml.safe_load(block.text)
        case "toml":
            assert tomllib.loads(block.text)
        case "json":
            for one in re.split(r"\n(?=\{)", block.text.strip()):
                assert json.loads(one)
        case "ini":
            named = re.findall(r"^(CONFORMANCE_\w+)=", block.text, re.MULTILINE)
            if not named:
                parser = configparser.ConfigParser()
                parser.read_string(block.text)
                assert parser.sections()
                return
            assert len(named) == len(block.text.splitlines())
            known = "".join(path.read_text() for path in Path("conformance").glob("*/settings.py"))
            assert [name for name in named if name.split("_", 2)[2].lower() not in known] == []
        case _:
            assert block.text.strip()


def test_every_block_says_its_language_and_is_of_one_that_is_looked_at() -> None:
    languages = {"sh", "python", *SHOWN}
    assert [str(each) for each in BLOCKS if each.language not in languages and not is_elsewhere(each)] == []


def test_blocks_and_commands_are_found() -> None:
    lines = ("```sh", "A=1 conformance run --rule 'a b' > x  # all", "pip x && tox | jq . \\", "  -r", "```")
    page = "1. Do:\n\n" + "".join(f"    {line}\n" for line in lines)
    (block,) = blocks_of("a.md", page)
    assert list(commands(block)) == ["conformance run --rule 'a b'", "pip x", "tox", "jq . -r"]
