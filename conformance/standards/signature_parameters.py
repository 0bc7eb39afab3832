"""What the label and the parameters of a message signature may be (RFC 9421, section 2.3; RFC 8941, section 3)."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from urllib.parse import quote, unquote

from conformance.standards.signature_refusals import Reason, SignatureRejected

_LABEL = re.compile(r"[a-z*][a-z0-9_.*-]*")
_TEXT = re.compile(r"[\x20-\x7e]*")
_WAYS_TO_WRITE = frozenset({"sf", "bs"})
_LARGEST = 999_999_999_999_999
MILLISECONDS = 10**11
"""From this number on, a time in seconds would lie in the year 5138, so that it is one in milliseconds."""


def covered_whole(components: Iterable[str]) -> frozenset[str]:
    """What a signature covers as a whole, by name.

    Strict serialisation and binary wrapping are other ways to write all of a field (sections 2.1.1 and 2.1.3); what is
    covered with any other parameter is another thing or a part, such as one member of a dictionary.

    Args:
        components: The covered components, with their parameters.
    """
    divided = (component.split(";") for component in components)
    return frozenset(name for name, *parameters in divided if _WAYS_TO_WRITE.issuperset(parameters))


def check_parameters(label: str, parameters: Mapping[str, object]) -> None:
    """Make sure that structured fields can hold a label and the parameters of a signature.

    Args:
        label: The label.
        parameters: Integers and texts by the names of the parameters; one that is None is not written.

    Raises:
        SignatureRejected: With reason ``malformed``, naming what they cannot hold.
    """
    if not _LABEL.fullmatch(label):
        raise SignatureRejected(
            Reason.MALFORMED,
            f"The label is {label!r}; expected small letters, digits, and any of _ - . *, a letter or * first.",
        )
    for name, value in parameters.items():
        if isinstance(value, str) and not _TEXT.fullmatch(value):
            raise SignatureRejected(
                Reason.MALFORMED,
                f"The parameter {name} is {value!r}; expected printable characters of ASCII alone.",
            )
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise SignatureRejected(Reason.MALFORMED, f"The parameter {name} is {value}; expected at most 15 digits.")


def check_query_name(component: str, name: object) -> None:
    """Make sure that the name of a query parameter is written in its one form, so that none can be covered twice.

    Args:
        component: The component identifier that names it.
        name: The name.

    Raises:
        SignatureRejected: With reason ``malformed`` if a name in this form is none of any query (section 2.2.8).
    """
    if not isinstance(name, str):
        return
    encoded = quote(unquote(name), safe="*").replace("~", "%7E")
    if name != encoded:
        raise SignatureRejected(
            Reason.MALFORMED,
            f"The component {component} names a parameter in a form that no query has; expected {encoded!r}: "
            "percent escapes for all but letters, digits and * - . _, in capitals.",
        )


def check_times(
    label: str,
    times: tuple[int | None, int | None],
    now: float,
    max_age: timedelta | None,
    max_ahead: timedelta | None,
) -> None:
    """Make sure that a signature holds at an instant.

    Args:
        label: Its label.
        times: Its ``created`` and ``expires``.
        now: The instant, in seconds since 1970.
        max_age: How long ago ``created`` may be; None for any time.
        max_ahead: How far ahead ``created`` may be; None for any time.

    Raises:
        SignatureRejected: With reason ``created-missing``, ``too-old``, ``in-the-future`` or ``expired``.
    """
    created, expires = times
    if created is None:
        if max_age is not None or max_ahead is not None:
            raise SignatureRejected(
                Reason.CREATED_MISSING,
                f"The signature {label} has no parameter created; say when you sign.",
            )
    elif max_age is not None and now - created > max_age.total_seconds():
        raise SignatureRejected(
            Reason.TOO_OLD,
            f"The signature {label} was created {now - created:.0f} s ago, "
            f"at most {max_age.total_seconds():.0f} s are allowed; "
            "sign each request when you send it, and check your clock.",
        )
    elif max_ahead is not None and created - now > max_ahead.total_seconds():
        raise SignatureRejected(
            Reason.IN_THE_FUTURE,
            f"The signature {label} says created={created}, in milliseconds; write seconds."
            if created > MILLISECONDS
            else f"The signature {label} was created {created - now:.0f} s ahead of this clock, "
            f"at most {max_ahead.total_seconds():.0f} s are allowed; check your clock.",
        )
    if expires is not None and now > expires:
        raise SignatureRejected(
            Reason.EXPIRED,
            f"The signature {label} expired {now - expires:.0f} s ago; sign the request again, and check your clock.",
        )
