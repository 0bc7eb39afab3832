from hashlib import sha256

import pytest
from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given
from hypothesis import strategies as st

from conformance.standards import addresses, personal_message
from conformance.standards.addresses import (
    AddressRejected,
    Family,
    Kind,
    PublicKeyRejected,
    Reason,
    address_of,
    check_address,
    decode_base58,
    encode_base58,
)

EIP_55_VECTORS = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
BIP_173_EXAMPLES = [
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", False, Kind.P2WPKH),
    ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", True, Kind.P2WPKH),
    ("bc1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qccfmv3", False, Kind.P2WSH),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", True, Kind.P2WSH),
]
BIP_350_VALID = [
    ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", False, Kind.P2WPKH),
    ("bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y", False, Kind.UNASSIGNED_WITNESS),
    ("BC1SW50QGDZ25J", False, Kind.UNASSIGNED_WITNESS),
    ("bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", False, Kind.UNASSIGNED_WITNESS),
    ("tb1qqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesrxh6hy", True, Kind.P2WSH),
    ("tb1pqqqqp399et2xygdj5xreqhjjvcmzhxw4aywxecjdzew6hylgvsesf3hn0c", True, Kind.P2TR),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", False, Kind.P2TR),
]
BIP_86_ADDRESS = ("bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr", False, Kind.P2TR)
BASE58CHECK_EXAMPLES = [
    ("16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM", False, Kind.P2PKH),
    ("1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo", False, Kind.P2PKH),
    ("36j4NfKv6Akva9amjWrLG6MuSQym1GuEmm", False, Kind.P2SH),
    ("mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hZ", True, Kind.P2PKH),
    ("n4YNbYuFdPwFrxSP8sjHFbAhUbLMUiY9jE", True, Kind.P2PKH),
    ("2NC2hEhe28ULKAJkW5MjZ3jtTMJdvXmByvK", True, Kind.P2SH),
]
BITCOIN_ADDRESSES = [*BIP_173_EXAMPLES, *BIP_350_VALID, BIP_86_ADDRESS, *BASE58CHECK_EXAMPLES]
BIP_350_INVALID = [
    ("tc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq5zuyut", False, Reason.FORM),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", False, Reason.ENCODING),
    ("tb1z0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqglt7rf", True, Reason.ENCODING),
    ("BC1S0XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ54WELL", False, Reason.ENCODING),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", False, Reason.ENCODING),
    ("tb1q0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq24jc47", True, Reason.ENCODING),
    ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", False, Reason.CHARACTER),
    ("BC130XLXVLHEMJA6C4DQV22UAPCTQUPFHLXM9H8Z3K2E72Q4K9HCZ7VQ7ZWS8R", False, Reason.VERSION),
    ("bc1pw5dgrnzv", False, Reason.LENGTH),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v8n0nx0muaewav253zgeav", False, Reason.LENGTH),
    ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", False, Reason.LENGTH),
    ("tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vq47Zagq", True, Reason.LETTER_CASE),
    ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7v07qwwzcrf", False, Reason.PADDING),
    ("tb1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vpggkg4j", True, Reason.PADDING),
    ("bc1gmk9yu", False, Reason.LENGTH),
]
BIP_173_INVALID = [
    ("tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4ty", False, Reason.FORM),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", False, Reason.CHECKSUM),
    ("BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2", False, Reason.VERSION),
    ("bc1rw5uspcuh", False, Reason.ENCODING),
    ("BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", False, Reason.LENGTH),
    ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sL5k7", True, Reason.LETTER_CASE),
    ("BC1SW50QA3JX3S", False, Reason.ENCODING),
]
OTHER_INVALID_BITCOIN = [
    ("", False, Reason.FORM),
    ("0x52908400098527886E0F7030069857D2E4169EE7", False, Reason.FORM),
    ("bc1q" + "q" * 90, False, Reason.LENGTH),
    ("1" * 36, False, Reason.LENGTH),
    ("111111", False, Reason.LENGTH),
    ("16UwLL9Risc3QfPqBUvKofHmBQ7wMtjv", False, Reason.LENGTH),
    ("16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvm", False, Reason.CHECKSUM),
    ("16UwLL9Risc3QfPqBUvKofHmBQ7wMtjv0", False, Reason.CHARACTER),
    ("16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM ", False, Reason.CHARACTER),
    ("bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9", False, Reason.NETWORK),
    ("bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9", True, Reason.NETWORK),
    ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7\u212av8f3t4", False, Reason.CHARACTER),
]
DOGECOIN_TESTNET_VERSION = b"\x71"
BASE58_VECTORS = [
    ("", ""),
    ("61", "2g"),
    ("626262", "a3gV"),
    ("73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2"),
    ("00eb15231dfceb60925886b67d065299925915aeb172c06647", "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"),
    ("572e4794", "3EFU7m"),
    ("00000000000000000000", "1111111111"),
]

