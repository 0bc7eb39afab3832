"""Clients of Planbok that take one thing for another: what they break, what is said of it, and what is only advice."""

from datetime import timedelta
from typing import Any, ClassVar

import httpx
import pytest

from conformance.planbok.provocations import ThrottlesEachReadTwice
from conformance.sandbox.remote import World
from tests.clients.test_planbok_clients import (
    OWN_PAGE,
    PIN,
    Answering,
    Broken,
    RightClient,
    machine,
    run,
)

__all__ = ["machine"]  # a fixture for all tests here


class Confused(RightClient):
    """Wrong clients; what each is found to break, and no more, and what the first finding says."""

    says: ClassVar[str] = ""


class KeepsOneKeyForTheSetUp(Confused):
    breaks: ClassVar = {"sends-idempotency-key"}
    says: ClassVar = "4a1c3f6e-6d5b-4c8e-9a77-0d6f3f2b1c55"

    def new_key(self) -> str:
        return self.says

    def get_wallets(self, customer: str) -> None:
        """Comes no further than the set-up, which has the key of the creation."""

    def initial(self) -> dict[str, Any]:
        return {"redirectUrl": OWN_PAGE, "idempotencyKey": self.says}


class MakesUpTheUrlOfThePage(Confused):
    breaks: ClassVar = {"sends-user-to-given-url"}
    says: ClassVar = "one that was made from the challenge's id"

    def set_up(self, customer: str) -> None:
        challenge = self.read("POST", f"/v2/customers/{customer}/initialize", self.initial())
        self.http.get(f"{self.world.base_urls['gateway']}/authorize?challenge={challenge['challengeId']}")


class SendsThePinToAPathOfItsOwn(Confused):
    breaks: ClassVar = {"leaves-pin-to-the-page"}
    says: ClassVar = "members called pin"

    def get_wallets(self, customer: str) -> None:
        self.read("POST", f"/v2/customers/{customer}/challenges/verify", {"pin": PIN})


class PausesAlwaysTheSame(Confused):
    breaks: ClassVar = {"backs-off"}
    server: ClassVar = ThrottlesEachReadTwice
    says: ClassVar = "1.00"

    def pause(self, seconds: int) -> None:
        self.world.advance(timedelta(seconds=1, milliseconds=seconds + 1))


class AsksForObjects(Confused):
    breaks: ClassVar = {"asks-for-wallets-as-documented"}
    says: ClassVar = "blockchains a list of an object, accountType none"

    def wished(self) -> dict[str, Any]:
        return {"blockchains": [{"name": "ETH"}], "accountType": None, "redirectUrl": OWN_PAGE}


@pytest.mark.parametrize("wrong", Confused.__subclasses__(), ids=lambda wrong: wrong.__name__)
def test_what_is_taken_for_another_thing_breaks_its_rule_and_no_other(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken, wrong: type[Confused]
) -> None:
    run(wrong, judged, http, answering, wrong.server)
    assert broken(judged, "planbok") == wrong.breaks
    findings = [each for rule in judged.findings()["rules"] for each in rule["findings"] if each["held"] is False]
    assert wrong.says in findings[0]["got"]


class Odd(RightClient):
    """Clients that break no rule; what they are advised."""

    advice: ClassVar[str] = ""


class MisspellsAMember(Odd):
    advice: ClassVar = "No document has the member 'accountTypes' for createWallets; it is passed over. Did you mean"

    def wished(self) -> dict[str, Any]:
        return {**super().wished(), "accountTypes": "eoa"}


class OpensThePageWithItsKey(Odd):
    advice: ClassVar = "It goes to a page that people open. Send it to the API alone"

    def visit(self, url: str) -> None:
        self.http.get(url, headers=self.headers())
        super().visit(url)


class MakesACustomerTwice(Odd):
    advice: ClassVar = "with the same refId already. Look for it before you make another"

    def run(self) -> None:
        for _ in range(2):
            self.read("POST", "/v2/customers", self.keyed({"name": "Ada", "refId": "user 7 of ours"}))


class ReadsTheCustomerByItsOwnId(Odd):
    advice: ClassVar = "It has 'user-7-of-ours', which is the refId that you gave; put the id there that the API gave."

    def run(self) -> None:
        self.read("POST", "/v2/customers", self.keyed({"name": "Ada", "refId": "user-7-of-ours"}))
        self.wallets("user-7-of-ours")


@pytest.mark.parametrize("odd", Odd.__subclasses__(), ids=lambda odd: odd.__name__)
def test_what_no_sentence_forbids_is_told_as_advice(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken, odd: type[Odd]
) -> None:
    run(odd, judged, http, answering, None)
    assert broken(judged, "planbok") == set()
    (remark,) = judged.findings()["remarks"]
    assert remark.startswith("Advice: ")
    assert odd.advice in remark


def test_a_filter_of_the_own_id_looks_for_it(judged: World, http: httpx.Client) -> None:
    headers = {"PLANBOK-X-API-KEY": judged.credentials("planbok")["first"]["api_key"]}
    base = judged.base_urls["planbok"]
    body = {"name": "Ada", "refId": "user-7-of-ours", "idempotencyKey": "4a1c3f6e-6d5b-4c8e-9a77-0d6f3f2b1c55"}
    customer = http.post(f"{base}/v2/customers", headers=headers, json=body).json()["data"]["id"]
    http.get(f"{base}/v2/wallets?customerIds={customer}&refId=user-7-of-ours", headers=headers)
    assert judged.findings()["remarks"] == []
