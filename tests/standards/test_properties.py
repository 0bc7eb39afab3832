"""What holds of every codec and parser for any input: round trips, altered bytes, and no exception but the documented.

What stands beside each module's own tests already is not repeated here.
"""

import base64
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from conformance.planbok import webhooks
from conformance.standards import personal_message
from conformance.standards.account_ids import (
    AccountId,
    AccountIdRejected,
    ChainId,
    checksum_address,
    checksum_state,
)
from conformance.standards.addresses import (
    AddressRejected,
    Family,
    Kind,
    PublicKeyRejected,
    address_of,
    decode_base58,
    encode_base58,
)
from conformance.standards.digest_fields import ALGORITHMS, DigestRejected, check_content_digest, content_digest
from conformance.standards.hd_keys import Curve, DerivationRejected, derive_key
from conformance.standards.message_signatures import (
    KeyRejected,
    SignatureRejected,
    declared_signatures,
    key_from_seed,
    load_private_key,
    load_public_key,
    present,
    private_pem,
    public_pem,
    sign,
    signature_base,
    verify,
)
from conformance.standards.sign_in_message import MessageRejected, parse
from conformance.standards.wallet_signatures import (
    ACCEPTED,
    Encoding,
    EncodingRejected,
    decode,
    encode,
    normalised,
)

KEY = bytes(range(1, 33))
ADDRESS = personal_message.address_of(KEY)
SIGNER = key_from_seed(b"properties")
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=-_"
printable = st.characters(min_codepoint=32, max_codepoint=126)
# Texts of all kinds, and such as come near to what a parser wants.
encoded = st.binary(max_size=140).map(lambda content: base64.b64encode(content).decode())
signature_texts = st.one_of(
    st.text(),
    st.text(BASE64, max_size=200),
    encoded,
    st.text("0x123abcdefABCDEF", max_size=140),
    st.text("0123456789abcdef", max_size=136).map(lambda digits: base64.b64encode(f"0x{digits}".encode()).decode()),
)
account_texts = st.one_of(
    st.text(),
    st.text("eip155:0xabcdefABCDEF_-.%", max_size=80),
    st.from_regex(r"[a-z0-9-]{2,9}:[A-Za-z0-9_.-]{0,33}:[A-Za-z0-9%._-]{0,130}", fullmatch=True),
    st.from_regex(r"eip155:[0-9]{1,6}:0x[0-9a-fA-F]{38,42}", fullmatch=True),
)
digest_texts = st.one_of(
    st.text(),
    st.text('sha-256512=:", ;()?' + BASE64, max_size=80),
    st.binary(max_size=70).map(lambda content: f"sha-256=:{base64.b64encode(content).decode()}:"),
)
input_texts = st.one_of(
    st.text(max_size=80),
    st.text('sig=("@method" "@path");created=0123456789;keyid="k"?:*\'-.', max_size=80),
    st.sampled_from(
        ['("@method")', '("@query-param";name="a")', '("date";bs)', '("@status")', '("a";sf "b";key="c")']
    ).map(lambda member: f"sig={member};created=1"),
)
pem_texts = st.one_of(
    st.text(),
    st.binary(max_size=60).map(
        lambda content: (
            f"-----BEGIN PRIVATE {'KEY'}-----\n{base64.b64encode(content).decode()}\n-----END PRIVATE KEY-----"
        )
    ),
    st.binary(max_size=60).map(
        lambda content: f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(content).decode()}\n-----END PUBLIC KEY-----"
    ),
)


# --- account ids ----------------------------------------------------------------------------------------------------


@given(account_texts)
def test_any_text_is_an_account_id_that_is_written_back_or_is_refused(text: str) -> None:
    try:
        account = AccountId.parse(text)
    except AccountIdRejected as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert str(account) == text


@given(st.one_of(account_texts, st.from_regex(r"[a-z0-9-]{2,9}:[A-Za-z0-9_.-]{0,33}", fullmatch=True)))
def test_any_text_is_a_chain_id_that_is_written_back_or_is_refused(text: str) -> None:
    try:
        chain = ChainId.parse(text)
    except AccountIdRejected as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert str(chain) == text


