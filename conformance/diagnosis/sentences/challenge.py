"""What is said of mistakes in a wallet's signature of a challenge (EIP-191, EIP-4361)."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # ------------------------------------------------------------------------------------------------------- the owner
    "owner-without-chain": (
        "The owner is the address {address} alone; write it as an account id of CAIP-10, such as eip155:1:{address}."
    ),
    "owner-capital-0x": "The owner's address begins with 0X; write 0x.",
    "owner-missing-0x": "The owner's address {address} is without 0x; put 0x before the digits.",
    "owner-checksum-wrong": (
        "The letter case of the owner's address {address} is not its checksum (EIP-55), so that a digit may "
        "be mistyped; the checksum of these digits is {right}."
    ),
    "owner-on-other-chain": (
        "The owner is on the chain {owner}, and the challenge is for the chain {challenge}; name the owner on"
        " the chain of the challenge."
    ),
    "owner-not-in-challenge": (
        "The owner is {owner}, and the challenge is for {other}; name the account that the challenge names, "
        "or sign the challenge of the owner."
    ),
    "owner-not-in-challenge-by-a-digit": (
        "The owner {owner} is not quite the account that the challenge names, {other}: {digits}; name the "
        "account of the challenge."
    ),
    # -------------------------------------------------------------------------------------------------------- its form
    "wallet-hex-not-base64": "The signature is the hex text itself; encode that text, 0x included, in base64.",
    "wallet-missing-0x": "The hex text of the signature is without 0x; put 0x before the digits.",
    "wallet-capital-0x": "The hex text of the signature begins with 0X; write 0x.",
    "wallet-odd-digits": (
        "The hex text of the signature has {digits} digits, an odd number, so that it was cut off; send 0x "
        "and 130 digits."
    ),
    "wallet-base64url": (
        "The base64 of the signature is URL-safe (base64url, with - and _); use the standard alphabet with + and /."
    ),
    "wallet-without-padding": "The base64 of the signature is without its padding; keep the = at its end.",
    "wallet-base64-twice": "The signature is in base64 twice; encode it once.",
    "wallet-white-space": "The signature has white space in it; leave that out.",
    "wallet-quotation-marks": "The signature stands in quotation marks; leave them out.",
    "wallet-json": "The signature is JSON; send base64 of the text 0x and the 130 hex digits of r, s and v.",
    "wallet-utf-16": "The signature is hex text in UTF-16; encode its characters in one byte each.",
    "wallet-signature-unreadable": "The signature {text} is no base64; send base64 of the text 0x and 130 hex digits.",
    "wallet-text": "The signature is the text {text}, which is no signature; send base64 of 0x and the 130 hex digits.",
    "wallet-compact": "The signature has 64 bytes, the compact form of EIP-2098; send 65: r, s and v.",
    "wallet-v-left-out": "The signature has 64 bytes, r and s without v; send v, {v}, as the 65th.",
    "wallet-der": "The signature is in DER; send 65 bytes: r, s and v, which is {v}.",
    "wallet-v-of-0-or-1": "The last byte of the signature, v, is {v}; send {right}.",
    "wallet-other-v": (
        "The last byte of the signature, v, is {v}; for this key it must be {right}. Send v as the wallet "
        "gives it, 27 or 28."
    ),
    "wallet-v-first": "The signature begins with v, {v}; send r, s and then v.",
    "wallet-s-before-r": "The signature has s before r; send r, s and then v.",
    "wallet-high-s": (
        "The signature has a high s, which EIP-2 rules out; send the curve's order less s instead, and the other v."
    ),
    "wallet-multisig": (
        "The signature has {size} bytes instead of {expected}: as many as {owners} signatures, which a "
        "contract wallet of several owners has (multisig, ERC-1271); send that of one account with a key of "
        "its own."
    ),
    "wallet-erc-1271": (
        "The signature has {size} bytes instead of {expected}, and could be one for a contract to judge "
        "(ERC-1271); sign with an account that has a key of its own."
    ),
    "wallet-erc-6492": (
        "The signature is wrapped as ERC-6492 has it, by a smart account that is not on its chain yet; sign "
        "with an account that has a key of its own."
    ),
    "wallet-truncated": (
        "The signature was cut off: it has {size} bytes instead of {expected}, {missing} too few; send all of it."
    ),
    "wallet-other-size": "The signature has {size} bytes instead of {expected}; send r (32), s (32) and v (1).",
    # ------------------------------------------------------------------------------------------------- what was signed
    "signed-the-base64-text": (
        "The wallet signed the base64 text of the challenge; decode that, and have it sign the decoded message."
    ),
    "signed-the-hex-text": (
        "The wallet signed the hex text of the challenge, {form}; have it sign the decoded message itself."
    ),
    "signed-hex-as-bytes": (
        "The challenge looks like hex, and the wallet signed the bytes that it spells; have it sign the text,"
        " for example by giving it the hex of the text."
    ),
    "signed-nothing": "The wallet signed an empty message; have it sign the decoded challenge.",
    "signed-json-string": (
        "The wallet signed the challenge as a JSON string, with quotation marks or escapes; have it sign the "
        "message itself."
    ),
    "signed-utf-16": "The wallet signed the challenge in UTF-16; have it sign the very bytes of the challenge.",
    "signed-with-byte-order-mark": (
        "The wallet signed the challenge with a byte order mark before it; have it sign the very bytes of the"
        " challenge."
    ),
    "signed-with-crlf": "The wallet signed the challenge with CRLF line ends; keep its line feeds (LF) as they are.",
    "signed-with-lf": "The wallet signed the challenge with LF line ends; keep its CRLF as they are.",
    "signed-with-newline": "The wallet signed the challenge with a newline added at its end; sign it without.",
    "signed-without-newline": (
        "The wallet signed the challenge without the newline at its end; sign it with all of its bytes."
    ),
    "signed-trimmed": "The wallet signed the challenge without its outer blanks; sign it with all of its bytes.",
    "signed-with-space": "The wallet signed the challenge with a blank added at its end; sign it without.",
    "signed-with-backslash-n": (
        "The wallet signed the challenge with a backslash and the letter n for each newline; unescape the text first."
    ),
    "signed-in-one-line": "The wallet signed the challenge in one line; keep its newlines.",
    "signed-without-empty-lines": "The wallet signed the challenge without some of its empty lines; keep them.",
    "signed-older-challenge": (
        "The wallet signed another challenge, such as an older one; fetch the current one and sign that."
    ),
    "signed-for-other-chain": (
        "The wallet signed the challenge with the chain ID {signed} in it instead of {right}; sign it as it was issued."
    ),
    "signed-address-in-other-case": (
        "The wallet signed the challenge with the address in other letter case, {signed}; sign it as it was "
        "issued, with {right}."
    ),
    "signed-message-made-anew": (
        "The wallet signed a message that a program put together itself, with {signed} where the challenge has "
        "{right}; have it sign the decoded challenge as it was issued."
    ),
    "signed-time-in-other-form": (
        "The wallet signed the challenge with its time in another form, {signed}; sign it as it was issued."
    ),
    "signed-with-scheme": (
        "The wallet signed the challenge with the scheme before the domain, {signed}; sign it as it was issued."
    ),
    "signed-without-scheme": (
        "The wallet signed the challenge without the scheme of its domain; sign it as it was issued, with {right}."
    ),
    "signed-in-lower-case": "The wallet signed the challenge in lower case; sign it as it was issued.",
    "signed-typed-data": (
        "The wallet signed typed data (EIP-712, eth_signTypedData): {what}; have it sign the decoded "
        "challenge by personal_sign."
    ),
    # ------------------------------------------------------------------------------------------------------------- how
    "signed-without-prefix": (
        "The wallet signed the {hash} hash of the message without the prefix of EIP-191; sign by "
        "personal_sign, which puts it there."
    ),
    "signed-the-hash": "The {hash} hash of the message was given to the wallet to sign; give it the message itself.",
    "signed-the-hex-of-hash": (
        "The {hash} hash of the message as hex text was given to the wallet to sign; give it the message itself."
    ),
    "signed-with-two-prefixes": (
        "The prefix of EIP-191 was put before the message twice; give the message without it to "
        "personal_sign, which puts it there."
    ),
    "signed-with-wrong-length": (
        "The prefix of EIP-191 was made by hand with another length than that of the message in bytes "
        "({length}); leave it to personal_sign."
    ),
    "signed-with-prefix-without-0x19": (
        "The prefix of EIP-191 was signed without its first byte, 0x19; sign by personal_sign, which puts it there."
    ),
    "signed-with-other-prefix": (
        "The prefix of {prefix} was signed before the message; sign by personal_sign, which puts that of "
        "Ethereum there."
    ),
    "signed-with-sha-256-for-keccak": (
        "The message with the prefix of EIP-191 was hashed with SHA-256; hash it with Keccak-256, as "
        "personal_sign does."
    ),
    # --------------------------------------------------------------------------------------------------------- by whom
    "signed-by-another-account": (
        "For this message it is the signature of {other}, not of {owner}: another account signed it. Sign "
        "with the owner's account, or name the account that signs."
    ),
    "signed-by-another-account-by-a-digit": (
        "For this message it is the signature of {other}, not of {owner}: {digits}. Name the account that signs."
    ),
}
"""The sentence of each mistake by its name."""
