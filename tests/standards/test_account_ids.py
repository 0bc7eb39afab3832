import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.standards.account_ids import AccountId, AccountIdRejected, ChainId, checksum_address, checksum_state

EIP_55_VECTORS = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]
CAIP_2_EXAMPLES = [
    "eip155:1",
    "bip122:000000000019d6689c085ae165831e93",
    "bip122:12a765e31ffd4059bada1e25190f6e98",
    "cosmos:cosmoshub-3",
    "cosmos:Binance-Chain-Tigris",
    "starknet:SN_GOERLI",
    "lip9:9ee11e9df416b18b",
    "chainstd:8c3444cf8970a9e41a706fab93e7a6c4",
]
CAIP_10_EXAMPLES = [
    "eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb",
    "bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6",
    "cosmos:cosmoshub-3:cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0",
    "polkadot:b0a8d493285c2df73290dfb7e61f870f:5hmuyxw9xdgbpptgypokw4thfyoe3ryenebr381z9iaegmfy",
    "starknet:SN_GOERLI:0x02dd1b492765c064eac4039e3841aa5f382773b598097a40073bd8b48170ab57",
    "chainstd:8c3444cf8970a9e41a706fab93e7a6c4:6d9b0b4b9994e8a6afbd3dc3ed983cd51c755afb27cd1dc7825ef59c134a39f7",
    "hedera:mainnet:0.0.1234567890-zbhlt",
]
PRINTED_OWNER_ID = "eip155:280:0x43158f45b5EbD7b1179130131DF00393928C2691"
SIGNER = "0x43158f45b5EbD7b1179130130DF00393928C2691"

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())


@pytest.mark.parametrize("text", CAIP_2_EXAMPLES)
def test_chain_ids_of_caip_2_are_read_and_written_back(text: str) -> None:
    assert str(ChainId.parse(text)) == text


@pytest.mark.parametrize("text", CAIP_10_EXAMPLES)
def test_account_ids_of_caip_10_are_read_and_written_back(text: str) -> None:
    assert str(AccountId.parse(text)) == text


def test_the_parts_of_an_account_id_are_told_apart() -> None:
    assert AccountId.parse(CAIP_10_EXAMPLES[0]) == AccountId(
        ChainId("eip155", "1"), "0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb"
    )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "1 parts"),
        ("eip155", "1 parts"),
        ("eip155:1:0xab", "3 parts"),
        ("EIP155:1", "namespace 'EIP155'"),
        ("ei:1", "namespace 'ei'"),
        ("eip155xxx:1", "namespace 'eip155xxx'"),
        ("eip155:", "reference ''"),
        ("eip155:" + "1" * 33, "reference"),
        ("eip155:mainnet", "decimal digits"),
        ("cosmos:a b", "reference 'a b'"),
        ("cosmos:a\n", "reference"),
    ],
)
def test_what_is_no_chain_id_is_refused_with_the_wrong_part(text: str, wrong: str) -> None:
    with pytest.raises(AccountIdRejected, match=wrong):
        ChainId.parse(text)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb", "1 parts"),
        ("eip155:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb", "2 parts"),
        ("eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb:x", "4 parts"),
        ("EIP155abc:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb", "namespace 'EIP155abc'"),
        ("eip155:0x1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb", "decimal digits"),
        ("eip155:1:0xZZ!!", "address '0xZZ!!'"),
        ("eip155:1:0xab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcd", "39 characters after 0x"),
        ("eip155:1:0xzb16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdb", "'z' is not a hex digit"),
        ("eip155:1:ab16a96D359eC26a11e2C2b3d8f8B8942d5Bfcdbab", "does not start with 0x"),
        ("cosmos:hub:", "address ''"),
        ("cosmos:hub:" + "a" * 129, "address"),
    ],
)
def test_what_is_no_account_id_is_refused_with_the_wrong_part(text: str, wrong: str) -> None:
    with pytest.raises(AccountIdRejected, match=wrong):
        AccountId.parse(text)


@given(
    st.from_regex(r"[-a-z0-9]{3,8}", fullmatch=True).filter(lambda namespace: namespace != "eip155"),
    st.from_regex(r"[-_a-zA-Z0-9]{1,32}", fullmatch=True),
    st.from_regex(r"[-.%a-zA-Z0-9]{1,128}", fullmatch=True),
)
def test_every_account_id_of_the_grammar_is_written_back(namespace: str, reference: str, address: str) -> None:
    account = AccountId(ChainId(namespace, reference), address)
    assert AccountId.parse(str(account)) == account


@pytest.mark.parametrize("address", EIP_55_VECTORS)
def test_the_checksums_of_eip_55_come_out(address: str) -> None:
    assert checksum_address(address.lower()) == address
    assert checksum_address("0x" + address[2:].upper()) == address
    assert checksum_state(address) == "checksummed"


@pytest.mark.parametrize(
    "digits", ["5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", "5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED"]
)
def test_an_address_in_one_case_has_no_checksum(digits: str) -> None:
    assert checksum_state("0x" + digits) == "uniform"


def test_the_owner_id_printed_in_the_document_fails_its_checksum_and_the_signer_does_not() -> None:
    assert checksum_state(AccountId.parse(PRINTED_OWNER_ID).address) == "wrong"
    assert checksum_state(SIGNER) == "checksummed"


@given(addresses, st.data())
def test_a_letter_of_the_other_case_is_never_the_checksum(address: str, data: st.DataObject) -> None:
    right = checksum_address(address)
    letters = [place for place, character in enumerate(right) if place > 1 and character.isalpha()]
    if letters:
        place = data.draw(st.sampled_from(letters))
        assert checksum_state(right[:place] + right[place].swapcase() + right[place + 1 :]) != "checksummed"


def test_a_checksum_is_made_of_an_address_only() -> None:
    with pytest.raises(AccountIdRejected, match="expected 0x and 40 hex digits"):
        checksum_address("0X52908400098527886E0F7030069857D2E4169EE7")
