"""What is said of the form of a request's signature (RFC 9421), of the key, and of how it was signed."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # -------------------------------------------------------------------------------------- the two fields as a whole
    "unsigned": "The request has neither Signature-Input nor Signature; sign it, and send both (RFC 9421, section 4).",
    "signature-input-missing": (
        "There is a Signature but no Signature-Input; send both, with the same label (RFC 9421, section 4.1)."
    ),
    "signature-missing": (
        "There is a Signature-Input but no Signature; send both, with the same label (RFC 9421, section 4.2)."
    ),
    "old-form": (
        "The header {where} has the form of the older draft-cavage-http-signatures (keyId, headers, "
        "signature); sign by RFC 9421, with the headers Signature-Input and Signature."
    ),
    "labels-differ": "Signature-Input has the label {input} and Signature has {signature}; use the same label in both.",
    "label-missing": 'Signature-Input has no label before the list; write it as sig=("@method" ...);created=....',
    "label-in-upper-case": "The label {label} has upper-case letters; write labels in lower case.",
    "label-used-twice": "Signature-Input has the label {label} twice; give each signature a label of its own.",
    "no-signature-under-label": "Signature has nothing under the label {label}; send the signature under that label.",
    "signature-of-other-label": (
        "The bytes under the label {label} are the signature of another label of this request; send each "
        "signature under its own label."
    ),
    # ----------------------------------------------------------------------------------------- Signature-Input in form
    "component-names-in-upper-case": (
        "Signature-Input names {names} with upper-case letters; write component names in lower case (RFC "
        "9421, section 2.1)."
    ),
    "component-names-without-quotes": (
        "Signature-Input names {names} without double quotes; put each component name in double quotes."
    ),
    "components-with-commas": "Commas stand between the component names in Signature-Input; put blanks there.",
    "component-repeated": "The signature covers {component} twice; cover each component once.",
    "component-unknown": "The signature covers {component}, which RFC 9421 does not know; it knows {known}.",
    "covered-field-absent": (
        "The signature covers the header {field}, which the request does not have; send that header, or do "
        "not cover it."
    ),
    "time-in-quotes": "The parameter {parameter} stands in quotes; write the number alone: {parameter}={value}.",
    "time-in-milliseconds": (
        "The parameter {parameter} is {value}, which is in milliseconds; give it in seconds since 1970: {seconds}."
    ),
    "time-is-no-integer": (
        "The parameter {parameter} is {value}, which is no integer; give it as a whole number of seconds since 1970."
    ),
    "parameter-without-quotes": 'The parameter {parameter} has no quotes; write {parameter}="{value}".',
    "parameter-name-in-upper-case": "The parameter {parameter} has upper-case letters; its name is {right}.",
    "not-covered": "The signature does not cover {missing}; cover that too. It covers {covered}.",
    # ----------------------------------------------------------------------------------------------- Signature in form
    "signature-without-label": "Signature has no label; write it as sig=:base64:, with the label of Signature-Input.",
    "signature-without-colons": (
        "The base64 in Signature has no colon on each side; write it as label=:base64: (RFC 8941, section 3.3.5)."
    ),
    "signature-in-quotes": "The base64 in Signature stands in quotes; put colons there instead: label=:base64:.",
    "signature-with-white-space": "The base64 in Signature has white space in it; write it in one piece.",
    "signature-in-base64url": (
        "The signature is in base64url, the URL-safe alphabet with - and _; use standard base64 with + and /."
    ),
    "signature-without-padding": "The base64 of the signature lacks its padding; keep the = at its end.",
    "signature-in-hex": "The signature is written in hex; encode its raw bytes in base64.",
    "signature-in-base64-twice": "The signature is in base64 twice; encode its raw bytes once.",
    "signature-unreadable": "The signature {text} is no base64; write it as label=:base64:.",
    "signature-in-der": (
        "The signature is in DER (ASN.1), as many libraries write it; send r and s one after the other, "
        "{expected} bytes in all (IEEE P1363; RFC 9421, section 3.3)."
    ),
    "leading-zeros-left-out": (
        "The signature has {size} bytes instead of {expected}: {which} was written without its leading zeros,"
        " which about one signature in 128 has; pad r and s with zeros on the left to {half} bytes each."
    ),
    "sign-byte-before-number": (
        "The signature has {size} bytes instead of {expected}: a zero byte stands before r or s, as big "
        "integers of some languages write it for the sign; cut each to its fixed size."
    ),
    "recovery-byte-appended": "A recovery byte (v) follows r and s; send r and s alone, {expected} bytes in all.",
    "signature-too-short": (
        "The signature has {size} bytes where {algorithm} gives {expected}; it was cut off, or lost leading "
        "zeros of r or s. Send both in their full size."
    ),
    "signature-of-other-size": (
        "The signature has {size} bytes, which is the size of {like}, where {algorithm} gives {expected}: it "
        "was made with another algorithm or a key on another curve, or was cut off. Sign with the right key."
    ),
    "s-before-r": "The signature has s before r; send r first.",
    "signature-little-endian": "r and s have their bytes in the opposite order; write them big-endian.",
    # ---------------------------------------------------------------------------------------------- key and algorithm
    "other-key": (
        "The signature verifies with the key {key}, not with {expected}; sign with the private key that "
        "belongs to {expected}, or register {key}."
    ),
    "algorithm-unknown": (
        "The parameter alg is {algorithm}, which RFC 9421 does not know; say {right}, or leave alg out."
    ),
    "algorithm-does-not-fit-key": (
        "The parameter alg says {algorithm}, which does not fit the key {key} ({kind}); say {right}, or leave alg out."
    ),
    "algorithm-not-allowed": "The parameter alg says {algorithm}; this API allows {allowed}. Sign with that.",
    "key-of-other-kind": (
        "The key {key} is {kind}; this API allows {allowed}. Make a key of that kind, and register it."
    ),
    # ------------------------------------------------------------------------------------------------ how it was signed
    "other-hash": "The base was hashed with {used}; sign it with {right}, as the algorithm of the key has it.",
    "hashed-twice": (
        "The base was hashed twice: with {hash} first, and the hash was given to a signing function that "
        "hashes by itself. Give that function the base."
    ),
    "hex-of-hash-signed": (
        "The {hash} hash of the base was signed as hex text; give the signing function the base itself."
    ),
    "base64-of-hash-signed": (
        "The {hash} hash of the base was signed as base64 text; give the signing function the base itself."
    ),
    "base-in-utf-16": "The base was signed in UTF-16; sign its bytes in ASCII (RFC 9421, section 2.5).",
    "base-with-byte-order-mark": "A byte order mark was signed before the base; sign the bytes of the base alone.",
    "base64-of-base-signed": "The base64 text of the base was signed; sign the bytes of the base.",
    "hex-of-base-signed": "The hex text of the base was signed; sign the bytes of the base.",
    "base-not-hashed": "The base was signed without being hashed; sign it with {right}.",
    "other-rsa-scheme": "The base was signed with {used}; sign it by {right}.",
    "other-salt-length": (
        "The salt of RSA-PSS has another length than that of the hash; use 64 bytes (RFC 9421, section 3.3.1)."
    ),
}
"""The sentence of each mistake by its name."""
