"""Clients of OffBlocks that are right in other ways than the usual one, and what findings say that wrong ones did."""

import gzip
from typing import Any

import httpx
import pytest

from conformance.sandbox.remote import World
from tests.clients.test_offblocks_clients import (
    Answering,
    Broken,
    NamesTheApiKeyAsItsKey,
    RightClient,
    SaysWhenInMilliseconds,
    SendsDecodedChallenges,
    SignsTheChallengeOfAnotherCustomer,
    WritesUtf16,
    run,
)


class AlsoRight(RightClient):
    """Clients that are right in other ways that the documents and the standards leave open."""


class NamesNoKey(AlsoRight):
    def key_parameter(self) -> str:
        return ""


class IsSignedByAProxyToo(AlsoRight):
    def signature(self, method: str, url: httpx.URL, headers: dict[str, str]) -> dict[str, str]:
        own = super().signature(method, url, headers)
        return {
            "signature-input": f'gateway=("@method");created=1;keyid="gw", {own["signature-input"]}',
            "signature": f"gateway=:AAAA:, {own['signature']}",
        }


class CompressesItsBodies(AlsoRight):
    def content(self, document: Any) -> bytes:
        return gzip.compress(super().content(document))

    def content_encoding(self) -> str:
        return "gzip"


@pytest.mark.parametrize("right", AlsoRight.__subclasses__(), ids=lambda right: right.__name__)
def test_a_client_that_is_right_in_another_way_breaks_none(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken, right: type[RightClient]
) -> None:
    run(right, judged, http, answering, None)
    assert broken(judged, "offblocks") == set()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (NamesTheApiKeyAsItsKey, "send keyid="),
        (SignsTheChallengeOfAnotherCustomer, "the challenge of customer "),
        (SendsDecodedChallenges, "one that is the decoded challenge; send it back as it was issued, in base64"),
        (WritesUtf16, "not JSON: 'utf-8' codec can't decode"),
        (SaysWhenInMilliseconds, "which is in milliseconds where RFC 9421 has seconds"),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else "",
)
def test_a_finding_says_what_was_done(
    judged: World, http: httpx.Client, answering: Answering, wrong: type[RightClient], said: str
) -> None:
    run(wrong, judged, http, answering, None)
    findings = [each for rule in judged.findings()["rules"] for each in rule["findings"] if each["held"] is False]
    assert said in findings[0]["got"]
