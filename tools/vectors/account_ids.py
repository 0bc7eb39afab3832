"""Account ids of CAIP-10, as a client sends them for `chainId` and `ownerId`."""

from tools.vectors.case import Case, Topic
from tools.vectors.wallet_signatures import ADDRESS

ABOUT = (
    "A client names a customer's account; the provider creates the customer or answers 400. What is judged is the id "
    "alone. The address is that of a made-up key, see wallet-signatures; the others are those of EIP-55."
)
SYNTAX = "customer.malformed-chain-id-refused"
FORM = "client.sends-account-id"
CHECKSUM = "client.sends-checksummed-address"
LISTED = {
    "zkSync Era": "eip155:324",
    "zkSync Sepolia": "eip155:300",
    "Arbitrum One": "eip155:42161",
    "Arbitrum Sepolia": "eip155:421614",
    "Polygon": "eip155:137",
    "Mumbai": "eip155:80001",
}
OTHERS = {
    "StarkNet, whose reference has an underscore": (
        "starknet:SN_MAIN:0x02dd1b492765c064eac4039e3841aa5f382773b598097a40073bd8b48170ab57"
    ),
    "Solana": "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp:7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv",
    "Tron": "tron:27Lqcw:TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
    "Bitcoin": "bip122:000000000019d6689c085ae165831e93:128Lkh3S7CkDTBZ8W7BbpsN3YYizJMp8p6",
    "Cosmos": "cosmos:cosmoshub-3:cosmos1t2uflqwqe0fsj0shcfkrvpukewcw40yjj6hdc0",
    "Hedera, whose address has dots and a hyphen": "hedera:mainnet:0.0.1234567890-zbhlt",
    "address of one character": "cosmos:cosmoshub-3:a",
    "address of 128 characters": f"cosmos:cosmoshub-3:{'a' * 128}",
    "address with a percent sign": "cosmos:cosmoshub-3:a%20b",
    "reference of one character": "cosmos:a:a",
    "reference of 32 characters": f"cosmos:{'a' * 32}:a",
    "reference with an underscore": "cosmos:a_b:a",
    "namespace of 3 characters": "abc:a:a",
    "namespace of 8 characters": "abcdefgh:a:a",
    "namespace with a hyphen": "ab-cd:a:a",
    "longest of all, 170 characters": f"abcdefgh:{'b' * 32}:{'c' * 128}",
}
EIP_55 = (
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0xde709f2102306220921060314715629080e2fb77",
)
ZKSYNC = "eip155:300"


def right(title: str, chain: str, address: str) -> Case:
    """An account on a listed chain with its checksum."""
    return Case(
        title,
        {"account_id": f"{chain}:{address}"},
        "valid",
        "must",
        "right",
        FORM,
        task={"chain_id": chain, "address": address.lower()},
    )


def unclear(title: str, account: str, reason: str, rule: str) -> Case:
    """What is an account id, and of which the documents do not say that it is taken."""
    return Case(title, {"account_id": account}, "unspecified", "unspecified", reason, rule)


def wrong(title: str, account: str, reason: str) -> Case:
    """What is no account id."""
    return Case(title, {"account_id": account}, "invalid", "must-not", reason, SYNTAX)


def other(title: str, account: str) -> Case:
    """An account of a namespace that the provider has no wallets for yet."""
    return Case(
        title,
        {"account_id": account},
        "unspecified",
        "unspecified",
        "other-namespace",
        basis="documented",
        source=("sign-in", "Sign in With X, EVM networks only"),
    )


def one_swapped(address: str) -> str:
    """The address with the case of its first letter changed."""
    place = next(place for place, character in enumerate(address) if place > 1 and character.isalpha())
    return address[:place] + address[place].swapcase() + address[place + 1 :]


