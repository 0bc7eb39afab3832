"""Derives the addresses of a customer from one root seed, by BIP-32 and SLIP-10, with no library of theirs."""

import hashlib
import hmac

from Crypto.Hash import RIPEMD160, keccak
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
HARD = 1 << 31

# blockchain: (kind, coin type)
BLOCKCHAINS = {
    **dict.fromkeys(("ETH", "POL", "BSC", "BASE", "ARB", "OP", "CELO"), ("evm", 60)),
    **dict.fromkeys(("ETH-SEPOLIA", "POL-AMOY", "BASE-SEPOLIA", "ARB-SEPOLIA", "OP-SEPOLIA"), ("evm", 60)),
    "BTC": ("btc", 0),
    "BTC-TESTNET": ("btc-testnet", 1),
    "SOL": ("sol", 501),
    "SOL-TESTNET": ("sol", 501),
    "NEAR": ("near", 397),
    "NEAR-TESTNET": ("near", 397),
}


def point(secret: int, form: PublicFormat) -> bytes:
    return ec.derive_private_key(secret, ec.SECP256K1()).public_key().public_bytes(Encoding.X962, form)


def secp256k1(seed: bytes, path: list[int]) -> int:
    node = hmac.digest(b"Bitcoin seed", seed, "sha512")
    secret, chain = int.from_bytes(node[:32], "big"), node[32:]
    for index in path:
        start = b"\0" + secret.to_bytes(32, "big") if index >= HARD else point(secret, PublicFormat.CompressedPoint)
        node = hmac.digest(chain, start + index.to_bytes(4, "big"), "sha512")
        secret, chain = (int.from_bytes(node[:32], "big") + secret) % ORDER, node[32:]
    return secret


def ed25519_public(seed: bytes, path: list[int]) -> bytes:
    node = hmac.digest(b"ed25519 seed", seed, "sha512")
    for index in path:
        node = hmac.digest(node[32:], b"\0" + node[:32] + (index | HARD).to_bytes(4, "big"), "sha512")
    private = ed25519.Ed25519PrivateKey.from_private_bytes(node[:32])
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def checksummed(digits: str) -> str:
    marks = keccak256(digits.encode()).hex()
    return "".join(c.upper() if int(mark, 16) > 7 else c for c, mark in zip(digits, marks, strict=False))


def base58(data: bytes) -> str:
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = BASE58[rest] + text
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + text


def segwit(prefix: str, program: bytes) -> str:
    bits = "".join(f"{byte:08b}" for byte in program)
    values = [0, *(int(bits[place : place + 5], 2) for place in range(0, len(bits), 5))]
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = 1
    for value in [*expanded, *values, 0, 0, 0, 0, 0, 0]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> bit & 1 else 0
    check ^= 1
    return prefix + "1" + "".join(BECH32[v] for v in [*values, *(check >> 5 * (5 - i) & 31 for i in range(6))])


def derive(
    seed: bytes, blockchain: str, account: int, index: int, *, checksum: bool, legacy: bool
) -> tuple[str, str, str]:
    """Gives the address, the public key in hex and the path of a wallet."""
    kind, coin = BLOCKCHAINS[blockchain]
    if kind in {"sol", "near"}:
        public = ed25519_public(seed, [44, coin, account, index])
        address = base58(public) if kind == "sol" else public.hex()
        return address, public.hex(), f"m/44'/{coin}'/{account}'/{index}'"
    purpose = 84 if kind.startswith("btc") and not legacy else 44
    secret = secp256k1(seed, [purpose | HARD, coin | HARD, account | HARD, 0, index])
    compressed = point(secret, PublicFormat.CompressedPoint)
    path = f"m/{purpose}'/{coin}'/{account}'/0/{index}"
    if kind == "evm":
        digits = keccak256(point(secret, PublicFormat.UncompressedPoint)[1:])[-20:].hex()
        return "0x" + (checksummed(digits) if checksum else digits), compressed.hex(), path
    program = RIPEMD160.new(hashlib.sha256(compressed).digest()).digest()
    if not legacy:
        return segwit("bc" if kind == "btc" else "tb", program), compressed.hex(), path
    payload = (b"\x00" if kind == "btc" else b"\x6f") + program
    return base58(payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]), compressed.hex(), path
