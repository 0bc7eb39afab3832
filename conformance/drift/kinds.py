"""The kinds of change that two descriptions can show: a stable id of each, and what it does to a right client.

The ids are built as those of oasdiff are: ``request-property-became-required``. What a client writes (requests, and its
answers to webhooks) breaks where less is taken than before; what it reads (responses, and webhooks) breaks where more
can come.
"""

from dataclasses import dataclass

from conformance.drift.form import Impact

B, R, H = Impact.BREAKING, Impact.RISKY, Impact.HARMLESS


@dataclass(frozen=True)
class Kind:
    """A kind of change.

    Args:
        impact: What it does to a client that was right before.
        advice: What such a client must change, in a sentence.
    """

    impact: Impact
    advice: str


_NOTHING = "Nothing."
_SEND = "Send only what is taken now."
_READ = "Be ready to read what may come now."

WRITTEN: dict[str, Kind] = {
    "type-changed": Kind(B, "Send the new type."),
    "type-narrowed": Kind(B, "Send only the types that are still taken."),
    "type-widened": Kind(H, _NOTHING),
    "became-nullable": Kind(H, _NOTHING),
    "became-not-nullable": Kind(B, "Do not send null."),
    "format-changed": Kind(B, "Send the new format."),
    "format-narrowed": Kind(B, "Send only values of the format."),
    "format-widened": Kind(H, _NOTHING),
    "format-noted": Kind(H, _NOTHING),
    "values-listed": Kind(B, "Send only the values that are listed."),
    "values-not-listed-any-more": Kind(H, _NOTHING),
    "enum-value-removed": Kind(B, "Do not send this value."),
    "enum-value-added": Kind(H, _NOTHING),
    "known-value-removed": Kind(R, "See whether this value is still taken."),
    "known-value-added": Kind(H, _NOTHING),
    "limit-tightened": Kind(B, "Keep the new limit."),
    "limit-loosened": Kind(H, _NOTHING),
    "pattern-added": Kind(B, "Send only what matches the pattern."),
    "pattern-removed": Kind(H, _NOTHING),
    "pattern-changed": Kind(R, "See whether what you send matches the new pattern."),
    "pattern-narrowed": Kind(B, "Send only what matches the new pattern."),
    "unique-items-added": Kind(B, "Send no entry twice."),
    "unique-items-removed": Kind(H, _NOTHING),
    "property-removed": Kind(B, "Do not send this member, and do without what it did."),
    "property-renamed": Kind(B, "Send it under its new name."),
    "property-added": Kind(H, _NOTHING),
    "required-property-added": Kind(B, "Send this member too."),
    "required-property-with-default-added": Kind(R, "Send this member, unless its default is what you want."),
    "property-became-required": Kind(B, "Always send this member."),
    "property-with-default-became-required": Kind(R, "Send this member, unless its default is what you want."),
    "property-became-optional": Kind(H, _NOTHING),
    "property-became-read-only": Kind(R, "Stop sending this member: the server decides it now."),
    "property-became-writable": Kind(H, _NOTHING),
    "additional-properties-forbidden": Kind(B, "Send only the members that are described."),
    "undescribed-properties-forbidden": Kind(R, "See that you send only the members that are described."),
    "additional-properties-allowed": Kind(H, _NOTHING),
    "variant-removed": Kind(B, "Send one of the other variants."),
    "variant-added": Kind(H, _NOTHING),
    "discriminator-changed": Kind(B, "Name the variant in the new member."),
    "discriminator-value-removed": Kind(B, "Do not send this variant."),
    "discriminator-value-added": Kind(H, _NOTHING),
    "default-changed": Kind(B, "Send the value that you want instead of leaving it out."),
    "default-added": Kind(R, "See whether the default is what you want where you leave it out."),
    "default-removed": Kind(R, "Send the value that you want instead of leaving it out."),
    "encoding-changed": Kind(B, "Encode it in the new way."),
    "exception-added": Kind(B, _SEND),
    "exception-removed": Kind(H, _NOTHING),
    "condition-changed": Kind(R, "See whether what you send keeps the new condition."),
    "dependent-property-added": Kind(B, "Send the two members together."),
    "dependent-property-removed": Kind(H, _NOTHING),
}
"""Kinds of change of what a client writes, without the part that is meant (``request-body``, ``request-property``)."""

