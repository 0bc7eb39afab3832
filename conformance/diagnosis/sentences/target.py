"""What is said of a method, a target or a header value that was signed otherwise than it was sent."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # ---------------------------------------------------------------------------------------------- method and origin
    "method-in-lower-case": "The method was signed in lower case, {signed}; sign it as it is sent, {sent}.",
    "other-method": "The method {signed} was signed and {sent} was sent; sign the one that is sent.",
    "other-scheme": "The URL was signed with the scheme {signed}; it was sent with {sent}. Sign the URL that is sent.",
    "other-host": "The host {signed} was signed; the request went to {sent}. Sign the host that is sent.",
    "other-base-url": (
        "The URL was signed with another base, as of another environment: {signed} instead of {sent}; sign the URL "
        "that is sent."
    ),
    "other-port": "The port was signed otherwise: {signed} instead of {sent}; sign host and port as they are sent.",
    "port-left-out": "The port was left out of the signed host: {signed} instead of {sent}; sign it where it is sent.",
    "default-port-signed": (
        "The default port was signed, {signed}; leave it out, as RFC 9421 (section 2.2.3) has it: {right}."
    ),
    "authority-not-normalised": (
        "The host was signed as {signed}; put it into lower case and leave the default port out: {right}."
    ),
    # ------------------------------------------------------------------------------------------------------- the path
    "base-path-left-out": (
        "The path was signed without its base path {base}: {signed} instead of {sent}; sign the whole path "
        "that is sent."
    ),
    "base-path-added": (
        "The path was signed with {base} before it: {signed} instead of {sent}; sign the path that is sent."
    ),
    "segment-left-out": (
        "The path was signed without {segment}: {signed} instead of {sent}; sign the path that is sent."
    ),
    "scheme-written-otherwise": (
        "The scheme was signed as {signed}, as a URL object may have it; sign {right} (RFC 9421, section 2.2.4)."
    ),
    "origin-as-authority": ("The whole origin was signed as @authority, {signed}; sign host and port alone: {right}."),
    "trailing-slash-added": (
        "The path was signed with a trailing slash: {signed} instead of {sent}; sign it as it is sent."
    ),
    "trailing-slash-left-out": (
        "The path was signed without its trailing slash: {signed} instead of {sent}; sign it as it is sent."
    ),
    "query-in-path": "@path was signed with the query, {signed}; sign the path alone, and the query as @query.",
    "url-as-path": "The whole URL was signed as @path, {signed}; sign the path alone.",
    "path-spelled-otherwise": (
        "The path was signed with other escapes or letters: {signed} instead of {sent}; sign the very bytes "
        "that are sent."
    ),
    "path-without-first-slash": "The path was signed without its first slash, {signed}; begin it with a slash.",
    "template-as-path": (
        "The template of the path was signed, {signed}, instead of {sent}; sign the path with its parameters filled in."
    ),
    "part-as-target-uri": "Only a part was signed as @target-uri, {signed}; sign the whole URL, from its scheme on.",
    "method-in-request-target": (
        "@request-target was signed with the method, {signed}, as the older draft-cavage-http-signatures has "
        "it; sign path and query alone."
    ),
    "url-as-request-target": (
        "The whole URL was signed as @request-target, {signed}; sign path and query as they are sent."
    ),
    # ------------------------------------------------------------------------------------------------------ the query
    "query-left-out": "The query was left out of what was signed; sign it as it is sent, {sent}.",
    "query-without-question-mark": "@query was signed without its question mark, {signed!r}; begin it with one.",
    "query-encoded-otherwise": (
        "The query was signed in another encoding: {signed} instead of {sent}; sign the very bytes that are sent."
    ),
    "query-sorted": (
        "The query was signed with its parameters sorted: {signed} instead of {sent}; sign it as it is sent."
    ),
    "query-reversed": (
        "The query was signed with its parameters in the opposite order: {signed} instead of {sent}; sign it "
        "as it is sent."
    ),
    "query-without-empty-values": (
        "The query was signed without its empty parameters: {signed} instead of {sent}; sign it as it is sent."
    ),
    "query-with-equals-signs": (
        "The query was signed with an equals sign after each name: {signed} instead of {sent}; sign it as it is sent."
    ),
    "query-without-equals-signs": (
        "The query was signed without the equals sign of an empty value: {signed} instead of {sent}; sign it "
        "as it is sent."
    ),
    "query-parameter-left-out": "The query was signed without {left_out}; sign the whole query that is sent.",
    "empty-query-signed": "A question mark was signed that was not sent; sign the URL as it is sent.",
    "empty-query-left-out": "The question mark of an empty query was not signed; sign the URL as it is sent.",
    "query-parameter-encoded-otherwise": (
        "{component} was signed as {signed}; encode the value as RFC 9421 (section 2.2.8) has it: {right}."
    ),
    # ------------------------------------------------------------------------------------------------ values of fields
    "field-altered": (
        "The header {field} was signed as {signed!r} and sent as {sent!r}; sign the value that is sent, and "
        "see what alters it on the way."
    ),
    "field-in-other-case": (
        "The header {field} was signed in other letter case: {signed!r} instead of {sent!r}; sign the value "
        "that is sent."
    ),
    "field-quoted-otherwise": (
        "The header {field} was signed with other quotes: {signed!r} instead of {sent!r}; sign the value that is sent."
    ),
    "field-signed-empty": "The header {field} was signed as if it were empty; sign the value that is sent, {sent!r}.",
    "field-spaced-otherwise": (
        "The header {field} was re-spaced: {signed!r} was signed and {sent!r} sent; sign the value that is "
        "sent, with its blanks and commas."
    ),
    "field-with-white-space": (
        "The header {field} was signed with white space that does not belong to its value, {signed!r}; strip "
        "the value, as RFC 9421 (section 2.1) has it."
    ),
    "field-folded": (
        "The header {field} is folded over several lines and was signed as {signed!r}; put one blank for each"
        " fold, or send it in one line."
    ),
    "only-one-line-of-field": (
        "The header {field} was sent in several lines and only {signed!r} was signed; join all lines with a "
        "comma and a blank."
    ),
    "lines-joined-otherwise": (
        "The header {field} was sent in several lines and signed as {signed!r}; join them in their order with"
        " a comma and a blank."
    ),
    "digest-of-other-body-signed": (
        "Another Content-Digest was signed than sent: that of {what}. Make it once, over the bytes that are sent."
    ),
}
"""The sentence of each mistake by its name."""