SYSTEM_PROGRAM = "11111111111111111111111111111111"
WRAPPED_SOL = "So11111111111111111111111111111111111111112"
NEAR_IMPLICIT = "98793cd91a3f870fb126f66285808c7e094afcfc4eda8a970f6648cdf0dbd6de"
NEAR_IMPLICIT_KEY = "BGCCDDHfysuuVnaNVtEhhqeT4k9Muyem3Kpgq2U1m9HX"
NEAR_DETERMINISTIC = "0s85f17cf997934a597031b2e18a9ab6ebd4b9f6a4"
NEAR_UNIVERSAL = "0u" + "0123456789abcdefghjkmnpqrstvwxyz" + "0123456789abcdefghj0"
NEAR_ETHEREUM = "0x85f17cf997934a597031b2e18a9ab6ebd4b9f6a4"

GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
WIKI_KEY = bytes.fromhex(
    "0450863ad64a87ae8a2fe83c1af1a8403cb53f53e486d8511dad8a04887e5b2352"
    "2cd470243453a299fa9e77237716103abc11a1df38855ed6f2ee187e9c582ba6"
)
private_keys = st.integers(1, 2**250).map(lambda number: number.to_bytes(32, "big"))
letters = st.sampled_from("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0OIl")


def reason_of(text: str, family: Family, *, testnet: bool = False) -> Reason:
    with pytest.raises(AddressRejected) as caught:
        check_address(text, family, testnet=testnet)
    return caught.value.reason


@pytest.mark.parametrize("address", EIP_55_VECTORS)
@pytest.mark.parametrize("testnet", [False, True])
def test_the_addresses_of_eip_55_are_accepted_on_every_evm_network(address: str, testnet: bool) -> None:
    assert check_address(address, Family.EVM, testnet=testnet) is Kind.EVM
    assert check_address(address.lower(), Family.EVM, testnet=testnet) is Kind.EVM


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.LENGTH),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", Reason.LENGTH),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", Reason.FORM),
        ("005aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", Reason.FORM),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed", Reason.CHECKSUM),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe\n", Reason.CHARACTER),
    ],
)
def test_what_is_no_evm_address_is_refused_with_the_reason(text: str, reason: Reason) -> None:
    assert reason_of(text, Family.EVM) is reason


def test_a_wrong_evm_checksum_is_told_with_its_place_and_the_right_one() -> None:
    right = EIP_55_VECTORS[2]
    with pytest.raises(AddressRejected, match=f"first at character 40.*expected {right}"):
        check_address(right[:39] + "a" + right[40:], Family.EVM, testnet=False)


@pytest.mark.parametrize(("address", "testnet", "kind"), BITCOIN_ADDRESSES)
def test_a_bitcoin_address_is_accepted_on_its_own_network_only(address: str, testnet: bool, kind: Kind) -> None:
    assert check_address(address, Family.BITCOIN, testnet=testnet) is kind
    assert reason_of(address, Family.BITCOIN, testnet=not testnet) is Reason.NETWORK


