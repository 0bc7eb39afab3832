"""What is said of mistakes in what a client proves with who it is: a token, or a key."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # ------------------------------------------------------------------------------------------------- how it is sent
    "token-empty": "There is no token; send the one that you were given.",
    "token-white-space": "There is white space around the token, or in it; take it out where you read the token.",
    "token-quotation-marks": "The token stands in quotation marks; leave them out.",
    "token-unseen-characters": (
        "Characters that nobody sees stand in the token, as after copying it from a page; take them out."
    ),
    "token-with-more": "{found} stands beside the token; send the token alone.",
    "token-scheme-missing": (
        "The header Authorization is the token alone; put `Bearer ` before it (RFC 6750, section 2.1)."
    ),
    "token-scheme-with-colon": "A colon stands after `{found}`; put a blank alone there (RFC 6750, section 2.1).",
    "token-scheme-other": "The header Authorization begins with {found}; put `Bearer ` before the token instead.",
    "token-scheme-twice": "`Bearer ` stands before the token twice, as where a library adds it too; leave it out once.",
    "token-as-json": "That is the whole answer in which the token stands; send the value of its member {member} alone.",
    "token-percent-encoded": "The token is percent-encoded, as for a URL; send it as it is.",
    "key-with-scheme": "The header {header} begins with {found}; send the key alone.",
    # ----------------------------------------------------------------------------------------------------- what it is
    "token-is-uuid": (
        "That is a UUID, as an API key is, and no token; exchange key and secret for a token, and send that."
    ),
    "token-is-basic": (
        "That is a name and a secret in base64, as for `Basic`, and no token; exchange them for a token, and send that."
    ),
    "token-is-key-pem": (
        "That is a key in PEM, and no token; keep it to yourself, and send the token that you were given."
    ),
    "token-is-none": (
        "That is no JSON Web Token, as there is no full stop in it; send the token that you were given (RFC 7519)."
    ),
    "key-is-token": "That is a JSON Web Token, and {header} takes the API key; send the key.",
    "token-encrypted": "The token has five parts, as an encrypted one (RFC 7516); send a signed one, which has three.",
    "token-cut-off": "The token has {parts} of three parts, so that it was cut off; copy all of it.",
    "token-parts": (
        "The token has {parts} parts between its full stops; send a JSON Web Token, which has three (RFC 7519)."
    ),
    "token-standard-base64": (
        "The {part} of the token is in base64 with + or /; write it with - and _ instead (RFC 7515, section 2)."
    ),
    "token-padded": "The {part} of the token has = at its end; leave that out (RFC 7515, section 2).",
    "token-part-unreadable": (
        "The {part} of the token is no JSON object in URL-safe base64, so that it was cut off or altered; copy all"
        " of it."
    ),
    "token-not-signed": "The token is not signed, as its algorithm is `none`; send one that the server has signed.",
    "token-signature-missing": (
        "The third part of the token, its signature, is empty, so that it was cut off; copy all of it."
    ),
    "token-signature-size": (
        "The signature of the token has {size} bytes, and one by {algorithm} has {expected}, so that it was cut "
        "off or altered; copy all of it."
    ),
    # ------------------------------------------------------------------------------------------------------- its time
    "token-expired": (
        "The token expired {ago} ago, at {at}; obtain another one, and do so before the present one expires."
    ),
    "token-not-yet": "The token is not good before {at}, {ahead} from now; set the clock right, or wait.",
    "token-issued-later": "The token was issued at {at}, {ahead} after this clock's time; set the clock right.",
    "token-time-in-milliseconds": "The claim {claim} counts milliseconds; write seconds (RFC 7519, section 2).",
    "token-time-no-number": (
        "The claim {claim} is no number; write seconds since 1970-01-01T00:00:00Z (RFC 7519, section 2)."
    ),
    "token-without-expiry": (
        "The token has no claim exp, so that nothing says until when it is good; obtain one that has it."
    ),
}
"""The sentence of each mistake by its name."""
