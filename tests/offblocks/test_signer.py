"""Requests are signed in the form that a server wants."""

from datetime import timedelta

import httpx
import pytest

from conformance.clock import EPOCH_OF_WORLDS, FrozenClock
from conformance.exchange import Request
from conformance.findings import Outcome
from conformance.ids import Ids
from conformance.offblocks.client import made_up_credentials
from conformance.offblocks.client_checks import ClientJudge
from conformance.offblocks.deviations import covers_a_component_twice, covers_in_another_order, signed_in_der
from conformance.offblocks.signer import RequestSigner, SignatureForm
from conformance.standards.message_signatures import declared_signatures, load_private_key, verify

CREDENTIALS = made_up_credentials(Ids("signer"))
KEY = load_private_key(CREDENTIALS["signing_key"])
URL = "https://gateway.example/wallets/v1/customers?page=1"


def signed(url: str = URL, **settings: str) -> httpx.Request:
    form = SignatureForm.from_settings(settings)
    signer = RequestSigner(KEY, CREDENTIALS["signing_key_id"], FrozenClock(), form=form, ids=Ids("nonces"))
    request = httpx.Request("POST", url, content=b"{}", headers={"Content-Type": "application/json"})
    next(signer.auth_flow(request))
    return request


def test_what_is_set_stands_in_the_signature() -> None:
    request = signed(
        signature_label="wallet",
        signature_alg="none",
        signature_expires="300",
        signature_nonce="yes",
        signature_tag="offblocks",
        digest_algorithm="sha-512",
    )
    ((declared, _),) = declared_signatures(request.headers.multi_items())
    assert declared.label == "wallet"
    assert declared.algorithm is None
    assert declared.expires == int((EPOCH_OF_WORLDS + timedelta(seconds=300)).timestamp())
    assert declared.nonce
    assert declared.tag == "offblocks"
    assert request.headers["Content-Digest"].startswith("sha-512=:")


def test_as_usual_it_names_its_algorithm_and_nothing_else() -> None:
    ((declared, _),) = declared_signatures(signed().headers.multi_items())
    assert (declared.label, declared.algorithm) == ("sig", "ecdsa-p384-sha384")
    assert {declared.expires, declared.nonce, declared.tag} == {None}


@pytest.mark.parametrize(
    ("base_path", "sent", "seen"),
    [
        ("/", URL, "https://gateway.example/v1/customers?page=1"),
        ("/other/", URL, "https://gateway.example/other/v1/customers?page=1"),
        ("/mount", "http://127.0.0.1:8080/v1/customers", "http://127.0.0.1:8080/mount/v1/customers"),
        ("/mount", "https://api.example/docs", "https://api.example/docs"),
        ("/", "https://api.example/v10/v1", "https://api.example/v1"),
    ],
)
def test_a_base_path_is_what_the_server_has_before_the_version(base_path: str, sent: str, seen: str) -> None:
    assert SignatureForm.from_settings({"base_path": base_path}).seen_url(sent) == seen


def test_a_signature_covers_the_path_that_the_server_has() -> None:
    request = signed(base_path="/")
    keys = {CREDENTIALS["signing_key_id"]: KEY.public_key()}
    verify(
        "POST",
        "https://gateway.example/v1/customers?page=1",
        request.headers.multi_items(),
        key_for=keys.get,
        now=EPOCH_OF_WORLDS,
    )
    judge = ClientJudge(CREDENTIALS, {"base_path": "/"})
    headers = tuple(request.headers.multi_items())
    findings = judge.request(Request(headers, b"{}", "POST", URL), "createCustomer", {}, EPOCH_OF_WORLDS)
    (verifies,) = [finding for finding in findings if finding.rule == "offblocks.client.signature-verifies"]
    assert verifies.outcome is Outcome.HELD


def test_wrong_signatures_have_the_same_form() -> None:
    form = SignatureForm.from_settings({"signature_label": "wallet", "signature_nonce": "yes", "signature_tag": "own"})
    signer = RequestSigner(KEY, CREDENTIALS["signing_key_id"], FrozenClock(), form=form, ids=Ids("nonces"))
    for deviation in (covers_a_component_twice, covers_in_another_order, signed_in_der):
        request = httpx.Request("GET", URL)
        deviation.send(signer, request)
        assert 'tag="own"' in request.headers["Signature-Input"]
        assert "nonce=" in request.headers["Signature-Input"]


def test_nonces_differ() -> None:
    signer = RequestSigner(KEY, "key", FrozenClock(), form=SignatureForm(has_nonce=True))
    made = set()
    for _ in range(2):
        request = httpx.Request("GET", URL)
        signer.sign(request)
        ((declared, _),) = declared_signatures(request.headers.multi_items())
        made.add(declared.nonce)
    assert len(made) == 2
