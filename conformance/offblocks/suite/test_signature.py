"""Request signatures: what they bind a request to, and which are refused."""

from collections.abc import Callable

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from conformance.findings import answer as in_words
from conformance.offblocks.client import RequestSigner
from conformance.offblocks.deviations import (
    OTHER_BODY,
    Deviation,
    adds_the_digest_of_another_body,
    changes_field,
    covers_a_component_twice,
    covers_an_absent_query,
    covers_another_field,
    covers_in_another_order,
    covers_nothing,
    covers_nothing_beside,
    deviation,
    labelled,
    precedes_field,
    says,
    signed_an_hour_ago,
    signed_an_hour_ahead,
    signed_as,
    signed_by,
    signed_in_der,
    signed_past_its_end,
    signed_under_another_label,
    signed_with_p256,
    signed_with_public_key_as_secret,
    signed_with_sha512,
    signs_another_body,
    signs_another_method,
    signs_another_path,
    signs_another_query,
    signs_as_forwarded,
    signs_twice,
    turns_its_parameters_round,
    unsigned,
    writes_its_input_with_blanks,
)
from conformance.offblocks.suite.effects import expect_customers, expect_unsigned
from conformance.offblocks.suite.operations import by_headers_alone, guarded
from conformance.offblocks.suite.tenant import Tenant
from conformance.offblocks.wallet import Wallet
from conformance.scenario import (
    crosses,
    expect,
    expect_acceptance,
    expect_reading,
    expect_refusal,
    expect_status,
    needs,
    refused,
    step_failed,
    verifies,
)
from conformance.standards.digest_fields import content_digest
from conformance.standards.message_signatures import key_from_seed
from conformance.targets import Subject
from conformance.values import near

