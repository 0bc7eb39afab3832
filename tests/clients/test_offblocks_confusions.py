"""Clients of OffBlocks that take one thing for another: what they break, what is said, and what is only advice."""

from typing import Any, ClassVar

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from conformance.sandbox.remote import World
from tests.clients.test_offblocks_clients import KEY, Answering, Broken, RightClient, address_of, run


class Confused(RightClient):
    """Wrong clients; what each is found to break, and no more, and what the first finding says."""

    says: ClassVar[str] = ""


class NamesTheBareAddressAsOwner(Confused):
    breaks: ClassVar = {"owner-id"}
    says: ClassVar = "which is no CAIP-10 account id: put the chain before the address"

    def owner(self) -> str:
        return address_of(KEY)


class SignsForTheVendorsUrl(Confused):
    breaks: ClassVar = {"signature-verifies"}
    says: ClassVar = "another base, as of another environment: https://api.sandbox.offblocks.xyz/v1/"

    def signature(self, method: str, url: httpx.URL, headers: dict[str, str]) -> dict[str, str]:
        path = url.raw_path.decode()
        self.target = f"https://api.sandbox.offblocks.xyz{path[path.index('/v1/') :]}"
        return super().signature(method, url, {"@target-uri": self.target, **headers})

    def covered(self, names: list[str]) -> list[str]:
        return [name for name in names if name not in {"@path", "@query"}]


class SignsForAnyAddress(Confused):
    breaks: ClassVar = {"signs-only-its-own-sign-in"}
    server: ClassVar = "NamesAnotherAddress"
    says: ClassVar = "one for 0x"

    def wants_to_sign(self, challenge: str) -> bool:
        return True


class SignsWithTheKeyOfAnotherClient(Confused):
    breaks: ClassVar = {"signature-verifies"}
    says: ClassVar = "another key signed"

    def __init__(self, world: World, http: httpx.Client) -> None:
        super().__init__(world, http)
        other = world.credentials("offblocks")["second"]
        self.key = load_pem_private_key(other["signing_key"].encode(), password=None)  # type: ignore[assignment]


class PutsTheTokenIntoAnyUrl(Confused):
    breaks: ClassVar = {"no-secret-in-url"}
    says: ClassVar = "1 of them"

    def run(self) -> None:
        self.log_in()
        self.call("GET", f"/me?token={self.token}")


@pytest.mark.parametrize("wrong", Confused.__subclasses__(), ids=lambda wrong: wrong.__name__)
def test_what_is_taken_for_another_thing_breaks_its_rule_and_no_other(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken, wrong: type[Confused]
) -> None:
    run(wrong, judged, http, answering, wrong.server)
    assert broken(judged, "offblocks") == wrong.breaks
    findings = [each for rule in judged.findings()["rules"] for each in rule["findings"] if each["held"] is False]
    assert wrong.says in findings[0]["got"]


class Odd(RightClient):
    """Clients that break no rule; what they are advised."""

    advice: ClassVar[str] = ""


class LogsInForEachRequest(Odd):
    advice: ClassVar = "It asks for a token again and again within a minute."

    def call(self, method: str, path: str, document: Any = None, key: str | None = None) -> httpx.Response:
        self.log_in()
        return super().call(method, path, document, key)


class SendsThePrivateKey(Odd):
    advice: ClassVar = "No document has the member 'privateKey' for createCustomer; it is passed over. It reads like a"

    def content(self, document: Any) -> bytes:
        return super().content({**document, "privateKey": "0x07"} if "externalId" in document else document)


class SignsOnce(Odd):
    advice: ClassVar = "The same signature came before. Sign each request anew"
    signed: dict[str, str] | None = None

    def run(self) -> None:
        super().run()
        self.call("GET", "/customers")

    def signature(self, method: str, url: httpx.URL, headers: dict[str, str]) -> dict[str, str]:
        if not url.path.endswith("/customers") or method != "GET":
            return super().signature(method, url, headers)
        self.signed = self.signed or super().signature(method, url, headers)
        return self.signed


class ReadsWithoutAPause(Odd):
    advice: ClassVar = "It is read more than 20 times within a second."

    def run(self) -> None:
        self.log_in()
        for _ in range(60):
            self.call("GET", "/customers")


class AsksForItsOwnId(Odd):
    advice: ClassVar = "the externalId that you gave; put the id there that the API gave"

    def external_id(self) -> str:
        return "cf0a6ea8-3a4f-4a53-8ae1-5e0c07a4a0a6"

    def run(self) -> None:
        super().run()
        self.call("GET", f"/customers/{self.external_id()}")


@pytest.mark.parametrize("odd", Odd.__subclasses__(), ids=lambda odd: odd.__name__)
def test_what_no_sentence_forbids_is_told_as_advice(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken, odd: type[Odd]
) -> None:
    run(odd, judged, http, answering, None)
    assert broken(judged, "offblocks") == set()
    advice = [remark for remark in judged.findings()["remarks"] if remark.startswith("Advice: ")]
    assert len(advice) == 1
    assert odd.advice in advice[0]


def test_what_is_refused_and_breaks_no_rule_is_told_with_its_reason(
    judged: World, http: httpx.Client, answering: Answering, broken: Broken
) -> None:
    class IsOnSolana(RightClient):
        def account(self) -> str:
            return "solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1:7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv"

    run(IsOnSolana, judged, http, answering, None)
    assert broken(judged, "offblocks") == set()
    (remark,) = judged.findings()["remarks"]
    assert remark.startswith("Refused, and no rule says why: 1 x POST createCustomer 400: 'chainId' must be an account")


def refusal(client: RightClient) -> str:
    client.log_in()
    return str(client.call("GET", "/customers").json()["detail"])


def test_the_key_of_another_client_is_named_in_the_refusal(judged: World, http: httpx.Client) -> None:
    client = SignsWithTheKeyOfAnotherClient(judged, http)
    other = judged.credentials("offblocks")["second"]["signing_key_id"]
    assert f"verifies with the key {other!r} of another API client, not with" in refusal(client)


def test_a_refusal_that_nothing_explains_shows_what_was_expected(judged: World, http: httpx.Client) -> None:
    client = RightClient(judged, http)
    client.key = ec.generate_private_key(ec.SECP384R1())
    said = refusal(client)
    assert "No mistake that is known explains it" in said
    assert '\n"@method": GET\n"@path": ' in said
