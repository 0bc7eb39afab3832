"""The command that a report says to repeat shows the same: in one test, from the same seed, of the same server."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conformance.api import named
from conformance.cli import app
from conformance.reporting.phrases import repeat_command
from conformance.run import Options, run
from conformance.sandbox.server import RunningSandbox, SandboxApp
from conformance.sandbox.world import Worlds


def entry(results: dict[str, Any], rule: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in results["rules"] if each["id"] == rule)
    return found


def seen(rule: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What the findings say that gave a rule its verdict: the test, what was expected, and what was there instead."""
    telling = [finding for finding in rule["findings"] if finding["verdict"] == rule["verdict"]]
    return [(finding["test"], finding["expected"], finding["got"]) for finding in telling]


@pytest.mark.parametrize(
    ("fault", "rule", "options", "words"),
    [
        (
            "AcceptsExpiredChallenge",
            "offblocks.challenge.expires-after-one-hour",
            {"tests": ("offblocks/challenge_expiry/a_challenge_is_refused_after_the_hour",)},
            ["--test offblocks/challenge_expiry/a_challenge_is_refused_after_the_hour --seed 0"],
        ),
        (
            "DigestsTheBodyWrittenAnew",
            "offblocks.customer.created-with-201",
            {"tests": ("offblocks/challenge/a_challenge_is_fetched_again@spaced-json+new-connections",), "seed": "7"},
            ["--test offblocks/challenge/a_challenge_is_fetched_again@spaced-json --seed 7"],
        ),
        (
            "RefusesWebhooksForOneType",
            "offblocks.response.described-accepted",
            {
                "tests": ("offblocks/properties/right_and_wrong_requests.putWebhook",),
                "strict": True,
                "seed": "11",
                "examples": 4,
            },
            ["--test offblocks/properties/right_and_wrong_requests.putWebhook", "--seed 11 --examples 4 --strict"],
        ),
    ],
    ids=["as usual", "a promise under a circumstance", "a generated request"],
)
def test_the_command_shows_the_same_again(
    tmp_path: Path, fault: str, rule: str, options: dict[str, Any], words: list[str]
) -> None:
    api = named("offblocks")
    with RunningSandbox(
        SandboxApp(Worlds([api], "sandbox", [fault], beyond_loopback=False)), "127.0.0.1", 0
    ) as sandbox:
        base_urls = {"offblocks": f"{sandbox.origin}/offblocks"}
        first = run(Options(("offblocks",), "sandbox", base_urls, **options))
        command = repeat_command(first, entry(first, rule))
        CliRunner().invoke(app, [*shlex.split(command)[1:], "-q", "--report", str(tmp_path)])
    again = json.loads((tmp_path / "results.json").read_bytes())
    assert entry(first, rule)["verdict"] in {"fail", "warn"}, entry(first, rule)
    assert [each for each in words if each not in command] == []
    assert seen(entry(again, rule)) == seen(entry(first, rule))
