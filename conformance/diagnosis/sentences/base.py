"""What is said of a signature base that was put together wrongly (RFC 9421, section 2.5)."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # ---------------------------------------------------------------------------------------------------- line ends
    "newline-after-base": "A newline was signed after the last line of the base; end the base without one.",
    "newline-before-base": "A newline was signed before the first line of the base; begin with the first line.",
    "crlf-after-base": "CRLF was signed after the last line of the base; end the base without a line end.",
    "blank-after-base": "A blank was signed after the last line of the base; end the base without one.",
    "crlf-line-ends": "The lines of the base were ended with CRLF; separate them with a line feed (LF) alone.",
    "lines-separated-otherwise": "The lines of the base were separated by {by}; separate them with one line feed each.",
    "colon-without-blank": "The lines of the base have no blank after the colon; write a colon and one blank.",
    "other-than-colon": "The lines of the base have {signed!r} after the name; write a colon and one blank.",
    "base-percent-encoded": "The base was percent-encoded before it was signed; sign its own bytes.",
    "base-as-json-string": "The base was signed as a JSON string, with quotes and escapes; sign its own bytes.",
    "base-in-lower-case": "The whole base was put into lower case; sign the values as they are.",
    # -------------------------------------------------------------------------------------------------------- names
    "names-without-quotes": (
        'The component names in the base have no quotes; write each line as "name": value, with the double quotes.'
    ),
    "listed-names-without-quotes": (
        "The component names in the line @signature-params have no quotes: {signed}; write them as in Signature-Input."
    ),
    "names-in-upper-case": (
        "Header names stand in the base with upper-case letters: {names}; write all component names in lower case."
    ),
    "names-in-single-quotes": "The component names in the base stand in single quotes; put them in double quotes.",
    "names-without-at": 'The derived components stand in the base without their @; write "@method", "@path" and so on.',
    # -------------------------------------------------------------------------------------------------------- lines
    "components-in-other-order": (
        "The lines of the base are in another order than Signature-Input lists them: {signed}; keep the order"
        " of the list."
    ),
    "line-left-out": "The base has no line for {component}, which Signature-Input lists; add it, or do not list it.",
    "line-added": "The base has a line for {component}, which Signature-Input does not list; list it, or leave it out.",
    # --------------------------------------------------------------------------------------------------- parameters
    "signature-params-left-out": (
        'The base lacks its last line, "@signature-params"; add it, with the list and parameters of Signature-Input.'
    ),
    "signature-params-without-quotes": (
        'The name @signature-params stands in the base without quotes; write "@signature-params": at its last line.'
    ),
    "signature-params-first": 'The line "@signature-params" stands first in the base; put it last.',
    "signature-params-alone": (
        'Only the line "@signature-params" was signed; put a line for each covered component before it.'
    ),
    "signature-params-without-parameters": (
        'The line "@signature-params" has the list alone; add the parameters of Signature-Input, such as created.'
    ),
    "signature-params-without-components": (
        'The line "@signature-params" has the parameters alone; write the list of components before them.'
    ),
    "signature-params-as-signature-input": (
        'The last line of the base is named "signature-input"; name it "@signature-params".'
    ),
    "signature-params-as-in-header": (
        'The line "@signature-params" was signed as the header has it, {signed}; write it with the blanks of '
        "a structured field (RFC 8941, section 4.1): one between components, none around semicolons."
    ),
    "signature-params-with-more": (
        'The line "@signature-params" was signed with {more} that do not belong there: {signed}; write the '
        "list and the parameters as in Signature-Input, without the label."
    ),
    "parameters-in-other-order": (
        "The parameters were signed in the order {signed}, and Signature-Input has them in the order {sent}; "
        "keep one order."
    ),
    "parameter-left-out": (
        "The parameter {parameter} stands in Signature-Input, but was not signed; write it in the base too, "
        "at its place."
    ),
    "parameter-added": (
        "The parameter {parameter} was signed, but does not stand in Signature-Input; write it there too, or "
        "leave it out."
    ),
    "parameter-altered": (
        "The parameter {parameter} was signed as {signed} and sent as {sent}; make it once, and use it in both places."
    ),
    "parameter-quoted-otherwise": (
        "The parameter {parameter} was signed as {signed} and sent as {sent}; quote it alike in both places."
    ),
    # -------------------------------------------------------------------------------------------- another text at all
    "old-signing-string": (
        "The signing string of the older draft-cavage-http-signatures was signed, with (request-target); sign"
        " the base of RFC 9421."
    ),
    "body-signed": "The body alone was signed; sign the base of RFC 9421, which covers the body by its Content-Digest.",
    "own-text-signed": (
        "A text of another scheme was signed, which begins {signed!r}; sign the base of RFC 9421, section 2.5."
    ),
}
"""The sentence of each mistake by its name."""