CASES = [
    *(right(f"{name}, with checksum", chain, ADDRESS) for name, chain in LISTED.items()),
    *(right(f"address {address[:8]} of EIP-55", ZKSYNC, address) for address in EIP_55),
    # ---------------------------------------------------------------------------------------------- left open
    unclear("address all in lower case", f"{ZKSYNC}:{ADDRESS.lower()}", "letter-case", CHECKSUM),
    unclear("address all in upper case", f"{ZKSYNC}:0x{ADDRESS[2:].upper()}", "letter-case", CHECKSUM),
    unclear("checksum with every letter swapped", f"{ZKSYNC}:0x{ADDRESS[2:].swapcase()}", "checksum", CHECKSUM),
    unclear("checksum with one letter swapped", f"{ZKSYNC}:{one_swapped(ADDRESS)}", "checksum", CHECKSUM),
    unclear(
        "one digit off, as the documents print it",
        "eip155:280:0x43158f45b5EbD7b1179130131DF00393928C2691",
        "checksum",
        CHECKSUM,
    ),
    unclear(
        "chain 280, of the examples and not of the list",
        f"eip155:280:{ADDRESS}",
        "unlisted-chain",
        "customer.unlisted-chain",
    ),
    unclear(
        "chain 1, of the reference and not of the list",
        f"eip155:1:{ADDRESS}",
        "unlisted-chain",
        "customer.unlisted-chain",
    ),
    unclear("chain that nobody has", f"eip155:999999999:{ADDRESS}", "unlisted-chain", "customer.unlisted-chain"),
    unclear("chain id of 32 digits", f"eip155:{'9' * 32}:{ADDRESS}", "unlisted-chain", "customer.unlisted-chain"),
    unclear("chain id with a leading zero", f"eip155:0300:{ADDRESS}", "unlisted-chain", "customer.unlisted-chain"),
    *(other(title, account) for title, account in OTHERS.items()),
    # ------------------------------------------------------------------------------------------ no account ids
    wrong("empty", "", "parts"),
    wrong("address alone", ADDRESS, "parts"),
    wrong("chain alone", ZKSYNC, "parts"),
    wrong("without reference", f"eip155:{ADDRESS}", "parts"),
    wrong("extra colon at the end", f"{ZKSYNC}:{ADDRESS}:", "parts"),
    wrong("extra part", f"{ZKSYNC}:{ADDRESS}:0", "parts"),
    wrong("extra colon at the start", f":{ZKSYNC}:{ADDRESS}", "parts"),
    wrong("two colons between", f"eip155::{ADDRESS}", "reference"),
    wrong("slash as in an asset id", f"{ZKSYNC}/slip44:60", "parts"),
    wrong("empty namespace", f":300:{ADDRESS}", "namespace"),
    wrong("namespace in upper case", f"EIP155:300:{ADDRESS}", "namespace"),
    wrong("namespace of 2 characters", "ab:a:a", "namespace"),
    wrong("namespace of 9 characters", "abcdefghi:a:a", "namespace"),
    wrong("namespace with an underscore", "ab_cd:a:a", "namespace"),
    wrong("reference of 33 characters", f"cosmos:{'a' * 33}:a", "length"),
    wrong("reference with a dot", "cosmos:a.b:a", "reference"),
    wrong("reference with other than ASCII characters", "cosmos:z\u00fcrich:a", "reference"),
    wrong("chain id in hex", f"eip155:0x12c:{ADDRESS}", "reference"),
    wrong("chain by its name", f"eip155:zksync:{ADDRESS}", "reference"),
    wrong("chain id with an underscore", f"eip155:3_0:{ADDRESS}", "reference"),
    wrong("chain id in other than ASCII digits", f"eip155:\u0663\u0660\u0660:{ADDRESS}", "reference"),
    wrong("empty address", "cosmos:cosmoshub-3:", "address"),
    wrong("address of 129 characters", f"cosmos:cosmoshub-3:{'a' * 129}", "length"),
    wrong("address with an underscore", "cosmos:cosmoshub-3:a_b", "address"),
    wrong("address with a slash", "cosmos:cosmoshub-3:a/b", "address"),
    wrong("empty address on an EVM chain", f"{ZKSYNC}:", "address"),
    wrong("address without 0x", f"{ZKSYNC}:{ADDRESS[2:]}", "address"),
    wrong("address with 0X", f"{ZKSYNC}:0X{ADDRESS[2:]}", "address"),
    wrong("address of 39 digits", f"{ZKSYNC}:{ADDRESS[:-1]}", "length"),
    wrong("address of 41 digits", f"{ZKSYNC}:{ADDRESS}0", "length"),
    wrong("address with a letter beyond f", f"{ZKSYNC}:{ADDRESS[:-1]}g", "address"),
    wrong("address that is a name", f"{ZKSYNC}:alice.eth", "address"),
    wrong("blank before", f" {ZKSYNC}:{ADDRESS}", "white-space"),
    wrong("newline after", f"{ZKSYNC}:{ADDRESS}\n", "white-space"),
    wrong("blank after a colon", f"eip155: 300:{ADDRESS}", "white-space"),
]

TOPIC = Topic("offblocks", "account-ids", ABOUT, CASES)
