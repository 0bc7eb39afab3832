"""Servers that were written from the vendors' pages alone raise no alarm, and with a mistake they do.

This is one topic of each; evidence/servers.py has all of them.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from conformance.run import Options, run
from tests.servers import offblocks_backend, planbok_backend
from tests.servers.offblocks_server import OffBlocksServer
from tests.servers.planbok_server import PlanbokServer

Environment = Callable[[Mapping[str, str], Path], AbstractContextManager[pytest.MonkeyPatch]]
ALARMS = {"fail", "warn", "error", "blocked"}
WALLETS = "planbok.result.exactly-the-chains"
AT_ONCE = 1e6
"""Requests a second: these servers may be asked as often as they take."""


@pytest.fixture
def judge(environment: Environment, tmp_path: Path) -> Callable[..., dict[str, str]]:
    def judge_live(server: OffBlocksServer | PlanbokServer, *rules: str, **more: Any) -> dict[str, str]:
        with server, environment(server.settings(), tmp_path):
            api = rules[0].partition(".")[0]
            options = Options(
                apis=(api,), target="live", examples=1, rate=AT_ONCE, pin_agent="http", rule=rules, workers=1, **more
            )
            results: dict[str, Any] = run(options)
        return verdicts_of(results)

    return judge_live


def verdicts_of(results: Mapping[str, Any]) -> dict[str, str]:
    return {rule["id"]: rule["verdict"] for rule in results["rules"]}


def alarms(verdicts: Mapping[str, str]) -> set[str]:
    assert set(verdicts.values()) & {"pass", *ALARMS}
    return {rule for rule, verdict in verdicts.items() if verdict in ALARMS}


@pytest.mark.parametrize(
    ("wrong", "found"), [("", set()), ("digest_not_compared", {"offblocks.digest.mismatch-refused"})]
)
def test_digests_at_another_server_of_offblocks(
    judge: Callable[..., dict[str, str]], wrong: str, found: set[str]
) -> None:
    server = OffBlocksServer(offblocks_backend.Choices(settling=0.0), frozenset({wrong} - {""}))
    judged = judge(server, "offblocks.digest.mismatch-refused", "offblocks.digest.missing-refused")
    assert alarms(judged) == found


@pytest.mark.parametrize(("wrong", "found"), [("", set()), ("first_chain_only", {WALLETS})])
def test_wallets_at_another_server_of_planbok(
    judge: Callable[..., dict[str, str]], wrong: str, found: set[str]
) -> None:
    choices = planbok_backend.Choices(working=0.0, rate_limited=False)
    judged = judge(PlanbokServer(choices, frozenset({wrong} - {""})), WALLETS)
    assert alarms(judged) == found


def test_what_was_recorded_of_another_server_replays_with_the_same_verdicts(
    judge: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    server = PlanbokServer(planbok_backend.Choices(working=0.0, rate_limited=False))
    live = judge(server, WALLETS, record=True, cassettes=tmp_path / "recorded")
    replayed = run(Options(apis=("planbok",), rule=(WALLETS,), cassettes=tmp_path / "recorded", workers=1))
    assert verdicts_of(replayed) == live
    assert not alarms(live)