READ: dict[str, Kind] = {
    "type-changed": Kind(B, "Read the new type."),
    "type-narrowed": Kind(H, _NOTHING),
    "type-widened": Kind(B, "Read the further type too."),
    "became-nullable": Kind(B, "Be ready for null."),
    "became-not-nullable": Kind(H, _NOTHING),
    "format-changed": Kind(B, "Read the new format."),
    "format-narrowed": Kind(H, _NOTHING),
    "format-widened": Kind(B, "Be ready for values that are not of the format."),
    "format-noted": Kind(H, _NOTHING),
    "values-listed": Kind(H, _NOTHING),
    "values-not-listed-any-more": Kind(R, "Be ready for values that you do not know."),
    "enum-value-removed": Kind(H, _NOTHING),
    "enum-value-added": Kind(R, "Be ready for the new value."),
    "known-value-removed": Kind(H, _NOTHING),
    "known-value-added": Kind(H, "Know the new value; others were to be expected."),
    "limit-tightened": Kind(H, _NOTHING),
    "limit-loosened": Kind(R, "Be ready for values beyond the old limit."),
    "pattern-added": Kind(H, _NOTHING),
    "pattern-removed": Kind(R, _READ),
    "pattern-changed": Kind(R, _READ),
    "pattern-narrowed": Kind(R, _READ),
    "unique-items-added": Kind(H, _NOTHING),
    "unique-items-removed": Kind(R, "Be ready for equal entries."),
    "property-removed": Kind(B, "Do without this member."),
    "property-renamed": Kind(B, "Read it under its new name."),
    "property-added": Kind(H, _NOTHING),
    "property-became-required": Kind(H, _NOTHING),
    "property-became-optional": Kind(B, "Be ready for this member to be missing."),
    "property-became-write-only": Kind(B, "Do without this member: it does not come back any more."),
    "property-became-readable": Kind(H, _NOTHING),
    "additional-properties-forbidden": Kind(H, _NOTHING),
    "undescribed-properties-forbidden": Kind(H, _NOTHING),
    "additional-properties-allowed": Kind(R, "Pass over members that you do not know."),
    "variant-removed": Kind(H, _NOTHING),
    "variant-added": Kind(R, "Be ready for the new variant."),
    "discriminator-changed": Kind(B, "Look for the variant in the new member."),
    "discriminator-value-removed": Kind(H, _NOTHING),
    "discriminator-value-added": Kind(R, "Be ready for the new variant."),
    "default-changed": Kind(H, _NOTHING),
    "default-added": Kind(H, _NOTHING),
    "default-removed": Kind(H, _NOTHING),
    "encoding-changed": Kind(B, "Decode it in the new way."),
    "exception-added": Kind(H, _NOTHING),
    "exception-removed": Kind(R, _READ),
    "condition-changed": Kind(R, _READ),
    "dependent-property-added": Kind(H, _NOTHING),
    "dependent-property-removed": Kind(R, "Be ready for one member without the other."),
}
"""Kinds of change of what a client reads (``response-body``, ``response-property``, ``webhook-property`` …)."""

EITHER: dict[str, Kind] = {
    "deprecated": Kind(H, "Nothing yet; plan to do without it."),
    "not-deprecated-any-more": Kind(H, _NOTHING),
    "text-changed": Kind(H, "Read what the description says now."),
}
"""Kinds of change that are the same in both directions."""