NOT_RIGHT = "the signature is not right"
KEY_ID = near.Kind(near.FIELD.fits, str.lower)
"""The id of a key, a text of a form that no document gives; if it is a UUID, letter case does not count."""
MISSES = 10
"""How many near misses of a key's id are tried."""
NO_SIGNATURES: dict[str, Callable[[bytes], bytes]] = {
    "of zeros": lambda right: bytes(len(right)),
    "of ones": lambda right: b"\xff" * len(right),
    "with zeros for its first number": lambda right: bytes(len(right) // 2) + right[len(right) // 2 :],
    "with zeros for its second number": lambda right: right[: len(right) // 2] + bytes(len(right) // 2),
}
"""What is made of the bytes of a right signature, and is none."""
OF_OTHER_LENGTHS: dict[str, Callable[[bytes], bytes]] = {
    "of nothing": lambda _: b"",
    "with one byte more": lambda right: right + b"\0",
    "with one byte before it": lambda right: b"\0" + right,
    "with another one's bytes behind it": lambda right: right * 2,
    "without its last byte": lambda right: right[:-1],
}
"""What is made of a right signature and has not its 96 bytes (RFC 9421, section 3.3.5)."""
ELSEWHERE = "api.other.example"
QUERIES = ("probe=a%20b%2Fc", "probe=%c3%a9", "probe=a+b", "probe=2&probe=1&a=0", "probe=&&probe")
"""Queries that programs often write anew: as RFC 9421 has it (section 2.2.7), they are signed as they are sent."""
LABELS = ("wallet-api", "s-1.x*")
"""Labels of signatures, as long as is usual and with each sign that one may have (RFC 8941, section 3.1.2)."""
NONCES = ('"a, b=:c:"', r'"a\"b\\c"', '"(a);b=1 )"')
"""Texts as Signature-Input has them, with what stands elsewhere between its parts."""


@deviation("signature-verifies")
def signed_for_another_body(signer: RequestSigner, request: httpx.Request) -> None:
    """Signs the digest of another body, then sends its own body with the right digest."""
    request.headers["Content-Digest"] = content_digest(OTHER_BODY)
    signer.sign(request)
    signer.digest(request)


def signed_nearly(number: int, names: list[str]) -> Deviation:
    """Signs, then sends a near miss of the signature's bytes, of its length, and notes the miss's name."""

    def change(right: bytes) -> bytes:
        found = near.misses(right.hex(), near.HEX)
        miss = [each for each in found if each.same_form][number]
        names.append(miss.name)
        return bytes.fromhex(miss.value)

    return signed_as(change)


def strange_key(tenant: Tenant) -> ec.EllipticCurvePrivateKey:
    """A key that nobody registered."""
    return key_from_seed(tenant.ids.draw(64))


# ----------------------------------------------------------------------------------------------------------- accepted


@verifies("offblocks.signature.right-one-accepted")
def test_a_right_signature_is_accepted(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it creates a customer, reads it in every way, and the owner signs."""
    customer = tenant.onboard(wallet)
    tenant.customers()
    tenant.read(customer.id)
    tenant.fetch(customer.id)
    tenant.sign(customer.id, wallet, customer.challenge)


@verifies("offblocks.signature.any-order-and-label")
def test_the_order_of_components_is_free(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when its signatures have components or parameters in reverse order."""
    rule = "offblocks.signature.any-order-and-label"
    expect_acceptance(rule, tenant.customers(deviation=turns_its_parameters_round))
    expect_acceptance(rule, tenant.customers(deviation=covers_in_another_order))
    expect_acceptance(rule, tenant.create(wallet, deviation=covers_in_another_order))


@verifies("offblocks.signature.any-label")
def test_the_label_of_a_signature_is_free(tenant: Tenant, wallet: Wallet, subject: Subject) -> None:
    """Given a tenant that was told no label, when its signatures have others than usual."""
    if subject.settings.get("signature_label"):
        needs("signatures under any label; SIGNATURE_LABEL names the one that this API takes")
    _expect_usual(tenant)
    for label in LABELS:
        expect_acceptance("offblocks.signature.any-label", tenant.customers(deviation=labelled(label)))
    expect_acceptance("offblocks.signature.any-label", tenant.create(wallet, deviation=labelled(LABELS[0])))


@verifies("offblocks.signature.any-order-and-label")
def test_a_signature_belongs_to_what_has_its_label(tenant: Tenant) -> None:
    """Given a server that takes two signatures, when these stand in another order than what they cover."""
    _expect_usual(tenant)
    if not tenant.customers(deviation=signs_twice(crosswise=False)).response.succeeded:
        needs("an API that takes a request with two right signatures")
    crosswise = tenant.customers(deviation=signs_twice(crosswise=True))
    expect_acceptance("offblocks.signature.any-order-and-label", crosswise)


def _expect_usual(tenant: Tenant) -> None:
    """Have a request accepted that is signed as usual, so that what differs in others is known."""
    usual = tenant.customers()
    if not usual.response.succeeded:
        step_failed("The customers were to be listed", usual)


@verifies("offblocks.signature.base-by-the-standard")
def test_a_signature_of_an_absent_query_is_accepted(tenant: Tenant) -> None:
    """Given a tenant, when its signature covers the query of a request that has none."""
    answer = tenant.customers(deviation=covers_an_absent_query)
    expect_status("offblocks.signature.base-by-the-standard", answer, 200)


@verifies("offblocks.signature.base-by-the-standard")
def test_what_a_signature_covers_may_be_written_with_blanks(tenant: Tenant) -> None:
    """Given a tenant, when its signature says what it covers with more blanks than were signed."""
    answer = tenant.customers(deviation=writes_its_input_with_blanks)
    expect_acceptance("offblocks.signature.base-by-the-standard", answer)


@verifies("offblocks.signature.base-by-the-standard")
def test_a_signature_of_an_encoded_path_is_accepted(tenant: Tenant) -> None:
    """Given refusals of a path and of a signature, when a customer, who cannot exist, is read by an encoded path."""
    tenant.must_cover("@path", "@target-uri", "@request-target")
    unknown = tenant.read("no-such-customer")
    unsigned_rightly = tenant.read("no-such-customer", deviation=signed_by(strange_key(tenant)))
    exchange = tenant.read("no%20such%C3%a9customer")
    wrong = unsigned_rightly.response.status
    if unknown.response.status == wrong:
        needs("what this API does not show: whether it refuses a signature or what was asked for")
    expect(
        "offblocks.signature.base-by-the-standard",
        exchange.response.status != wrong,
        where="response status",
        expected=f"another than {wrong}, as of a wrong signature: the path is signed as it is sent",
        got=in_words(exchange),
        exchange=exchange,
    )


@verifies("offblocks.signature.base-by-the-standard")
def test_a_signature_of_an_encoded_query_is_accepted(tenant: Tenant) -> None:
    """Given a server that passes over a parameter, when one comes with escapes of either case, or twice."""
    tenant.must_cover("@query", "@target-uri", "@request-target")
    if not tenant.send("GET", "/v1/customers?probe=1").response.succeeded:
        needs("an API that passes over a parameter that it does not know")
    for query in QUERIES:
        answer = tenant.send("GET", f"/v1/customers?{query}")
        expect_acceptance("offblocks.signature.base-by-the-standard", answer)


@verifies("offblocks.signature.base-by-the-standard")
def test_a_text_in_a_signature_may_have_any_sign(tenant: Tenant) -> None:
    """Given a server that takes a nonce, when one has commas, brackets and quotation marks, as RFC 8941 writes them."""
    if not tenant.customers(deviation=says("nonce", '"a1b2c3d4"')).response.succeeded:
        needs("an API that takes a nonce in a signature")
    for nonce in NONCES:
        answer = tenant.customers(deviation=says("nonce", nonce))
        expect_acceptance("offblocks.signature.base-by-the-standard", answer)


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(("a,b", "c"), id="two-lines"),
        pytest.param(("a ,  b",), id="blanks"),
        pytest.param(('first  second;x=1,  "c,d"',), id="blanks-within"),
        pytest.param(("",), id="nothing"),
    ],
)
@verifies("offblocks.signature.base-by-the-standard")
def test_a_covered_field_counts_as_it_is_sent(tenant: Tenant, lines: tuple[str, ...]) -> None:
    """Given a tenant, when its signature covers a field with commas and blanks in its value, or with nothing."""
    answer = tenant.customers(deviation=covers_another_field("X-Note", *lines))
    expect_status("offblocks.signature.base-by-the-standard", answer, 200)


# ------------------------------------------------------------------------------------------------------------ missing


@verifies("offblocks.signature.missing-refused", "offblocks.signature.refusal-has-no-effect")
def test_a_missing_signature_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when each operation is called with a token and without a signature, and it is read."""
    customer = tenant.onboard(wallet)
    answers = {name: call(deviation=unsigned) for name, call in guarded(tenant, customer).items()}
    for answer in answers.values():
        expect_refusal("offblocks.signature.missing-refused", answer, NOT_RIGHT)
    expect_unsigned("offblocks.signature.refusal-has-no-effect", tenant, customer.id, answers["signChallenge"])
    for call in by_headers_alone(tenant, customer):
        expect_refusal("offblocks.signature.missing-refused", call(signed=False), NOT_RIGHT)


@verifies("offblocks.signature.missing-refused")
def test_a_signature_without_its_input_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when a signature and what it covers have labels that differ."""
    for answer in (
        tenant.customers(deviation=signed_under_another_label),
        tenant.create(wallet, deviation=signed_under_another_label),
    ):
        expect_refusal("offblocks.signature.missing-refused", answer, NOT_RIGHT)


@verifies("offblocks.signature.refusal-status")
def test_a_refused_signature_has_one_of_the_statuses_given(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when requests of three operations come without a signature or with another key's."""
    customer = tenant.onboard(wallet)
    wrong_key = signed_by(strange_key(tenant))
    for answer in (
        tenant.customers(deviation=unsigned),
        tenant.fetch(customer.id, deviation=wrong_key),
        tenant.create(wallet, deviation=wrong_key),
    ):
        if not refused(answer):
            step_failed("A request without a right signature was to be refused", answer)
        expect_reading(
            "offblocks.signature.refusal-status",
            {401: "answered-401", 400: "answered-400"}.get(answer.response.status),
            where="response status",
            expected="401 or 400",
            got=answer.response.status,
            exchange=answer,
        )


# ------------------------------------------------------------------------------------------------------------ binding


@crosses("signature", "digest")
@verifies("offblocks.signature.binds-body")
def test_a_signature_binds_the_body(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer, when another is created and the owner signs, both with the signature of another body."""
    tenant.must_cover("content-digest")
    customer = tenant.onboard(wallet)
    expect_refusal("offblocks.signature.binds-body", tenant.create(wallet, deviation=signs_another_body), NOT_RIGHT)
    answer = tenant.sign(customer.id, wallet, customer.challenge, deviation=signed_for_another_body)
    expect_refusal("offblocks.signature.binds-body", answer, NOT_RIGHT)
    for before in (True, False):
        answer = tenant.create(wallet, deviation=adds_the_digest_of_another_body(before=before))
        expect_refusal("offblocks.signature.binds-body", answer, NOT_RIGHT)


@verifies("offblocks.signature.binds-method")
def test_a_signature_binds_the_method(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it signs a PUT and sends the same as a POST."""
    tenant.must_cover("@method")
    expect_refusal("offblocks.signature.binds-method", tenant.create(wallet, deviation=signs_another_method), NOT_RIGHT)
    for field in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        answer = tenant.create(wallet, deviation=signs_as_forwarded(field, "PUT", method="PUT"))
        expect_refusal("offblocks.signature.binds-method", answer, f"it signs a PUT, whatever {field} says")


@verifies("offblocks.signature.binds-path")
def test_a_signature_binds_the_path(tenant: Tenant, wallet: Wallet) -> None:
    """Given a customer who was read, when the signature of reading it is used for fetching its challenge."""
    tenant.must_cover("@path", "@target-uri", "@request-target")
    customer = tenant.onboard(wallet)
    tenant.read(customer.id)
    elsewhere = signs_another_path(tenant.path(f"/v1/customers/{customer.id}"))
    expect_refusal("offblocks.signature.binds-path", tenant.fetch(customer.id, deviation=elsewhere), NOT_RIGHT)
    path = tenant.path(f"/v1/customers/{customer.id}")
    for field in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri"):
        answer = tenant.fetch(customer.id, deviation=signs_as_forwarded(field, path, path=path))
        expect_refusal("offblocks.signature.binds-path", answer, f"it signs another path, whatever {field} says")


@verifies("offblocks.signature.binds-authority")
def test_a_signature_binds_the_host(tenant: Tenant) -> None:
    """Given a tenant, when it signs for another host, which it names in a field of proxies, or in none."""
    named = {
        "X-Forwarded-Host": ELSEWHERE,
        "Forwarded": f"host={ELSEWHERE}",
        "X-Host": ELSEWHERE,
        "X-Note": "another host",
    }
    for field, value in named.items():
        answer = tenant.customers(deviation=signs_as_forwarded(field, value, host=ELSEWHERE))
        expect_refusal("offblocks.signature.binds-authority", answer, f"it signs another host, whatever {field} says")


@verifies("offblocks.signature.binds-query")
def test_a_signature_binds_the_query(tenant: Tenant) -> None:
    """Given a tenant, when it signs the list with a query and sends it without."""
    tenant.must_cover("@query", "@target-uri", "@request-target")
    expect_refusal("offblocks.signature.binds-query", tenant.customers(deviation=signs_another_query), NOT_RIGHT)


@verifies("offblocks.signature.binds-covered-fields")
def test_a_signature_binds_the_fields_that_it_covers(tenant: Tenant, wallet: Wallet, subject: Subject) -> None:
    """Given a tenant, when a header field changes after signing to another value that would be right by itself."""
    others = {
        "content-type": "application/json; charset=utf-8",
        "idempotency-key": tenant.new_key(),
        "authorization": tenant.authorization().replace("Bearer", "bearer"),
    }
    covered = {name: value for name, value in others.items() if name in subject.settings["components"].split()}
    if not covered:
        needs(f"a covered field to change; add {', '.join(others)} to CONFORMANCE_OFFBLOCKS_COMPONENTS")
    for name, value in covered.items():
        answer = tenant.create(wallet, deviation=changes_field(name, value))
        expect_refusal("offblocks.signature.binds-covered-fields", answer, NOT_RIGHT)
    if "content-type" in covered:
        answer = tenant.create(wallet, deviation=precedes_field("Content-Type", covered["content-type"]))
        expect_refusal("offblocks.signature.binds-covered-fields", answer, NOT_RIGHT)


@verifies("offblocks.signature.repeated-component-refused")
def test_a_component_that_is_covered_twice_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when its signature names a component twice and has a line for each time."""
    answer = tenant.create(wallet, deviation=covers_a_component_twice)
    expect_refusal("offblocks.signature.repeated-component-refused", answer, NOT_RIGHT)


# --------------------------------------------------------------------------------------------------- key and algorithm


@verifies("offblocks.signature.wrong-key-refused")
def test_the_signature_of_another_key_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it signs with a key that is not the registered one, under the registered one's id."""
    answer = tenant.create(wallet, deviation=signed_by(strange_key(tenant)))
    expect_refusal("offblocks.signature.wrong-key-refused", answer, NOT_RIGHT)


@verifies("offblocks.signature.unknown-key-id-refused")
def test_a_signature_under_an_unknown_key_id_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it signs with the registered key under another id, and with another key under that."""
    key_id = str(tenant.ids.uuid())
    for key in (tenant.credentials.signing_key, strange_key(tenant)):
        answer = tenant.create(wallet, deviation=signed_by(key, key_id=key_id))
        expect_refusal("offblocks.signature.unknown-key-id-refused", answer, NOT_RIGHT)


@verifies("offblocks.signature.wrong-key-refused")
def test_a_signature_like_the_right_one_is_refused(tenant: Tenant) -> None:
    """Given a right signature that was used, when the customers are listed with what is like it, and then with it."""
    tenant.customers()
    wrong = {name: signed_as(change) for name, change in NO_SIGNATURES.items()}
    wrong |= {name: signed_as(change, "uses-required-algorithm") for name, change in OF_OTHER_LENGTHS.items()}
    for name, sin in wrong.items():
        answer = tenant.customers(deviation=sin)
        expect_refusal("offblocks.signature.wrong-key-refused", answer, f"the signature is one {name}")
    for number in range(MISSES):
        names: list[str] = []
        answer = tenant.customers(deviation=signed_nearly(number, names))
        because = f"the signature is {' and '.join(names)}"
        expect_refusal("offblocks.signature.wrong-key-refused", answer, because)
    right = tenant.customers()
    if not right.response.succeeded:
        step_failed("The customers were to be listed with a right signature", right)


@verifies("offblocks.signature.unknown-key-id-refused")
def test_a_signature_under_a_key_id_like_the_registered_one_is_refused(tenant: Tenant) -> None:
    """Given a tenant, when it signs with the registered key under ids that are like the registered one, and that."""
    own = tenant.credentials
    for miss in near.misses(own.signing_key_id, KEY_ID, others=[str(tenant.ids.uuid())])[:MISSES]:
        answer = tenant.customers(deviation=signed_by(own.signing_key, key_id=miss.value))
        because = f"the key id is like the right one, {miss.name}"
        expect_refusal("offblocks.signature.unknown-key-id-refused", answer, because)
    right = tenant.customers()
    if not right.response.succeeded:
        step_failed("The customers were to be listed with a right signature", right)


@crosses("authentication", "signature")
@crosses("signature", "isolation")
@verifies("offblocks.signature.other-clients-key-refused")
def test_the_signature_of_another_client_is_refused(tenant: Tenant, other_tenant: Tenant, wallet: Wallet) -> None:
    """Given two tenants that use the API, when a request carries the token of one and the signature of the other."""
    other_tenant.customers()
    other = other_tenant.credentials
    answer = tenant.create(wallet, deviation=signed_by(other.signing_key, key_id=other.signing_key_id))
    expect_refusal("offblocks.signature.other-clients-key-refused", answer, NOT_RIGHT)


@verifies("offblocks.signature.other-algorithm-refused")
def test_another_algorithm_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it signs with P-256, with SHA-512, and with HMAC and its public key as the secret."""
    p256 = ec.derive_private_key(1 + int.from_bytes(tenant.ids.draw(31), "big"), ec.SECP256R1())
    for sin in (signed_with_p256(p256), signed_with_sha512, signed_with_public_key_as_secret):
        answer = tenant.create(wallet, deviation=sin)
        expect_refusal("offblocks.signature.other-algorithm-refused", answer, NOT_RIGHT)


# ------------------------------------------------------------------------------------------------------------- effects


@verifies("offblocks.signature.refusal-has-no-effect")
def test_a_creation_with_a_refused_signature_has_no_effect(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it creates customers without a signature, with another key's and with a changed path."""
    tenant.must_cover("@path", "@target-uri", "@request-target")
    wrong: list[Deviation] = [unsigned, signed_by(strange_key(tenant)), signs_another_path(tenant.path("/v1/webhooks"))]
    external_ids = [tenant.new_external_id() for _ in wrong]
    for external_id, sin in zip(external_ids, wrong, strict=True):
        tenant.create(wallet, external_id, deviation=sin)
    expect_customers("offblocks.signature.refusal-has-no-effect", tenant, external_ids, at_most=0)


# ------------------------------------------------------------------------------------ where the documents say less


@verifies("offblocks.signature.der-form-refused")
def test_a_signature_in_der_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it sends its signature in DER."""
    answer = tenant.create(wallet, deviation=signed_in_der)
    expect_refusal("offblocks.signature.der-form-refused", answer, "the signature is in DER")


@verifies("offblocks.signature.covering-nothing-refused")
def test_a_signature_that_covers_nothing_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when its signature covers no component."""
    answer = tenant.create(wallet, deviation=covers_nothing)
    expect_refusal("offblocks.signature.covering-nothing-refused", answer, "the signature covers nothing")
    if refused(answer):
        answer = tenant.create(tenant.new_wallet(), deviation=covers_nothing_beside(strange_key(tenant)))
        because = "the signature covers nothing; one beside it, by a key that is not registered, covers all"
        expect_refusal("offblocks.signature.covering-nothing-refused", answer, because)


@crosses("signature", "expiry")
@verifies("offblocks.signature.stale-refused")
def test_a_stale_signature_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it signs with a time of creation that lies an hour back."""
    answer = tenant.create(wallet, deviation=signed_an_hour_ago)
    expect_refusal("offblocks.signature.stale-refused", answer, "the signature is an hour old")


@crosses("signature", "expiry")
@verifies("offblocks.signature.expired-refused")
def test_a_signature_that_has_ended_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a server that takes a signature with an end, when one says that its end was a minute ago."""
    now = int(tenant.clock.now().timestamp())
    if not tenant.customers(deviation=says("expires", f"{now + 60}")).response.succeeded:
        needs("an API that takes a signature that says when it ends")
    answer = tenant.create(wallet, deviation=signed_past_its_end)
    expect_refusal("offblocks.signature.expired-refused", answer, "the signature ended a minute ago")


@verifies("offblocks.signature.future-refused")
def test_a_signature_of_the_future_is_refused(tenant: Tenant, wallet: Wallet) -> None:
    """Given a tenant, when it signs with a time of creation that lies an hour ahead."""
    answer = tenant.create(wallet, deviation=signed_an_hour_ahead)
    expect_refusal("offblocks.signature.future-refused", answer, "the signature is of an hour from now")