@pytest.mark.parametrize(("text", "testnet", "reason"), BIP_173_INVALID + BIP_350_INVALID + OTHER_INVALID_BITCOIN)
def test_what_is_no_bitcoin_address_is_refused_with_the_reason(text: str, testnet: bool, reason: Reason) -> None:
    assert reason_of(text, Family.BITCOIN, testnet=testnet) is reason


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", "in bech32, .* version is 1, .* in bech32m"),
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh", "in bech32m, .* version is 0, .* in bech32 "),
        ("bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4", "Character 60 .* 'o'"),
        ("16UwLL9Risc3QfPqBUvKofHmBQ7wMtjv0", "Character 33 is '0'"),
        ("tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx", "testnet, expected one of its mainnet"),
        ("0x52908400098527886E0F7030069857D2E4169EE7", "starts with '0x5', .* with 1, 3 or bc1"),
    ],
)
def test_the_message_says_what_is_wrong_and_where(text: str, wrong: str) -> None:
    with pytest.raises(AddressRejected, match=wrong):
        check_address(text, Family.BITCOIN, testnet=False)


def test_an_address_of_another_chain_with_a_right_checksum_is_refused_by_its_version() -> None:
    payload = DOGECOIN_TESTNET_VERSION + bytes(20)
    address = encode_base58(payload + sha256(sha256(payload).digest()).digest()[:4])
    assert address.startswith("n")
    assert reason_of(address, Family.BITCOIN, testnet=True) is Reason.VERSION


@given(st.sampled_from(BITCOIN_ADDRESSES), st.data())
def test_a_bitcoin_address_with_any_character_altered_is_refused(
    case: tuple[str, bool, Kind], data: st.DataObject
) -> None:
    address, testnet, _ = case
    place = data.draw(st.integers(0, len(address) - 1))
    other = data.draw(letters.filter(lambda letter: letter != address[place]))
    with pytest.raises(AddressRejected):
        check_address(address[:place] + other + address[place + 1 :], Family.BITCOIN, testnet=testnet)


@pytest.mark.parametrize("address", [SYSTEM_PROGRAM, WRAPPED_SOL, NEAR_IMPLICIT_KEY])
@pytest.mark.parametrize("testnet", [False, True])
def test_a_solana_address_is_base58_of_32_bytes_on_every_network(address: str, testnet: bool) -> None:
    assert check_address(address, Family.SOLANA, testnet=testnet) is Kind.SOLANA


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.LENGTH),
        ("1" * 31, Reason.LENGTH),
        ("1" * 33, Reason.LENGTH),
        ("z" * 44, Reason.LENGTH),
        ("z" * 32, Reason.LENGTH),
        ("1" * 45, Reason.LENGTH),
        ("z" * 100_000, Reason.LENGTH),
        ("So1111111111111111111111111111111111111111O", Reason.CHARACTER),
        ("So1111111111111111111111111111111111111111\n", Reason.CHARACTER),
    ],
)
def test_what_is_no_solana_address_is_refused_with_the_reason(text: str, reason: Reason) -> None:
    assert reason_of(text, Family.SOLANA) is reason


@pytest.mark.parametrize(
    ("address", "testnet", "kind"),
    [
        (NEAR_IMPLICIT, False, Kind.NEAR_IMPLICIT),
        (NEAR_IMPLICIT, True, Kind.NEAR_IMPLICIT),
        (NEAR_ETHEREUM, False, Kind.NEAR_ETHEREUM),
        (NEAR_ETHEREUM, True, Kind.NEAR_ETHEREUM),
        (NEAR_DETERMINISTIC, False, Kind.NEAR_DETERMINISTIC),
        (NEAR_DETERMINISTIC, True, Kind.NEAR_DETERMINISTIC),
        (NEAR_UNIVERSAL, False, Kind.NEAR_UNIVERSAL),
        (NEAR_UNIVERSAL, True, Kind.NEAR_UNIVERSAL),
        ("alice.near", False, Kind.NEAR_NAMED),
        ("sub.account.testnet", True, Kind.NEAR_NAMED),
        ("1_4m_n0t-al1c3.near", False, Kind.NEAR_NAMED),
        ("user.sweat", False, Kind.NEAR_NAMED),
        ("9902c136629fc630416e50d4f2fef6aff867ea7e.lockup.near", False, Kind.NEAR_NAMED),
        ("a.b", False, Kind.NEAR_NAMED),
    ],
)
def test_the_forms_of_a_near_account_are_told_apart(address: str, testnet: bool, kind: Kind) -> None:
    assert check_address(address, Family.NEAR, testnet=testnet) is kind


