"""What to do next, and who is to act."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import Protection
from conformance.exchange import Response
from conformance.findings import Finding, Outcome
from conformance.judging.baseline import Baseline, Entry
from conformance.judging.results import exchange_to_json
from conformance.reporting.advice import next_steps, of_block, them_or_you
from conformance.reporting.phrases import blocks, repeat_command
from tests.reporting.conftest import EXCHANGE, HELD, RULES, TEST, Make, broken, held, unjudged

CREATED = RULES[2]


def texts(results: dict[str, Any]) -> list[str]:
    return [step.text for step in next_steps(results)]


def test_a_vendor_is_told_of_what_its_documents_ask_for(make: Make) -> None:
    results = make([broken("customer.created")], target="live")
    steps = next_steps(results)
    assert steps[0].text.startswith(
        "Tell the vendor of 1 deviation from its documents: “Copy for the vendor” in report"
    )
    assert steps[0].rules == ("wallets.customer.created",)
    assert steps[1].command == f"{repeat_command(results)} --write-baseline known.yaml"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"target": "sandbox"},
            "The reference sandbox has 1 deviation from the documents. That says nothing of the vendor",
        ),
        ({"target": "replay"}, "The reference sandbox has 1 deviation from the documents."),
        ({"target": "replay", "cassettes": Path("ours")}, "Tell the vendor of 1 deviation"),
        ({"target": "sandbox", "base_urls": {"wallets": "http://a"}}, "Tell whoever runs this sandbox of 1 deviation"),
    ],
)
def test_who_is_told_is_whose_server_it_was(make: Make, settings: dict[str, Any], said: str) -> None:
    assert texts(make([broken("customer.created")], **settings))[0].startswith(said)


def test_what_no_document_states_is_asked_for(make: Make) -> None:
    guarded = replace(RULES[4], protects=Protection.OWNERSHIP)
    said = texts(make([broken("customer.guessed"), held("customer.created")], [CREATED, guarded], target="live"))
    assert said[0].startswith("1 rule that no document states is broken: decide whether you can live with that")


def test_the_suite_is_blamed_for_what_it_broke(make: Make) -> None:
    said = texts(make([unjudged("suite.broke", Outcome.ERROR, "KeyError")], target="live"))
    assert said[0].startswith("This suite broke while it judged 1 rule, which is nobody else's fault.")


def test_a_client_is_told_what_to_mend(make: Make) -> None:
    assert texts(make([broken("client.signs")], target="live"))[0].startswith("Mend your client, which breaks 1 rule.")


def test_a_cause_comes_with_the_command_that_shows_it(make: Make) -> None:
    cause = "wallets.customer.created"
    stopped = [Finding("wallets.webhook.sent", Outcome.BLOCKED, reason="A step.", test=TEST, relies_on=(cause,))]
    results = make([broken("customer.created"), *stopped], target="live")
    steps = next_steps(results)
    assert steps[-1].text == f"See to {cause} first: it keeps 1 rule from being judged."
    assert steps[-1].command == repeat_command(results, results["rules"][2])


def test_a_baseline_that_is_wrong_is_to_be_mended(make: Make) -> None:
    gone = Baseline(Path("known.yaml"), [Entry("wallets.customer.created", "They mended it.")])
    said = texts(make(HELD, baseline=gone))
    assert said[0] == (
        "Mend the baseline known.yaml: wallets.customer.created is said to fail and holds: take its entry out "
        "(They mended it.)."
    )


def test_what_would_have_more_judged_is_named(make: Make) -> None:
    lacking = unjudged("webhook.sent", Outcome.SKIPPED, "This needs time to pass; give --allow-wait to wait for it.")
    said = texts(make([held("customer.created"), lacking], target="live"))
    assert "Give --allow-wait to have 1 rule more judged, which needs time to pass." in said


def test_after_a_success_the_next_question_is_named(make: Make) -> None:
    live = next_steps(make(HELD, target="live"))
    assert [step.command for step in live] == [
        "conformance record wallets --target live --cassettes cassettes-of-ours",
        "conformance sandbox --judge",
    ]
    assert next_steps(make(HELD, target="replay"))[0].command == "conformance run wallets --target live"


def test_documents_that_contradict_themselves_are_to_be_asked_about(make: Make) -> None:
    results = make(HELD, target="documents")
    results["contradictions"] = [{"own": True}, {"own": False}, {"own": True}]
    assert "contradict themselves, in 2 places" in texts(results)[0]


@pytest.mark.parametrize(
    ("status", "who"),
    [(401, "You first"), (403, "You first"), (500, "Them"), (0, "You first"), (404, "Open"), (None, "Open")],
)
def test_who_acts_on_a_step_that_failed_is_told_by_its_answer(make: Make, status: int | None, who: str) -> None:
    results = make([unjudged("webhook.sent", Outcome.BLOCKED, "A step failed.")], target="live")
    shown = (
        exchange_to_json(replace(EXCHANGE, breaks=frozenset(), response=Response(status=status or 0)))
        if status is not None
        else None
    )
    assert of_block(results, blocks(results)[0], shown)[0] == who


def test_a_request_that_breaks_rules_of_clients_is_mended_first(make: Make) -> None:
    results = {**make([broken("customer.created")]), "target": "traffic", "base_urls": {}}
    _, why = them_or_you(results, results["rules"][2], results["exchanges"][0])
    assert why.endswith("; but the request breaks wallets.client.signs, so mend that first.")


def test_a_server_that_cannot_be_reached_is_looked_for_on_this_side_first(make: Make) -> None:
    reason = "GET https://api.example/v1 got no answer from https://api.example: Connection refused."
    results = make([unjudged("webhook.sent", Outcome.BLOCKED, reason)], target="live")
    assert of_block(results, blocks(results)[0], None) == (
        "You first",
        "No answer came: are address, network and settings right? `conformance doctor` tells.",
    )


def test_credentials_that_are_refused_are_looked_at_on_this_side_first(make: Make) -> None:
    results = make([unjudged("webhook.sent", Outcome.BLOCKED, "The first identity has no access. 401")], target="live")
    assert of_block(results, blocks(results)[0], None)[0] == "You first"
    wrong_on_purpose = exchange_to_json(replace(EXCHANGE, response=Response(status=401)))
    results = make([unjudged("webhook.sent", Outcome.BLOCKED, "It was to be 400.")], target="live")
    assert of_block(results, blocks(results)[0], wrong_on_purpose)[0] == "Open"


def test_of_a_printed_request_nothing_is_claimed(make: Make) -> None:
    results = make([broken("customer.created")], target="documents")
    _, why = them_or_you(results, results["rules"][2], {**results["exchanges"][0], "breaks": []})
    assert why == "The document that is cited asks for it."