@given(st.one_of(st.text(), st.from_regex(r"0x[0-9a-fA-F]{38,42}", fullmatch=True)))
def test_any_text_has_a_checksum_that_stays_or_is_refused(text: str) -> None:
    try:
        right = checksum_address(text)
    except AccountIdRejected:
        with pytest.raises(AccountIdRejected):
            checksum_state(text)
    else:
        assert right.lower() == text.lower()
        assert checksum_state(right) == "checksummed"
        assert (checksum_state(text) == "checksummed") is (text == right)


# --- addresses ------------------------------------------------------------------------------------------------------


@given(st.one_of(st.text(), st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")))
def test_any_text_is_base58_that_is_written_back_or_is_refused(text: str) -> None:
    try:
        content = decode_base58(text)
    except AddressRejected as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert encode_base58(content) == text


@given(
    st.one_of(st.binary(max_size=70), st.binary(min_size=32, max_size=32).map(lambda x: b"\2" + x)),
    st.sampled_from(Family),
    st.booleans(),
)
def test_any_bytes_are_a_public_key_with_an_address_or_are_refused(key: bytes, family: Family, testnet: bool) -> None:
    with suppress(PublicKeyRejected):
        assert address_of(key, family, testnet=testnet)


@given(st.sampled_from(Family), st.sampled_from(Kind))
def test_a_kind_of_address_follows_from_a_key_or_is_refused(family: Family, kind: Kind) -> None:
    key = bytes(32) if family in {Family.SOLANA, Family.NEAR} else bytes.fromhex("02" + "79be667e" * 8)
    with suppress(ValueError):
        assert address_of(key, family, testnet=False, kind=kind)


# --- digests --------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=40), digest_texts)
def test_any_field_vouches_for_a_body_or_is_refused(body: bytes, value: str) -> None:
    try:
        check_content_digest(body, value)
    except DigestRejected as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert any(content_digest(body, name).partition("=")[2] in value for name in ALGORITHMS)


@given(st.binary(max_size=40), st.sampled_from(ALGORITHMS), st.data())
def test_any_altered_character_of_the_digest_is_refused(body: bytes, algorithm: str, data: st.DataObject) -> None:
    value = content_digest(body, algorithm)
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(printable.filter(lambda drawn: drawn != value[place]))
    altered = value[:place] + other + value[place + 1 :]
    assume(read(altered) != read(value))  # RFC 9651, 4.2.7: bits that only pad the last character are nobody's fault
    with pytest.raises(DigestRejected):
        check_content_digest(body, altered)


def read(field: str) -> object:
    """The algorithm and the digest in a field, or its text if there are none."""
    algorithm, _, digest = field.removesuffix(":").partition("=:")
    try:
        return algorithm, base64.b64decode(digest, validate=True)
    except ValueError:
        return field


# --- keys of a seed -------------------------------------------------------------------------------------------------


@given(st.binary(max_size=70), st.sampled_from(["m", "m/0'", "m/44'/60'", "m/1"]), st.sampled_from(Curve))
def test_any_seed_has_keys_or_is_refused(seed: bytes, path: str, curve: Curve) -> None:
    with suppress(DerivationRejected):
        key = derive_key(seed, path, curve)
        assert len(key.private_key) == 32
        assert key == derive_key(seed, path, curve)


# --- personal messages and wallet signatures ------------------------------------------------------------------------


@given(st.binary(max_size=40), st.one_of(st.binary(max_size=70), st.binary(min_size=65, max_size=65)))
def test_any_bytes_are_somebodys_signature_or_are_refused(message: bytes, signature: bytes) -> None:
    with suppress(personal_message.SignatureUnrecoverable):
        signer = personal_message.recover(message, signature)
        assert checksum_state(signer) == "checksummed"
        assert signature[-1] in {27, 28}


@given(st.binary(max_size=34))
def test_any_bytes_are_a_private_key_or_are_refused(key: bytes) -> None:
    with suppress(ValueError):
        assert personal_message.recover(b"", personal_message.sign(b"", key)) == personal_message.address_of(key)


@given(signature_texts)
def test_any_text_is_a_signature_that_is_written_back_or_is_refused(text: str) -> None:
    try:
        signature, encoding = decode(text)
    except EncodingRejected as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert encoding in ACCEPTED
        # Hex digits have two cases.
        assert base64.b64decode(encode(signature, encoding)).lower() == base64.b64decode(text).lower()


@given(st.binary(max_size=70))
def test_bringing_v_to_27_and_28_is_done_once(signature: bytes) -> None:
    assert normalised(normalised(signature)) == normalised(signature)
    assert normalised(signature)[:64] == signature[:64]


@given(st.binary(min_size=1, max_size=40), st.data())
def test_any_altered_byte_of_what_a_wallet_sends_is_refused_or_another_spelling(
    message: bytes, data: st.DataObject
) -> None:
    text = encode(personal_message.sign(message, KEY), Encoding.BASE64_OF_HEX_TEXT)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from(BASE64).filter(lambda drawn: drawn != text[place]))
    altered = text[:place] + other + text[place + 1 :]
    with suppress(EncodingRejected, personal_message.SignatureUnrecoverable):
        signature, _ = decode(altered)
        same = base64.b64decode(altered).lower() == base64.b64decode(text)
        assert (personal_message.recover(message, signature) == ADDRESS) is same


# --- sign-in messages -----------------------------------------------------------------------------------------------

LINES = (
    "example.com wants you to sign in with your Ethereum account:",
    "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
    "",
    "A statement.",
    "URI: https://example.com/login",
    "Version: 1",
    "Chain ID: 1",
    "Nonce: 32891756",
    "Issued At: 2021-09-30T16:25:24Z",
    "Not Before: 2021-09-30T16:25:24Z",
    "Request ID: id",
    "Resources:",
    "- https://example.com",
)


@given(st.one_of(st.text(), st.lists(st.sampled_from(LINES), max_size=14).map("\n".join)))
def test_any_text_is_a_sign_in_message_that_is_written_back_or_is_refused(text: str) -> None:
    try:
        message = parse(text)
    except MessageRejected as error:
        assert 1 <= error.line <= text.count("\n") + 2  # noqa: PT017 - either outcome is right
    else:
        assert str(message) == text


@given(st.lists(st.integers(0, len(LINES) - 1), max_size=3), st.integers(0, 40))
def test_a_message_with_lines_taken_out_or_cut_is_written_back_or_is_refused(gone: list[int], cut: int) -> None:
    whole = (*LINES[:4], "", *LINES[4:])
    text = "\n".join(line for place, line in enumerate(whole) if place not in gone)
    text = text[: len(text) - cut]
    try:
        message = parse(text)
    except MessageRejected:
        return
    assert str(message) == text


@given(st.text(printable, max_size=40))
def test_any_time_is_an_instant_or_is_refused(written: str) -> None:
    text = "\n".join((*LINES[:3], "", *LINES[4:8], f"Issued At: {written}"))
    with suppress(MessageRejected):
        assert parse(text).issued_at_time.utcoffset() == timedelta()


# --- request signatures ---------------------------------------------------------------------------------------------

URL = "https://api.example.com/v1/customers?page=1"
HEADERS = [("Content-Type", "application/json"), ("X-Note", "note")]
COMPONENTS = ("@method", "@authority", "@path", "@query", "content-type", "x-note")
SIGNED = [*HEADERS, *sign("POST", URL, HEADERS, key=SIGNER, key_id="k", components=COMPONENTS, created=NOW)]


def check(method: str, url: str, headers: list[tuple[str, str]]) -> None:
    verify(method, url, headers, key_for={"k": SIGNER.public_key()}.get, now=NOW)


@given(input_texts, input_texts)
def test_any_fields_are_signatures_or_are_refused(signature_input: str, signature: str) -> None:
    headers = [("Signature-Input", signature_input), ("Signature", signature)]
    with suppress(SignatureRejected):
        assert declared_signatures(headers)
    with pytest.raises(SignatureRejected):
        check("GET", URL, headers)


@given(input_texts)
def test_any_input_has_a_base_or_is_refused(signature_input: str) -> None:
    headers = [("Signature-Input", signature_input), ("Signature", "sig=:AAAA:"), *HEADERS]
    with suppress(SignatureRejected):
        declared, _ = declared_signatures(headers)[0]
        base = signature_base("GET", URL, headers, declared)
        assert base.rpartition("\n")[2] == f'"@signature-params": {declared.text}'


@given(st.text(max_size=12), st.text(max_size=40))
def test_any_method_and_url_can_be_verified_or_are_refused(method: str, url: str) -> None:
    assume((method, url) != ("POST", URL))
    with pytest.raises(SignatureRejected):
        check(method, url, SIGNED)


@given(st.lists(st.one_of(st.text(max_size=20), st.sampled_from(COMPONENTS)), max_size=4))
def test_any_components_are_signed_and_verify_or_are_refused(components: list[str]) -> None:
    try:
        fields = sign("POST", URL, HEADERS, key=SIGNER, key_id="k", components=components, created=NOW)
    except SignatureRejected as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        check("POST", URL, [*HEADERS, *fields])


@given(st.lists(st.text(max_size=20), max_size=4))
def test_any_component_is_present_or_absent_or_is_refused(components: list[str]) -> None:
    with suppress(SignatureRejected):
        assert set(present(components, "GET", URL, HEADERS)) <= set(components)


@given(st.sampled_from(["method", "url", "Content-Type", "X-Note"]), st.data())
def test_any_altered_character_of_what_is_covered_is_refused(part: str, data: st.DataObject) -> None:
    request = {"method": "POST", "url": URL, **dict(HEADERS)}
    start = len("https://") if part == "url" else 0
    place = data.draw(st.integers(start, len(request[part]) - 1))
    other = data.draw(
        st.characters(min_codepoint=33, max_codepoint=126).filter(lambda drawn: drawn != request[part][place])
    )
    changed = {**request, part: request[part][:place] + other + request[part][place + 1 :]}
    headers = [(name, changed.get(name, value)) for name, value in SIGNED]
    # Hosts have no letter case.
    assume(changed["url"].lower() != URL or part != "url")
    with pytest.raises(SignatureRejected):
        check(changed["method"], changed["url"], headers)


@given(pem_texts)
def test_any_text_is_a_key_that_is_written_back_or_is_refused(text: str) -> None:
    with suppress(KeyRejected):
        assert load_private_key(private_pem(load_private_key(text))).private_numbers()
    with suppress(KeyRejected):
        assert load_public_key(public_pem(load_public_key(text))).public_numbers()


# --- webhooks -------------------------------------------------------------------------------------------------------

SECRET = "made up"
EVENT = b'{"event":"wallet.created","timestamp":"2026-01-15T12:00:00Z","data":{"n":1}}'


@given(
    st.lists(st.tuples(st.sampled_from(["X-Webhook-Signature", "X-Webhook-Timestamp", "X-Webhook-Id"]), st.text())),
    st.one_of(st.binary(), st.just(EVENT)),
)
def test_any_webhook_that_nobody_signed_is_refused(headers: list[tuple[str, str]], body: bytes) -> None:
    with pytest.raises(webhooks.WebhookRejected):
        webhooks.verify(headers, body, SECRET, now=NOW)


@given(st.binary())
def test_any_body_that_is_signed_is_an_event_or_is_refused_as_none(body: bytes) -> None:
    try:
        webhooks.verify(webhooks.sign(body, SECRET, NOW), body, SECRET, now=NOW)
    except webhooks.WebhookRejected as error:
        assert error.reason is webhooks.Reason.NO_EVENT  # noqa: PT017 - either outcome is right


@given(st.data())
def test_any_altered_byte_of_a_signed_webhook_is_refused(data: st.DataObject) -> None:
    signed = webhooks.sign(EVENT, SECRET, NOW)
    parts = {**{name: value.encode() for name, value in signed.items()}, "body": EVENT}
    part = data.draw(st.sampled_from(list(parts)))
    place = data.draw(st.integers(0, len(parts[part]) - 1))
    altered = bytearray(parts[part])
    altered[place] = data.draw(st.integers(33, 126).filter(lambda drawn: drawn != altered[place]))
    assume(bytes(altered).lower() != parts[part] or part != webhooks.SIGNATURE_HEADER)  # hex has two cases
    changed = {**parts, part: bytes(altered)}
    headers = [(name, changed[name].decode()) for name in signed]
    with pytest.raises(webhooks.WebhookRejected):
        webhooks.verify(headers, changed["body"], SECRET, now=NOW)