@pytest.mark.parametrize(
    ("text", "testnet", "reason"),
    [
        ("", False, Reason.LENGTH),
        ("z", False, Reason.LENGTH),
        (NEAR_IMPLICIT + "0", False, Reason.LENGTH),
        (NEAR_IMPLICIT.upper(), False, Reason.LETTER_CASE),
        (NEAR_ETHEREUM.upper(), False, Reason.LETTER_CASE),
        ("Alice.near", False, Reason.LETTER_CASE),
        ("bob@near", False, Reason.CHARACTER),
        ("\u0192elicia.near", False, Reason.CHARACTER),
        ("alice.near\n", False, Reason.CHARACTER),
        ("alice..near", False, Reason.FORM),
        ("not-_alice.near", False, Reason.FORM),
        (".bob.near", False, Reason.FORM),
        ("alice.near-", False, Reason.FORM),
        (NEAR_IMPLICIT[:-1], False, Reason.FORM),
        (NEAR_ETHEREUM[:-1], False, Reason.FORM),
        (NEAR_DETERMINISTIC[:-1], False, Reason.FORM),
        (NEAR_DETERMINISTIC + "0", False, Reason.FORM),
        (NEAR_DETERMINISTIC[:-1] + "g", False, Reason.FORM),
        (NEAR_DETERMINISTIC[:-1] + "F", False, Reason.LETTER_CASE),
        (NEAR_UNIVERSAL[:-1], False, Reason.FORM),
        (NEAR_UNIVERSAL[:-1] + "u", False, Reason.FORM),
        ("near", False, Reason.FORM),
        ("alice.near", True, Reason.NETWORK),
        ("alice.testnet", False, Reason.NETWORK),
    ],
)
def test_what_is_no_near_account_is_refused_with_the_reason(text: str, testnet: bool, reason: Reason) -> None:
    assert reason_of(text, Family.NEAR, testnet=testnet) is reason


@given(
    st.one_of(
        st.text(),
        st.text("0x123abcdefABCDEF", max_size=66),
        st.text("bct1qpzry9x8gf2tvdw0s3jn54khce6mua7lBC", max_size=95).map(lambda text: "bc1" + text),
        st.text("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", min_size=25, max_size=45),
        st.text("ab0.-_", max_size=66),
    ),
    st.sampled_from(Family),
    st.booleans(),
)
@example("\ud800", Family.EVM, False)
@example("0x" + "\u0663" * 40, Family.EVM, False)
@example("\u0130c1q", Family.BITCOIN, False)
def test_an_arbitrary_text_is_an_address_or_is_refused(text: str, family: Family, testnet: bool) -> None:
    try:
        outcome: object = check_address(text, family, testnet=testnet)
    except AddressRejected as error:
        outcome = error
    assert isinstance(outcome, Kind) or len(str(outcome)) < 400


@pytest.mark.parametrize(("content", "text"), BASE58_VECTORS)
def test_base58_gives_the_known_texts(content: str, text: str) -> None:
    assert encode_base58(bytes.fromhex(content)) == text
    assert decode_base58(text) == bytes.fromhex(content)


@given(st.binary(max_size=60))
def test_base58_is_read_back(content: bytes) -> None:
    assert decode_base58(encode_base58(content)) == content


@pytest.mark.parametrize("character", ["0", "O", "I", "l", " ", "\u212a"])
def test_base58_lacks_the_characters_that_look_alike(character: str) -> None:
    with pytest.raises(AddressRejected, match="Character 2 is"):
        decode_base58(f"2{character}g")