OTHERS: dict[str, Kind] = {
    "operation-removed": Kind(B, "Do without this operation."),
    "operation-added": Kind(H, _NOTHING),
    "operation-deprecated": Kind(H, "Nothing yet; plan to do without it."),
    "operation-not-deprecated-any-more": Kind(H, _NOTHING),
    "operation-sunset-changed": Kind(R, "Do without this operation before the new date."),
    "operation-id-changed": Kind(
        H, "Nothing on the wire; a client generated from the description has a new name for it."
    ),
    "operation-text-changed": Kind(H, "Read what the description says now."),
    "operation-tags-changed": Kind(H, _NOTHING),
    "path-parameter-renamed": Kind(H, "Nothing: its name is not sent."),
    "server-removed": Kind(B, "Use another of the servers."),
    "server-added": Kind(H, _NOTHING),
    "server-changed": Kind(B, "Use the new base URL."),
    "request-parameter-removed": Kind(B, "Do not send it, and do without what it did."),
    "request-parameter-moved": Kind(B, "Send it at the new place."),
    "request-parameter-renamed": Kind(B, "Send it under its new name."),
    "request-parameter-added": Kind(H, _NOTHING),
    "required-request-parameter-added": Kind(B, "Send it too."),
    "required-request-parameter-with-default-added": Kind(R, "Send it, unless its default is what you want."),
    "request-parameter-became-required": Kind(B, "Always send it."),
    "request-parameter-with-default-became-required": Kind(R, "Send it, unless its default is what you want."),
    "request-parameter-became-optional": Kind(H, _NOTHING),
    "request-parameter-serialization-changed": Kind(B, "Write it in the new way."),
    "request-parameter-empty-value-forbidden": Kind(B, "Do not send it without a value."),
    "request-parameter-empty-value-allowed": Kind(H, _NOTHING),
    "request-body-added": Kind(H, _NOTHING),
    "required-request-body-added": Kind(B, "Send a body."),
    "request-body-removed": Kind(B, "Send no body."),
    "request-body-became-required": Kind(B, "Always send a body."),
    "request-body-became-optional": Kind(H, _NOTHING),
    "request-media-type-removed": Kind(B, "Send another media type."),
    "request-media-type-added": Kind(H, _NOTHING),
    "request-part-encoding-changed": Kind(R, "See how the parts of the body are to be sent."),
    "response-success-status-removed": Kind(B, "Do not wait for this status."),
    "response-success-status-added": Kind(R, "Take this status for success too."),
    "response-success-status-covered": Kind(R, "Take every status of the range for success."),
    "response-error-status-removed": Kind(R, "See which status tells of it now."),
    "response-error-status-added": Kind(R, "Be ready for this refusal."),
    "response-status-narrowed": Kind(H, _NOTHING),
    "response-text-changed": Kind(H, "Read what the description says now."),
    "response-body-removed": Kind(B, "Do without the body."),
    "response-body-added": Kind(H, _NOTHING),
    "response-media-type-removed": Kind(B, "Read another media type."),
    "response-media-type-added": Kind(H, "Nothing, if you say in Accept what you read."),
    "response-header-removed": Kind(B, "Do without this header."),
    "optional-response-header-removed": Kind(R, "Do without this header."),
    "response-header-added": Kind(H, _NOTHING),
    "response-header-became-optional": Kind(B, "Be ready for this header to be missing."),
    "response-header-became-required": Kind(H, _NOTHING),
    "security-requirement-removed": Kind(B, "Authenticate in one of the other ways."),
    "security-required": Kind(B, "Authenticate."),
    "security-not-required-any-more": Kind(H, _NOTHING),
    "security-requirement-added": Kind(H, _NOTHING),
    "security-scope-required": Kind(B, "Ask for the further scope."),
    "security-scope-not-required-any-more": Kind(H, _NOTHING),
    "oauth-flow-removed": Kind(B, "Get the token by another flow."),
    "oauth-flow-added": Kind(H, _NOTHING),
    "oauth-url-changed": Kind(B, "Get the token at the new address."),
    "oauth-scope-removed": Kind(B, "Do not ask for this scope."),
    "oauth-scope-added": Kind(H, _NOTHING),
    "webhook-removed": Kind(B, "Do without this webhook."),
    "webhook-added": Kind(H, _NOTHING),
    "webhook-body-removed": Kind(B, "Do without the body of the webhook."),
    "webhook-body-added": Kind(H, _NOTHING),
    "webhook-body-became-optional": Kind(B, "Be ready for the webhook to come without a body."),
    "webhook-body-became-required": Kind(H, _NOTHING),
    "webhook-media-type-removed": Kind(B, "Read another media type."),
    "webhook-media-type-added": Kind(B, "Read the further media type too."),
    "webhook-header-removed": Kind(B, "Do without this header."),
    "optional-webhook-header-removed": Kind(R, "Do without this header."),
    "webhook-header-added": Kind(H, _NOTHING),
    "webhook-header-became-optional": Kind(B, "Be ready for this header to be missing."),
    "webhook-header-became-required": Kind(H, _NOTHING),
    "webhook-answer-removed": Kind(B, "Answer the webhook with another status."),
    "webhook-answer-added": Kind(H, _NOTHING),
    "webhook-answer-body-required": Kind(B, "Answer the webhook with the body that is asked for."),
    "webhook-answer-body-removed": Kind(H, _NOTHING),
    "api-version-changed": Kind(H, _NOTHING),
}
"""Kinds of change of everything but schemas; the id is the whole one."""


def kind_of_value(part: str, change: str, *, written: bool, tightened: bool | None = None) -> tuple[str, Kind]:
    """The id and the kind of a change of a value.

    Args:
        part: What has the value: ``request-property``, ``response-body``, ``webhook-header`` …
        change: What changed in it.
        written: Whether the client writes it, instead of reading it.
        tightened: For a limit, whether less is allowed now.
    """
    table = WRITTEN if written else READ
    name = change if tightened is None else "limit-tightened" if tightened else "limit-loosened"
    kind = EITHER.get(name) or table[name]
    if change.startswith(("property-", "required-property-")):
        part = part.removesuffix("-property").removesuffix("-body")
    return f"{part}-{change}", kind
