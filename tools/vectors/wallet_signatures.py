"""Signatures of a wallet over a challenge."""

import base64
from hashlib import sha256

import yaml
from coincurve import PrivateKey
from coincurve.utils import GROUP_ORDER_INT
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from eth_hash.auto import keccak

from conformance.files import data_path
from tools.vectors.case import Case, Topic, encoded

ABOUT = (
    "A customer's wallet signs a challenge (EIP-191, version 0x45) and a client sends the signature; the provider "
    "accepts it or not. Every private key is the SHA-256 of a text, 'test vectors: owner' or 'test vectors: stranger': "
    "made up, never to hold anything. The printed signature is the vendor's own, its key is not known."
)
OWNER, STRANGER = (sha256(f"test vectors: {name}".encode()).digest() for name in ("owner", "stranger"))
SECP256K1 = GROUP_ORDER_INT
PRINTED_SIGNER = "0x43158f45b5EbD7b1179130130DF00393928C2691"
SILENT = ("eip191", "Version 0x45")


def address_of(key: bytes) -> str:
    """The address of a private key's account, with its checksum (EIP-55)."""
    digits = keccak(PrivateKey(key).public_key.format(compressed=False)[1:])[-20:].hex()
    checksum = keccak(digits.encode()).hex()
    return "0x" + "".join(a.upper() if b >= "8" else a for a, b in zip(digits, checksum, strict=False))


ADDRESS = address_of(OWNER)
MESSAGE = (
    "api.sandbox.offblocks.xyz wants you to sign in with your Ethereum account:\n"
    f"{ADDRESS}\n\n"
    "Made up for the test vectors.\n\n"
    "URI: https://api.sandbox.offblocks.xyz\n"
    "Version: 1\n"
    "Chain ID: 300\n"
    "Nonce: vectors0vectors1\n"
    "Issued At: 2026-01-15T12:00:00Z"
).encode()


def prefixed(message: bytes, *, length: int | None = None) -> bytes:
    """The hash that ``personal_sign`` signs; `length` is what it says of the message's length, if not the truth."""
    said = len(message) if length is None else length
    return keccak(b"\x19Ethereum Signed Message:\n" + str(said).encode() + message)


def raw(digest: bytes, key: bytes = OWNER) -> bytes:
    """The 65 bytes r, s, v of a signature over a hash."""
    signature = PrivateKey(key).sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


def personal(message: bytes = MESSAGE, key: bytes = OWNER) -> bytes:
    """The 65 bytes that ``personal_sign`` gives."""
    return raw(prefixed(message), key)


def sent(signature: bytes) -> str:
    """The base64 of the hex text, as the documents want it."""
    return text_sent(f"0x{signature.hex()}")


def text_sent(text: str) -> str:
    """The base64 of a text."""
    return encoded(text.encode())


def content(signature: str, message: bytes = MESSAGE, address: str = ADDRESS) -> dict[str, str]:
    """The input of a case."""
    return {"message_base64": encoded(message), "address": address, "signature": signature}


def with_v(v: int, message: bytes = MESSAGE) -> dict[str, str]:
    """The right signature of `message` but for its last byte."""
    return content(sent(personal(message)[:64] + bytes([v])), message)


def message_with_v(v: int) -> bytes:
    """The challenge with the first Issued At of that hour whose right signature has this v."""
    hour = (MESSAGE.replace(b"12:00:00Z", f"12:00:{second:02d}Z".encode()) for second in range(60))
    return next(message for message in hour if personal(message)[64] == v)


RIGHT = personal()
R, S, V = RIGHT[:32], RIGHT[32:64], RIGHT[64]
HIGH_S = R + (SECP256K1 - int.from_bytes(S, "big")).to_bytes(32, "big") + bytes([55 - V])
ORDER = SECP256K1.to_bytes(32, "big")
ZERO = bytes(32)
# Bytes whose base64 has + or /, so that the other alphabet shows.
AWKWARD_MESSAGE = next(
    message
    for message in (MESSAGE + f"\nRequest ID: {number}".encode() for number in range(1000))
    if {"+", "/"} <= set(encoded(personal(message)))
)
AWKWARD = personal(AWKWARD_MESSAGE)