@pytest.mark.parametrize(
    ("key", "testnet", "kind", "address"),
    [
        (GENERATOR, False, None, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        (GENERATOR, True, Kind.P2WPKH, "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"),
        (WIKI_KEY, False, Kind.P2PKH, "16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM"),
        (PublicKey(WIKI_KEY).format(), False, Kind.P2PKH, "1PMycacnJaSqwwJqjawXBErnLsZ7RkXUAs"),
        (PublicKey(GENERATOR).format(compressed=False), False, None, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ],
)
def test_the_published_bitcoin_addresses_follow_from_their_keys(
    key: bytes, testnet: bool, kind: Kind | None, address: str
) -> None:
    assert address_of(key, Family.BITCOIN, testnet=testnet, kind=kind) == address


def test_the_published_near_account_follows_from_its_key_and_solana_writes_that_key_in_base58() -> None:
    key = decode_base58(NEAR_IMPLICIT_KEY)
    assert address_of(key, Family.NEAR, testnet=False) == NEAR_IMPLICIT
    assert address_of(key, Family.SOLANA, testnet=True) == NEAR_IMPLICIT_KEY


def test_ripemd160_is_the_same_where_openssl_leaves_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def left_out(*_: object, **__: object) -> None:
        raise ValueError("unsupported hash type ripemd160")

    found = addresses._ripemd160(b"abc")
    monkeypatch.setattr("hashlib.new", left_out)
    assert addresses._ripemd160(b"abc") == found == bytes.fromhex("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc")


@given(private_keys)
def test_an_evm_address_is_that_of_the_account_that_signs(private_key: bytes) -> None:
    point = PrivateKey(private_key).public_key
    expected = personal_message.address_of(private_key)
    assert address_of(point.format(), Family.EVM, testnet=False) == expected
    assert address_of(point.format(compressed=False), Family.EVM, testnet=True, kind=Kind.EVM) == expected
    assert check_address(expected, Family.EVM, testnet=False) is Kind.EVM


@given(private_keys, st.booleans(), st.sampled_from([Kind.P2WPKH, Kind.P2PKH]))
def test_a_bitcoin_address_of_a_key_is_accepted_as_what_it_is(private_key: bytes, testnet: bool, kind: Kind) -> None:
    key = PrivateKey(private_key).public_key.format()
    address = address_of(key, Family.BITCOIN, testnet=testnet, kind=kind)
    assert check_address(address, Family.BITCOIN, testnet=testnet) is kind
    assert reason_of(address, Family.BITCOIN, testnet=not testnet) is Reason.NETWORK


@given(st.binary(min_size=32, max_size=32), st.sampled_from([Family.SOLANA, Family.NEAR]))
@example(bytes(32), Family.SOLANA)
@example(b"\xff" * 32, Family.SOLANA)
def test_an_ed25519_address_of_a_key_is_accepted_and_holds_the_key(seed: bytes, family: Family) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    address = address_of(key, family, testnet=False)
    assert check_address(address, family, testnet=False) in (Kind.SOLANA, Kind.NEAR_IMPLICIT)
    assert (decode_base58(address) if family is Family.SOLANA else bytes.fromhex(address)) == key


@pytest.mark.parametrize(
    ("key", "family", "wrong"),
    [
        (b"", Family.EVM, "has 0 bytes"),
        (GENERATOR[1:], Family.EVM, "33 bytes that start with"),
        (b"\x05" + GENERATOR[1:], Family.BITCOIN, "starts with 0x05"),
        (b"\x06" + WIKI_KEY[1:], Family.BITCOIN, "starts with 0x06"),
        (b"\x02" + b"\xff" * 32, Family.EVM, "no point of the curve"),
        (WIKI_KEY[:-1] + b"\xa7", Family.EVM, "no point of the curve"),
        (GENERATOR, Family.SOLANA, "solana public key has 33 bytes, expected 32"),
        (bytes(31), Family.NEAR, "near public key has 31 bytes, expected 32"),
    ],
)
def test_what_is_no_public_key_of_the_curve_is_refused(key: bytes, family: Family, wrong: str) -> None:
    with pytest.raises(PublicKeyRejected, match=wrong):
        address_of(key, family, testnet=False)


def test_a_form_that_does_not_follow_from_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"No p2tr address follows .* expected p2wpkh or p2pkh"):
        address_of(GENERATOR, Family.BITCOIN, testnet=False, kind=Kind.P2TR)
