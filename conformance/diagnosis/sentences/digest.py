"""What is said of a Content-Digest that is wrong (RFC 9530)."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "digest-missing": "There is no Content-Digest; send one over the bytes of the body (RFC 9530).",
    "digest-in-other-field": "The digest stands in the header {field}; send Content-Digest (RFC 9530).",
    "digest-empty": "Content-Digest is empty; write it as sha-256=:base64:.",
    "digest-without-algorithm": "Content-Digest does not name its algorithm; write it as sha-256=:base64:.",
    "digest-algorithm-spelled-otherwise": (
        "Content-Digest names its algorithm {written}; write it {right}, in lower case."
    ),
    "digest-without-colons": "The base64 in Content-Digest has no colon on each side; write it as sha-256=:base64:.",
    "digest-algorithm-not-allowed": "Content-Digest names the algorithm {algorithm}; use {allowed}.",
    "digest-of-other-algorithm": (
        "Content-Digest names {named} and holds the digest of {used}; name the one that is used."
    ),
    "digest-of-other-bytes": (
        "Content-Digest is that of {what}, not of the {bytes} bytes of the body; hash the very bytes that are sent."
    ),
    "digest-in-hex": "The digest is in hex; put its raw bytes in base64.",
    "digest-in-base64url": "The digest is in base64url; use standard base64 with + and /.",
    "digest-in-base64-twice": "The digest is in base64 twice; encode its raw bytes once.",
    "digest-without-padding": "The base64 of the digest lacks its padding; keep the = at its end.",
}
"""The sentence of each mistake by its name."""
