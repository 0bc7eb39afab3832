"""What is said of mistakes in a signed webhook."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # ---------------------------------------------------------------------------------------------------- the headers
    "webhook-header-missing": "There is no header {header}; what sends or forwards the webhook has to give it.",
    "webhook-header-renamed": "There is no header {header}, but one called {found}; send it under its own name.",
    "webhook-header-repeated": "There are several headers {header}; send one.",
    # ------------------------------------------------------------------------------------------ form of the signature
    "webhook-prefix-missing": "{header} is the signature alone, without {prefix} before it; put {prefix} there.",
    "webhook-prefix-other": "{header} begins with {found} instead of {prefix}; put {prefix} before the signature.",
    "webhook-white-space": "{header} has white space in it; leave that out.",
    "webhook-quotation-marks": "{header} stands in quotation marks; leave them out.",
    "webhook-base64": "The signature is written in base64; write it in hexadecimal, 64 digits.",
    "webhook-base64url": "The signature is written in URL-safe base64; write it in hexadecimal, 64 digits.",
    "webhook-base64-of-hex": "The signature is the base64 of its hexadecimal digits; send the 64 digits themselves.",
    "webhook-hex-with-0x": "The hexadecimal digits of the signature begin with 0x; leave that out.",
    "webhook-signature-unreadable": (
        "{header} is no signature, whatever its {size} characters are; send {prefix} and 64 hexadecimal digits."
    ),
    "webhook-digits": (
        "The signature has {digits} hexadecimal digits, so that it was cut off or altered; send all 64 of an HMAC-"
        "SHA256."
    ),
    "webhook-digest-size": (
        "The signature has {size} bytes, as many as one by {algorithm}; make an HMAC-SHA256, which has 32."
    ),
    # ------------------------------------------------------------------------------------------------ what was signed
    "webhook-other-body": (
        "The signature is of {what}, and not of the bytes that came; verify the bytes before anything parses or "
        "changes them, and sign those that are sent."
    ),
    "webhook-body-alone": "The signature is of the body without timestamp and full stop; sign {expected}.",
    "webhook-order-turned": "The signature is of the body before the timestamp; sign {expected}.",
    "webhook-separator": "The signature is of timestamp and body with {found} between them; sign {expected}.",
    "webhook-id-signed": "The signature covers the id before timestamp and body; sign {expected} alone.",
    "webhook-signed-milliseconds": "The signature is of the timestamp in milliseconds; sign it as {header} has it.",
    "webhook-signed-seconds": "The signature is of the timestamp in seconds; sign it as {header} has it.",
    "webhook-signed-body-time": "The signature is of the time in the body; sign {header} as it is sent.",
    "webhook-timestamp-changed": (
        "The signature is of the timestamp {found}, and {header} is {sent}; read the clock once, and send what is "
        "signed."
    ),
    # ---------------------------------------------------------------------------------------------- with which secret
    "webhook-secret-other-end": (
        "The signature is by the secret with {what} at its end, which yours has not; take it out where the other "
        "side reads the secret."
    ),
    "webhook-secret-white-space": (
        "The signature is by the secret without the white space around it; take that out where you read the secret."
    ),
    "webhook-secret-quoted": (
        "The signature is by the secret without the quotation marks around it; leave them out where you set it."
    ),
    "webhook-secret-decoded": (
        "The signature is by the bytes of which the secret is the {what}; use the secret as text, as it stands."
    ),
    "webhook-secret-encoded": "The signature is by the {what} of the secret; use the secret as it stands.",
    "webhook-secret-without-prefix": (
        "The signature is by the secret without its beginning up to the underscore{what}; use the whole secret as "
        "it stands."
    ),
    # ------------------------------------------------------------------------------------------------------------ how
    "webhook-plain-hash": (
        "The signature is a SHA-256 of {what}, without HMAC; make an HMAC-SHA256 (RFC 2104) with the secret as its key."
    ),
    "webhook-key-and-text-swapped": (
        "The HMAC has what is signed as its key; use the secret as the key, and what is signed as the text."
    ),
    "webhook-other-algorithm": "The signature is an HMAC-{found}; make an HMAC-SHA256.",
    # ------------------------------------------------------------------------------------------------------- the time
    "webhook-timestamp-milliseconds": "{header} counts milliseconds; send seconds since 1970-01-01T00:00:00Z.",
    "webhook-timestamp-microseconds": "{header} counts microseconds; send seconds since 1970-01-01T00:00:00Z.",
    "webhook-timestamp-fraction": "{header} has a fraction; send whole seconds since 1970-01-01T00:00:00Z.",
    "webhook-timestamp-date": "{header} is a date; send the number of seconds since 1970-01-01T00:00:00Z.",
    "webhook-timestamp-no-number": "{header} is {found}, and no number; send the seconds since 1970-01-01T00:00:00Z.",
    "webhook-too-old": (
        "{header} is {age} s before this receiver's time, and {allowed} s are allowed; sign anew at each try, and "
        "set both clocks right."
    ),
    "webhook-too-new": (
        "{header} is {age} s after this receiver's time, and {allowed} s are allowed; set both clocks right."
    ),
    # ------------------------------------------------------------------------------------------------------ the event
    "webhook-no-event": (
        "The body is no event, however it is signed; send a JSON object with a text `event` and an object `data`."
    ),
}
"""The sentence of each mistake by its name."""
