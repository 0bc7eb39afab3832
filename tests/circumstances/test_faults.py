"""A fault that shows only under a circumstance is caught there, told with that one alone, and not found without it."""

from typing import Any

import pytest

from conformance.api import named
from conformance.run import Options, run
from conformance.sandbox.server import RunningSandbox, SandboxApp
from conformance.sandbox.world import Worlds

HOUR = "offblocks/challenge_expiry/a_challenge_is_refused_after_the_hour"
QUARTER = "planbok/challenge/a_challenge_cannot_be_completed_after_its_time.1"
READ = "planbok/customer/a_customer_is_read_by_its_id"
CASES = [
    ("ComparesTimesOfDay", HOUR, "midnight", "offblocks.challenge.expires-after-one-hour"),
    ("ComparesDaysOfTheMonth", HOUR, "month-end", "offblocks.challenge.expires-after-one-hour"),
    (
        "CountsSecondsIn31Bits",
        "offblocks/challenge_expiry/a_challenge_is_accepted_within_the_hour",
        "2038",
        "offblocks.challenge.accepted-within-the-hour",
    ),
    ("ReadingProlongsTheHour", HOUR, "read-first", "offblocks.challenge.expires-after-one-hour"),
    (
        "SharesTheFailedSignature",
        "offblocks/flow/a_verification_is_simulated.verify",
        "neighbour",
        "offblocks.signing.hex-text-accepted",
    ),
    (
        "DigestsTheBodyWrittenAnew",
        "offblocks/challenge/a_challenge_is_fetched_again",
        "spaced-json",
        "offblocks.customer.created-with-201",
    ),
    (
        "ReadsMembersUpToAnEscape",
        "offblocks/challenge/a_challenge_is_fetched_again",
        "escaped-json",
        "offblocks.customer.created-with-201",
    ),
    (
        "ReadsNoChunks",
        "offblocks/challenge/a_challenge_is_fetched_again",
        "chunked",
        "offblocks.authentication.token-issued",
    ),
    (
        "TakesNoAnyType",
        "offblocks/challenge/a_challenge_is_fetched_again",
        "any-type",
        "offblocks.authentication.token-issued",
    ),
    (
        "ForgetsTheOlderToken",
        "offblocks/challenge/a_challenge_is_fetched_again",
        "new-token",
        "offblocks.challenge.fetched-with-200",
    ),
    ("ExpiresWithinItsDay", QUARTER, "midnight", "planbok.challenge.expires-after-15-minutes"),
    (
        "ResultsAreReadOnce",
        "planbok/list/the_list_holds_what_came_of_every_challenge",
        "read-first",
        "planbok.list.holds-all",
    ),
    ("ReadsBodiesWithoutBlanks", QUARTER, "spaced-json", "planbok.customer.created"),
    ("KeepsEscapesInUrls", QUARTER, "escaped-json", "planbok.challenge.answered"),
    ("CreatesNobodyOnALeapDay", QUARTER, "leap-day", "planbok.customer.created"),
    ("ServesTheLatestOrganization", QUARTER, "stranger", "planbok.challenge.answered"),
]
USUAL = "new-connections"
"""A circumstance that makes no difference to any of them."""


def failing(fault: str, test: str) -> dict[str, set[str]]:
    """The rules that fail by a fault, each with the ids of the tests that show it."""
    api = named(test.split("/", maxsplit=1)[0])
    app = SandboxApp(Worlds([api], "sandbox", [fault], beyond_loopback=False))
    with RunningSandbox(app, "127.0.0.1", 0) as sandbox:
        base_urls = {api.name: f"{sandbox.origin}/{api.name}"}
        results: dict[str, Any] = run(Options((api.name,), "sandbox", base_urls, tests=(test,)))
    return {
        rule["id"]: {finding["test"] for finding in rule["findings"] if finding["held"] is False}
        for rule in results["rules"]
        if rule["verdict"] == "fail"
    }


@pytest.mark.parametrize(("fault", "test", "level", "rule"), CASES, ids=[case[0] for case in CASES])
def test_a_fault_is_told_with_the_circumstance_that_shows_it(fault: str, test: str, level: str, rule: str) -> None:
    assert rule not in failing(fault, test)
    assert failing(fault, f"{test}@{level}+{USUAL}").get(rule) == {f"{test}@{level}"}
