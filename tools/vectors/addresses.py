"""Addresses of the chains that wallets are created on."""

from collections.abc import Iterable
from functools import reduce
from hashlib import sha256

from coincurve import PrivateKey
from Crypto.Hash import RIPEMD160
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tools.vectors.account_ids import one_swapped
from tools.vectors.case import Case, Topic
from tools.vectors.wallet_signatures import address_of

ABOUT = (
    "The provider creates wallets and shows their addresses; a client reads them, so here the provider sends and the "
    "client accepts. Chains without a checksum have no case of a wrong one. Every private key is the SHA-256 of the "
    "text 'test vectors: wallet': made up, never to hold anything."
)
KEY = sha256(b"test vectors: wallet").digest()
POINT = PrivateKey(KEY).public_key.format()
ED25519 = Ed25519PrivateKey.from_private_bytes(KEY).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32, BECH32M = 1, 0x2BC830A3
HASH = RIPEMD160.new(sha256(POINT).digest()).digest()
SCRIPT = RIPEMD160.new(sha256(b"test vectors: script").digest()).digest()
WIDE = sha256(b"test vectors: script").digest()

FORM, CHECKSUM = "address.evm-form", "address.evm-checksum"
BITCOIN, SOLANA, NEAR = "address.bitcoin-form", "address.solana-form", "address.near-form"


