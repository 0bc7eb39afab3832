"""A client of Planbok that is right in another way, what findings say that wrong ones did, and what is only advice."""

import httpx
import pytest

from conformance.sandbox.remote import World
from tests.clients.test_planbok_clients import (
    Answering,
    Broken,
    QuotesItsKey,
    RightClient,
    SendsAStringOfJson,
    SendsItsKeyInAnotherHeader,
    machine,
    run,
)

__all__ = ["machine"]  # a fixture for all tests here


class ReadsTheChallengeOfTheSetUp(RightClient):
    def set_up(self, customer: str) -> None:
        challenge = self.read("POST", f"/v2/customers/{customer}/initialize", self.initial())
        self.agent.set_up(challenge["redirectUrl"], "482913", ("Anna", "Elm Street"))
        self.read("GET", f"/v2/customers/{customer}/challenges/{challenge['challengeId']}")

    def is_set_up(self, customer: str) -> bool:
        return True


def test_a_set_up_that_was_read_to_have_succeeded_needs_no_other_read(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken
) -> None:
    run(ReadsTheChallengeOfTheSetUp, judged, http, answering, None)
    assert broken(judged, "planbok") == set()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (SendsItsKeyInAnotherHeader, "The key stands in the header x-api-key; send it as PLANBOK-X-API-KEY."),
        (QuotesItsKey, "has something beside the key; send the key alone"),
        (SendsAStringOfJson, "JSON, but a string"),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else "",
)
def test_a_finding_says_what_was_done(
    judged: World, http: httpx.Client, answering: Answering, wrong: type[RightClient], said: str
) -> None:
    run(wrong, judged, http, answering, None)
    findings = [each for rule in judged.findings()["rules"] for each in rule["findings"] if each["held"] is False]
    assert said in findings[0]["got"]


@pytest.mark.parametrize(
    ("path", "advice"),
    [
        ("/v2/customers/undefined", "It has 'undefined' where the id should be"),
        ("/v2/customers/%7Bid%7D", "It has '{id}' where the id should be"),
        ("/v2/wallets?customerIds=null", "customerIds is 'null', as of a variable that was empty"),
        ("/v2/wallets?customerIds=a%252Cb", "percent-encoding left once it is decoded, 'a%2Cb'; encode it once"),
        ("/v2/wallets?customerIds=%5B%22a%22%5D", "customerIds is JSON"),
        ("/v2/wallets?customerIds=a%2Cb&limit=5", None),
    ],
)
def test_what_a_program_left_in_a_url_is_told_as_advice(
    judged: World, http: httpx.Client, broken: Broken, path: str, advice: str | None
) -> None:
    headers = {"PLANBOK-X-API-KEY": judged.credentials("planbok")["first"]["api_key"]}
    http.get(judged.base_urls["planbok"] + path, headers=headers)
    remarks = judged.findings()["remarks"]
    assert broken(judged, "planbok") == set()
    assert [advice in remark for remark in remarks] == [True] if advice else remarks == []


def test_a_member_that_departs_from_the_description_is_told_as_advice(judged: World, http: httpx.Client) -> None:
    headers = {"PLANBOK-X-API-KEY": judged.credentials("planbok")["first"]["api_key"]}
    body = {"name": "Ada", "refId": "1", "idempotencyKey": "order 1"}
    http.post(f"{judged.base_urls['planbok']}/v2/customers", headers=headers, json=body)
    (remark,) = judged.findings()["remarks"]
    assert "request /idempotencyKey: The API's description asks for format uuid" in remark
