"""A right request that is answered 5xx is sent again; answered so twice, it breaks the rule that promises success."""

from collections.abc import Mapping
from typing import Any

import pytest

from conformance.api import named
from conformance.exchange import Request, Response
from conformance.offblocks.sandbox import OffBlocks
from conformance.planbok.sandbox import Planbok
from conformance.run import Options, run
from conformance.sandbox.faults import BehaviourChange, Fault
from conformance.sandbox.messages import problem
from conformance.sandbox.server import start


class BreaksOnceOnEachRequest(Fault, OffBlocks):
    """Answers each request with 503 the first time that it comes."""

    breaks = ("offblocks.response.no-server-error",)

    async def answer(self, request: Request, path: str) -> Response:
        seen: set[tuple[object, ...]] = self.__dict__.setdefault("seen", set())
        name = (request.method, path, request.body, request.header("Idempotency-Key"))
        if path.startswith("/v1/auth") or name in seen:
            return await super().answer(request, path)
        seen.add(name)
        return problem(503, "In a moment.")


class BreaksOnceOnEachPage(Fault, Planbok):
    """Answers the first visit of each page with 503."""

    breaks = ("planbok.response.no-server-error",)

    async def answer_at(self, mount: str, request: Request, path: str) -> Response:
        seen: set[str] = self.__dict__.setdefault("seen", set())
        if request.method != "GET" or path in seen:
            return await super().answer_at(mount, request, path)
        seen.add(path)
        return problem(503, "In a moment.")


def judged(api: str, fault: str | BehaviourChange, *rules: str) -> dict[str, Mapping[str, Any]]:
    """What a run says of these rules of a faulty sandbox, by the rule without the name of its API."""
    with start(faults=[fault], apis=[named(api)]) as running:
        asked = tuple(f"{api}.{rule}" for rule in rules)
        options = Options((api,), "sandbox", {api: f"{running.origin}/{api}"}, rule=asked, examples=1)
        return {rule["id"].partition(".")[2]: rule for rule in run(options)["rules"]}


@pytest.mark.parametrize(
    ("api", "fault", "promise", "other"),
    [
        ("offblocks", "BreaksOnEverySignature", "signing.hex-text-accepted", "signing.no-content"),
        ("offblocks", "BreaksOnReadingWhoSigned", "customer.readable", "signing.moves-the-status"),
        ("offblocks", "BreaksOnVerifications", "flow.simulated-with-202", "flow.verified-becomes-active"),
        ("planbok", "BreaksOnReadingChallenges", "result.readable-after-completion", "result.exactly-the-chains"),
        ("planbok", "BreaksOnTheSecondPage", "challenge.answered", "page.purpose-shown"),
    ],
)
def test_what_breaks_twice_breaks_its_promise_and_blocks_what_needs_it(
    api: str, fault: str, promise: str, other: str
) -> None:
    found = judged(api, fault, promise, other)
    assert (found[promise]["verdict"], found[other]["verdict"]) == ("fail", "blocked")
    assert found[other]["blocked_by"] == f"{api}.{promise}"


def test_a_scenario_goes_on_after_a_request_that_breaks_once() -> None:
    rules = ("signing.hex-text-accepted", "flow.verified-becomes-active", "customer.readable")
    found = judged("offblocks", BreaksOnceOnEachRequest, *rules)
    assert {rule["verdict"] for rule in found.values()} == {"pass"}


def test_a_scenario_goes_on_after_a_page_that_breaks_once() -> None:
    found = judged("planbok", BreaksOnceOnEachPage, "challenge.answered", "page.purpose-shown")
    assert {rule["verdict"] for rule in found.values()} == {"pass"}


def test_a_request_that_nothing_promises_success_breaks_no_promise() -> None:
    found = judged("planbok", "BreaksWithoutRefId", "customer.created", "customer.ref-id-omitted")
    assert (found["customer.created"]["verdict"], found["customer.ref-id-omitted"]["verdict"]) == ("pass", "blocked")


@pytest.mark.parametrize(
    ("api", "fault", "broken", "judged_all_the_same"),
    [
        ("offblocks", "LeavesThePaddingOut", "challenge.standard-base64", "challenge.grammar"),
        ("offblocks", "GivesIdsWithoutHyphens", "customer.id-is-a-uuid", "signing.other-key-refused"),
        ("planbok", "TakesOneChainOnly", "challenge.several-chains", "page.keeps-query"),
    ],
)
def test_a_deviation_is_told_and_what_does_not_depend_on_it_is_judged(
    api: str, fault: str, broken: str, judged_all_the_same: str
) -> None:
    found = judged(api, fault, broken, judged_all_the_same)
    assert (found[broken]["verdict"], found[judged_all_the_same]["verdict"]) == ("fail", "pass")