def base58(content: bytes) -> str:
    """Base58 in Bitcoin's alphabet."""
    number, text = int.from_bytes(content, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return "1" * (len(content) - len(content.lstrip(b"\0"))) + text


def base58check(version: int, payload: bytes) -> str:
    """Base58 with version and checksum."""
    content = bytes([version]) + payload
    return base58(content + sha256(sha256(content).digest()).digest()[:4])


def polymod(symbols: Iterable[int]) -> int:
    """The residue of BIP-173."""
    generator = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
    residue = 1
    for symbol in symbols:
        top = residue >> 25
        residue = (residue & 0x1FFFFFF) << 5 ^ symbol
        residue = reduce(
            lambda value, pair: value ^ pair[1] if top >> pair[0] & 1 else value, enumerate(generator), residue
        )
    return residue


def bech32(prefix: str, symbols: list[int], constant: int) -> str:
    """A bech32 or bech32m text of these symbols."""
    expanded = [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]
    residue = polymod([*expanded, *symbols, *[0] * 6]) ^ constant
    checksum = [residue >> 5 * (5 - place) & 31 for place in range(6)]
    return f"{prefix}1" + "".join(BASE32[symbol] for symbol in [*symbols, *checksum])


def symbols_of(program: bytes, padding: int = 0) -> list[int]:
    """The bytes in groups of five bits, the last one filled up with `padding`."""
    short = -8 * len(program) % 5
    number = int.from_bytes(program, "big") << short | padding
    return [number >> shift & 31 for shift in range(8 * len(program) + short - 5, -1, -5)]


def segwit(prefix: str, version: int, program: bytes, constant: int | None = None) -> str:
    """A segwit address, in the encoding of its version unless told otherwise."""
    constant = constant or (BECH32M if version else BECH32)
    return bech32(prefix, [version, *symbols_of(program)], constant)


def changed(text: str, place: int, alphabet: str) -> str:
    """The text with one character replaced by the next of the alphabet."""
    other = alphabet[(alphabet.index(text[place]) + 1) % len(alphabet)]
    return text[:place] + other + text[place + 1 or len(text) :]


def right(title: str, chain: str, address: str, rule: str, form: str, key: bytes) -> Case:
    """The address that follows from a key."""
    task = {"blockchain": chain, "public_key_hex": key.hex(), "form": form}
    content = {"blockchain": chain, "address": address}
    return Case(f"{chain}: {title}", content, "valid", "must", "right", rule, task=task)


def read(title: str, chain: str, address: str, rule: str, reason: str = "right", produce: str = "valid") -> Case:
    """An address that must be read."""
    content = {"blockchain": chain, "address": address}
    return Case(f"{chain}: {title}", content, produce, "must", reason, rule)


def wrong(title: str, chain: str, address: str, rule: str, reason: str) -> Case:
    """What is no address of the chain."""
    content = {"blockchain": chain, "address": address}
    return Case(f"{chain}: {title}", content, "invalid", "must-not", reason, rule)


def open_(title: str, chain: str, address: str, rule: str, reason: str) -> Case:
    """What no source settles."""
    content = {"blockchain": chain, "address": address}
    return Case(f"{chain}: {title}", content, "unspecified", "unspecified", reason, rule)


EVM = address_of(KEY)
ENCODED = {
    "BTC": ("bc", 0x00, 0x05),
    "BTC-TESTNET": ("tb", 0x6F, 0xC4),
}
P2WPKH, P2TR = segwit("bc", 0, HASH), segwit("bc", 1, WIDE)
P2PKH = base58check(0, HASH)
SOL = base58(ED25519)
IMPLICIT = ED25519.hex()
LETTER = next(
    place for place, letter in enumerate(P2PKH) if place > 1 and letter.isalpha() and letter.swapcase() in BASE58
)

CASES = [
    # ---------------------------------------------------------------------------------------------------- EVM
    *(
        right("with checksum", chain, EVM, FORM, "evm", POINT)
        for chain in (
            "ETH",
            "ETH-SEPOLIA",
            "BASE",
            "BASE-SEPOLIA",
            "POL-AMOY",
            "ARB-SEPOLIA",
            "OP-SEPOLIA",
            "BSC",
            "CELO",
            "SCR",
            "CRO-EVM",
        )
    ),
    read("checksum all in upper case (EIP-55)", "ETH", "0x52908400098527886E0F7030069857D2E4169EE7", FORM),
    read("checksum all in lower case (EIP-55)", "ETH", "0xde709f2102306220921060314715629080e2fb77", FORM),
    read("checksum mixed (EIP-55)", "ETH-SEPOLIA", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", CHECKSUM),
    read("without checksum in lower case", "ETH", EVM.lower(), FORM, "letter-case"),
    open_("without checksum in upper case", "ETH", "0x" + EVM[2:].upper(), CHECKSUM, "letter-case"),
    wrong("every letter swapped", "ETH", "0x" + EVM[2:].swapcase(), CHECKSUM, "checksum"),
    wrong(
        "one letter swapped",
        "ETH-SEPOLIA",
        one_swapped(EVM),
        CHECKSUM,
        "checksum",
    ),
    wrong("39 digits", "ETH", EVM[:-1], FORM, "length"),
    wrong("41 digits", "ETH", EVM + "0", FORM, "length"),
    wrong("32 bytes", "ETH", "0x" + WIDE.hex(), FORM, "length"),
    wrong("empty", "ETH", "", FORM, "length"),
    wrong("without 0x", "ETH", EVM[2:], FORM, "form"),
    wrong("with 0X", "ETH", "0X" + EVM[2:], FORM, "form"),
    wrong("letter beyond f", "ETH", EVM[:-1] + "g", FORM, "character"),
    wrong("name instead of an address", "ETH", "alice.eth", FORM, "form"),
    wrong("account id", "ETH", f"eip155:1:{EVM}", FORM, "form"),
    wrong("Bitcoin address", "ETH", P2WPKH, FORM, "other-chain"),
    wrong("Solana address", "BASE", SOL, FORM, "other-chain"),
    wrong("newline at its end", "ETH", EVM + "\n", FORM, "white-space"),
    # ------------------------------------------------------------------------------------------------ Bitcoin
    *(
        case
        for chain, (prefix, key_version, script_version) in ENCODED.items()
        for case in (
            right("P2WPKH", chain, segwit(prefix, 0, HASH), BITCOIN, "p2wpkh", POINT),
            right("P2PKH", chain, base58check(key_version, HASH), BITCOIN, "p2pkh", POINT),
            read("P2SH", chain, base58check(script_version, SCRIPT), BITCOIN),
            read("P2WSH", chain, segwit(prefix, 0, WIDE), BITCOIN),
            read("P2TR", chain, segwit(prefix, 1, WIDE), BITCOIN),
            read("bech32 in upper case", chain, segwit(prefix, 0, HASH).upper(), BITCOIN, "letter-case", "unspecified"),
            open_("witness version 2", chain, segwit(prefix, 2, WIDE), BITCOIN, "version"),
        )
    ),
    read("P2PKH of a hash of zeros", "BTC", base58check(0, bytes(20)), BITCOIN),
    wrong(
        "bech32 in mixed case",
        "BTC",
        P2WPKH[:-1] + P2WPKH[-1].upper() if P2WPKH[-1].isalpha() else P2WPKH[:3] + P2WPKH[3:].upper(),
        BITCOIN,
        "letter-case",
    ),
    wrong("bech32 with its prefix in upper case", "BTC", "BC" + P2WPKH[2:], BITCOIN, "letter-case"),
    wrong("bech32 with one character changed", "BTC", changed(P2WPKH, 10, BASE32), BITCOIN, "checksum"),
    wrong(
        "bech32 with its last character changed", "BTC", changed(P2WPKH, len(P2WPKH) - 1, BASE32), BITCOIN, "checksum"
    ),
    wrong("bech32 without its last character", "BTC", P2WPKH[:-1], BITCOIN, "checksum"),
    wrong(
        "bech32 with two characters exchanged",
        "BTC",
        P2WPKH[:10] + P2WPKH[11] + P2WPKH[10] + P2WPKH[12:],
        BITCOIN,
        "checksum",
    ),
    wrong("bech32m with one character changed", "BTC", changed(P2TR, 20, BASE32), BITCOIN, "checksum"),
    wrong("bech32 with a character that it lacks", "BTC", P2WPKH[:10] + "b" + P2WPKH[11:], BITCOIN, "character"),
    wrong("witness version 0 in bech32m", "BTC", segwit("bc", 0, HASH, BECH32M), BITCOIN, "encoding"),
    wrong("witness version 1 in bech32", "BTC", segwit("bc", 1, WIDE, BECH32), BITCOIN, "encoding"),
    wrong("witness version 17", "BTC", segwit("bc", 17, WIDE), BITCOIN, "version"),
    wrong("witness version 0 with 16 bytes", "BTC", segwit("bc", 0, HASH[:16]), BITCOIN, "length"),
    wrong("witness version 0 with 21 bytes", "BTC", segwit("bc", 0, HASH + b"\0"), BITCOIN, "length"),
    wrong("witness version 1 with 1 byte", "BTC", segwit("bc", 1, b"\0"), BITCOIN, "length"),
    wrong("witness version 1 with 41 bytes", "BTC", segwit("bc", 1, bytes(41)), BITCOIN, "length"),
    wrong("no witness program", "BTC", bech32("bc", [], BECH32), BITCOIN, "length"),
    wrong(
        "padding that is not zero", "BTC", bech32("bc", [1, *symbols_of(WIDE, padding=1)], BECH32M), BITCOIN, "padding"
    ),
    wrong("padding of a whole character", "BTC", bech32("bc", [0, *symbols_of(HASH), 0], BECH32), BITCOIN, "padding"),
    wrong("base58 with one character changed", "BTC", changed(P2PKH, 10, BASE58), BITCOIN, "checksum"),
    wrong(
        "base58 with the case of one letter changed",
        "BTC",
        P2PKH[:LETTER] + P2PKH[LETTER].swapcase() + P2PKH[LETTER + 1 :],
        BITCOIN,
        "checksum",
    ),
    wrong("base58 without its last character", "BTC", P2PKH[:-1], BITCOIN, "checksum"),
    wrong("base58 with a character that it lacks", "BTC", P2PKH[:10] + "0" + P2PKH[11:], BITCOIN, "character"),
    wrong("base58 with a hash of 19 bytes", "BTC", base58check(0, HASH[:19]), BITCOIN, "length"),
    wrong("base58 with a hash of 21 bytes", "BTC", base58check(0, HASH + b"\1"), BITCOIN, "length"),
    wrong("base58 of a private key (WIF)", "BTC", base58check(0x80, WIDE + b"\1"), BITCOIN, "version"),
    wrong("testnet bech32", "BTC", segwit("tb", 0, HASH), BITCOIN, "network"),
    wrong("testnet base58", "BTC", base58check(0x6F, HASH), BITCOIN, "network"),
    wrong("regtest bech32", "BTC", segwit("bcrt", 0, HASH), BITCOIN, "network"),
    wrong("mainnet bech32", "BTC-TESTNET", P2WPKH, BITCOIN, "network"),
    wrong("mainnet base58", "BTC-TESTNET", P2PKH, BITCOIN, "network"),
    wrong("regtest bech32", "BTC-TESTNET", segwit("bcrt", 0, HASH), BITCOIN, "network"),
    wrong("Litecoin bech32", "BTC", segwit("ltc", 0, HASH), BITCOIN, "other-chain"),
    wrong("Litecoin base58", "BTC", base58check(0x30, HASH), BITCOIN, "other-chain"),
    wrong("Ethereum address", "BTC", EVM, BITCOIN, "other-chain"),
    wrong("blank before it", "BTC", " " + P2WPKH, BITCOIN, "white-space"),
    wrong("URI of BIP-21", "BTC", f"bitcoin:{P2PKH}", BITCOIN, "form"),
    wrong("empty", "BTC", "", BITCOIN, "length"),
    # ------------------------------------------------------------------------------------------------- Solana
    *(right("32 bytes", chain, SOL, SOLANA, "solana", ED25519) for chain in ("SOL", "SOL-TESTNET")),
    read("32 zero bytes, of 32 characters", "SOL", "1" * 32, SOLANA),
    read("32 bytes of ones, of 44 characters", "SOL", base58(b"\xff" * 32), SOLANA),
    read("32 bytes that start with zeros", "SOL-TESTNET", base58(bytes(3) + ED25519[3:]), SOLANA),
    wrong("31 bytes", "SOL", base58(ED25519[:31]), SOLANA, "length"),
    wrong("33 bytes", "SOL", base58(ED25519 + b"\1"), SOLANA, "length"),
    wrong("64 bytes", "SOL", base58(ED25519 * 2), SOLANA, "length"),
    wrong("a zero byte before", "SOL", "1" + SOL, SOLANA, "length"),
    *(
        wrong(f"with {character}, which base58 lacks", "SOL", SOL[:10] + character + SOL[11:], SOLANA, "character")
        for character in "0OIl"
    ),
    wrong("hex instead of base58", "SOL", ED25519.hex(), SOLANA, "form"),
    wrong("Ethereum address", "SOL", EVM, SOLANA, "other-chain"),
    wrong("newline at its end", "SOL", SOL + "\n", SOLANA, "white-space"),
    wrong("empty", "SOL", "", SOLANA, "length"),
    # --------------------------------------------------------------------------------------------------- NEAR
    *(right("implicit", chain, IMPLICIT, NEAR, "near-implicit", ED25519) for chain in ("NEAR", "NEAR-TESTNET")),
    read("implicit of Ethereum", "NEAR", EVM.lower(), NEAR),
    read("named", "NEAR", "alice.near", NEAR),
    read("named on the testnet", "NEAR-TESTNET", "alice.testnet", NEAR),
    read("sub-account", "NEAR", "app.alice.near", NEAR),
    read("with all that may stand between letters", "NEAR", "a-b_c.d1.near", NEAR),
    read("of 64 characters", "NEAR", "a" * 59 + ".near", NEAR),
    open_("without a dot", "NEAR", "alice", NEAR, "form"),
    open_("implicit of 63 digits", "NEAR", IMPLICIT[:-1], NEAR, "length"),
    open_("named of the testnet", "NEAR", "alice.testnet", NEAR, "network"),
    open_("named of the mainnet", "NEAR-TESTNET", "alice.near", NEAR, "network"),
    wrong("implicit in upper case", "NEAR", IMPLICIT.upper(), NEAR, "letter-case"),
    wrong("implicit of Ethereum with checksum", "NEAR", EVM, NEAR, "letter-case"),
    wrong("named with a capital", "NEAR", "Alice.near", NEAR, "letter-case"),
    wrong("of 65 characters", "NEAR", "a" * 60 + ".near", NEAR, "length"),
    wrong("of one character", "NEAR", "a", NEAR, "length"),
    wrong("empty", "NEAR", "", NEAR, "length"),
    wrong("dot at its start", "NEAR", ".alice.near", NEAR, "form"),
    wrong("dot at its end", "NEAR", "alice.near.", NEAR, "form"),
    wrong("two dots in a row", "NEAR", "alice..near", NEAR, "form"),
    wrong("hyphen before a dot", "NEAR", "alice-.near", NEAR, "form"),
    wrong("at sign", "NEAR", "alice@near", NEAR, "character"),
    wrong("other than ASCII letters", "NEAR", "\u00e4lice.near", NEAR, "character"),
    wrong("public key as NEAR writes it", "NEAR", f"ed25519:{SOL}", NEAR, "form"),
    wrong("blank within", "NEAR", "ali ce.near", NEAR, "white-space"),
]

TOPIC = Topic("planbok", "addresses", ABOUT, CASES)