def task(message: bytes) -> dict[str, str]:
    """What a wallet is to sign."""
    return {"private_key_hex": OWNER.hex(), "message_base64": encoded(message)}


def right(title: str, message: bytes) -> Case:
    """A message that is signed rightly."""
    return Case(
        title,
        content(sent(personal(message)), message),
        "valid",
        "must",
        "right",
        "client.owner-signs-the-message",
        task=task(message),
    )


def refused(title: str, signature: str, reason: str, rule: str, source: tuple[str, str] | None = None) -> Case:
    """What must not be accepted for the challenge."""
    return Case(title, content(signature), "invalid", "must-not", reason, rule, source=source)


def other_message(title: str, digest: bytes, reason: str) -> Case:
    """The owner's signature over something else."""
    return refused(title, sent(raw(digest)), reason, "signing.other-message-refused")


def unsettled(title: str, signature: str, reason: str, produce: str = "unspecified") -> Case:
    """What no document settles for the challenge; a form that is not base64 of 0x hex text is wrong to send."""
    rule = "client.encodes-hex-text" if produce == "invalid" else None
    basis, source = (None, None) if rule else ("inferred", SILENT)
    return Case(title, content(signature), produce, "unspecified", reason, rule, basis=basis, source=source)


def printed() -> Case:
    """The one challenge that the documents print with its signature."""
    documents = yaml.load(data_path("specs/offblocks/documents.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    exchange = next(each for each in documents["exchanges"] if each["id"] == "creation/guide-sign")
    body = yaml.load(exchange["request"]["body"], Loader=yaml.CSafeLoader)
    return Case(
        "printed in the documents",
        content(body["signature"], base64.b64decode(body["challenge"]), PRINTED_SIGNER),
        "valid",
        "must",
        "right",
        "signing.hex-text-accepted",
        source=("creation", "Customer Creation"),
    )


def typed_data() -> bytes:
    """The hash of EIP-712 for a message with one member, the challenge."""
    domain = keccak(keccak(b"EIP712Domain(string name)") + keccak(b"OffBlocks"))
    message = keccak(keccak(b"Challenge(string text)") + keccak(MESSAGE))
    return keccak(b"\x19\x01" + domain + message)


ODD = personal(message_with_v(28))
UMLAUT = MESSAGE.replace(b"Made up", "Für sich".encode())
HALF = "0x" + RIGHT.hex()

CASES = [
    printed(),
    *(
        Case(
            f"v of {v}",
            with_v(v, message_with_v(v)),
            "valid",
            "must",
            "right",
            "signing.hex-text-accepted",
            task=task(message_with_v(v)),
        )
        for v in (27, 28)
    ),
    Case(
        "address compared in lower case",
        content(sent(RIGHT), MESSAGE, ADDRESS.lower()),
        "valid",
        "must",
        "right",
        "signing.hex-text-accepted",
    ),
    right("message with other than ASCII characters", UMLAUT),
    right("message of a thousand bytes", b"long " * 200),
    right("message of nine bytes", b"nine byte"),
    right("message of ten bytes", b"ten bytes."),
    right("empty message", b""),
    right("message that looks like a prefix", b"\x19Ethereum Signed Message:\n5hello"),
    right("message that is no text", bytes(range(256))),
    right("message that ends in a newline", MESSAGE + b"\n"),
    # ---------------------------------------------------------------------------------------- nobody says
    Case(
        "raw bytes in base64",
        content(encoded(RIGHT)),
        "invalid",
        "unspecified",
        "raw-bytes",
        "signing.raw-bytes",
        source=("creation", "Sign previously issued customer challenge, signature example"),
    ),
    unsettled("hex text without 0x", text_sent(RIGHT.hex()), "hex-form", "invalid"),
    unsettled("hex text with 0X", text_sent("0X" + RIGHT.hex()), "hex-form", "invalid"),
    unsettled("hex text in upper case", text_sent("0x" + RIGHT.hex().upper()), "hex-form"),
    unsettled("hex text in mixed case", text_sent("0x" + RIGHT[:32].hex().upper() + RIGHT[32:].hex()), "hex-form"),
    unsettled("hex text that is not in base64", HALF, "not-in-base64", "invalid"),
    unsettled("hex text without 0x that is not in base64", RIGHT.hex(), "not-in-base64", "invalid"),
    *(
        Case(
            f"v of {v}",
            with_v(v, message_with_v(v + 27)),
            "unspecified",
            "unspecified",
            "recovery-id",
            "signing.recovery-id-zero-or-one",
        )
        for v in (0, 1)
    ),
    *(unsettled(f"v of {v}", with_v(v)["signature"], "recovery-id") for v in (35, 36, 37, 38, 255)),
    unsettled("high s", sent(HIGH_S), "high-s"),
    *(
        Case(
            title,
            content(form(ODD[:32] + bytes([ODD[32] | 0x80]) + ODD[33:64]), message_with_v(28)),
            produce,
            "unspecified",
            "compact",
            rule,
            basis=basis,
            source=source,
        )
        for title, form, produce, rule, basis, source in (
            ("compact form of EIP-2098", sent, "unspecified", None, "inferred", SILENT),
            ("compact form of EIP-2098 as raw bytes", encoded, "invalid", "client.encodes-hex-text", None, None),
        )
    ),
    unsettled("without v", sent(RIGHT[:64]), "length"),
    unsettled(
        "DER as hex text",
        sent(encode_dss_signature(int.from_bytes(R, "big"), int.from_bytes(S, "big"))),
        "der",
    ),
    unsettled(
        "DER as raw bytes",
        encoded(encode_dss_signature(int.from_bytes(R, "big"), int.from_bytes(S, "big"))),
        "der",
        "invalid",
    ),
    *(
        unsettled(title, text, "white-space", "invalid")
        for title, text in (
            ("blank before the base64", " " + sent(RIGHT)),
            ("newline after the base64", sent(RIGHT) + "\n"),
            ("line break within the base64", sent(RIGHT)[:76] + "\r\n" + sent(RIGHT)[76:]),
            ("newline after the hex text", text_sent(f"0x{RIGHT.hex()}\n")),
            ("blank before the hex text", text_sent(f" 0x{RIGHT.hex()}")),
        )
    ),
    *(
        Case(
            title,
            content(text, AWKWARD_MESSAGE),
            "invalid",
            "unspecified",
            reason,
            "client.encodes-hex-text",
        )
        for title, text, reason in (
            ("raw bytes in the URL-safe alphabet", base64.urlsafe_b64encode(AWKWARD).decode(), "alphabet"),
            ("raw bytes without padding", encoded(AWKWARD).rstrip("="), "padding"),
            (
                "raw bytes in the URL-safe alphabet without padding",
                base64.urlsafe_b64encode(AWKWARD).decode().rstrip("="),
                "alphabet",
            ),
        )
    ),
    unsettled("two signatures of a contract wallet", sent(RIGHT + personal(key=STRANGER)), "contract-wallet"),
    unsettled(
        "contract wallet that is not deployed (ERC-6492)",
        sent(bytes(96) + RIGHT + bytes(31) + bytes.fromhex("6492" * 16)),
        "contract-wallet",
    ),
    # -------------------------------------------------------------------------------- must not be accepted
    refused("key of a stranger", sent(personal(key=STRANGER)), "other-key", "signing.other-key-refused"),
    refused(
        "v of the other parity",
        sent(RIGHT[:64] + bytes([55 - V])),
        "other-key",
        "signing.other-key-refused",
    ),
    other_message("other nonce", prefixed(MESSAGE.replace(b"vectors0", b"vectors2")), "other-message"),
    other_message("other chain id", prefixed(MESSAGE.replace(b"ID: 300", b"ID: 324")), "other-message"),
    other_message("without the last character", prefixed(MESSAGE[:-1]), "other-message"),
    other_message("empty message signed", prefixed(b""), "other-message"),
    other_message("in lower case", prefixed(MESSAGE.lower()), "other-message"),
    other_message("CRLF line ends", prefixed(MESSAGE.replace(b"\n", b"\r\n")), "line-ends"),
    other_message("newline added", prefixed(MESSAGE + b"\n"), "line-ends"),
    other_message("CRLF added", prefixed(MESSAGE + b"\r\n"), "line-ends"),
    other_message("without the prefix of EIP-191", keccak(MESSAGE), "prefix"),
    other_message("without the prefix, by SHA-256", sha256(MESSAGE).digest(), "prefix"),
    other_message("prefix with the length one too high", prefixed(MESSAGE, length=len(MESSAGE) + 1), "prefix"),
    other_message("prefix without the length", keccak(b"\x19Ethereum Signed Message:\n" + MESSAGE), "prefix"),
    other_message("prefix without its first byte", keccak(b"Ethereum Signed Message:\n" + MESSAGE), "prefix"),
    Case(
        "prefix with the length in characters instead of bytes",
        content(sent(raw(prefixed(UMLAUT, length=len(UMLAUT.decode())))), UMLAUT),
        "invalid",
        "must-not",
        "prefix",
        "client.owner-signs-the-message",
    ),
    other_message("Keccak-256 of the message", prefixed(keccak(MESSAGE)), "hashed-message"),
    other_message("SHA-256 of the message", prefixed(sha256(MESSAGE).digest()), "hashed-message"),
    other_message("hex of the Keccak-256", prefixed(b"0x" + keccak(MESSAGE).hex().encode()), "hashed-message"),
    other_message("base64 text of the message", prefixed(base64.b64encode(MESSAGE)), "encoded-message"),
    other_message("hex text of the message", prefixed(b"0x" + MESSAGE.hex().encode()), "encoded-message"),
    other_message("typed data of EIP-712", typed_data(), "typed-data"),
    refused("r of zero", sent(ZERO + S + bytes([V])), "r-out-of-range", "signing.other-key-refused"),
    refused("r of the group's order", sent(ORDER + S + bytes([V])), "r-out-of-range", "signing.other-key-refused"),
    refused("r of all ones", sent(b"\xff" * 32 + S + bytes([V])), "r-out-of-range", "signing.other-key-refused"),
    refused("s of zero", sent(R + ZERO + bytes([V])), "s-out-of-range", "signing.other-key-refused"),
    refused("s of the group's order", sent(R + ORDER + bytes([V])), "s-out-of-range", "signing.other-key-refused"),
    refused("s of all ones", sent(R + b"\xff" * 32 + bytes([V])), "s-out-of-range", "signing.other-key-refused"),
    refused("r and s of zero", sent(bytes(64) + bytes([27])), "r-out-of-range", "signing.other-key-refused"),
    *(refused(f"v of {v}", with_v(v)["signature"], "recovery-id", "signing.other-key-refused") for v in (2, 29, 34)),
    refused("cut by two bytes", sent(RIGHT[:63]), "length", "signing.wrong-length-refused"),
    refused("cut by half", sent(RIGHT[:32]), "length", "signing.wrong-length-refused"),
    refused("hex text of nothing", text_sent("0x"), "length", "signing.wrong-length-refused"),
    refused("empty text", "", "length", "signing.wrong-length-refused"),
    refused("a byte appended", sent(RIGHT + b"\x00"), "length", "signing.wrong-length-refused"),
    refused("two bytes appended", sent(RIGHT + b"\x1b\x1c"), "length", "signing.wrong-length-refused"),
    refused("32 bytes appended", sent(RIGHT + ZERO), "length", "signing.wrong-length-refused"),
    refused(
        "exclamation mark within the base64",
        sent(RIGHT)[:10] + "!" + sent(RIGHT)[10:],
        "alphabet",
        "signing.outside-base64-refused",
    ),
    refused("exclamation mark after the base64", sent(RIGHT) + "!", "alphabet", "signing.outside-base64-refused"),
]

TOPIC = Topic("offblocks", "wallet-signatures", ABOUT, CASES)
