"""Sign-In with Ethereum messages: a strict parser of the grammar of EIP-4361 that says what is wrong and where."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import AddressValueError, IPv6Address
from typing import NoReturn

from conformance.standards.account_ids import AccountIdRejected, checksum_address, checksum_state

__all__ = ["MessageRejected", "SignInMessage", "parse"]

_INVITATION = " wants you to sign in with your Ethereum account:"

_UNRESERVED = r"A-Za-z0-9._~\-"
_SUB_DELIMS = r"!$&'()*+,;="
_ENCODED = r"%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@]|{_ENCODED})"
_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]*"
_AUTHORITY = (
    rf"(?:(?:[{_UNRESERVED}{_SUB_DELIMS}:]|{_ENCODED})*@)?"
    rf"(?:\[(?:(?P<ipv6>[0-9A-Fa-f:.]+)|[vV][0-9A-Fa-f]+\.[{_UNRESERVED}{_SUB_DELIMS}:]+)\]"
    rf"|(?:[{_UNRESERVED}{_SUB_DELIMS}]|{_ENCODED})*)"
    r"(?::[0-9]*)?"
)
_URI = re.compile(
    rf"{_SCHEME}:(?://{_AUTHORITY}(?:/{_PCHAR}*)*|/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?|{_PCHAR}+(?:/{_PCHAR}*)*|)"
    rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:\#(?:{_PCHAR}|[/?])*)?"
)
_ORIGIN = re.compile(rf"(?:(?P<scheme>{_SCHEME})://)?(?P<domain>{_AUTHORITY})")
_STATEMENT = re.compile(rf"[{_UNRESERVED}{_SUB_DELIMS}:/?#\[\]@ ]*")
_REQUEST_ID = re.compile(rf"{_PCHAR}*")
_NONCE = re.compile(r"[A-Za-z0-9]{8,}")
_CHAIN_ID = re.compile(r"[0-9]{1,78}")
_DATE_TIME = re.compile(
    r"(?P<date>\d{4}-\d\d-\d\d)[Tt](?P<time>\d\d:\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d+))?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3]):(?P<minutes>[0-5]\d))",
    re.ASCII,
)
_LABELS = (
    "URI: ",
    "Version: ",
    "Chain ID: ",
    "Nonce: ",
    "Issued At: ",
    "Expiration Time: ",
    "Not Before: ",
    "Request ID: ",
    "Resources:",
)
_NONCE_LENGTH = 8
_SHOWN = 80


class MessageRejected(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """A text that is no sign-in message.

    Args:
        line: The line at which it goes wrong, the first being 1.
        expected: What the grammar allows there.
        got: What stands there.
        hint: What was probably done wrong, if that can be told.
    """

    def __init__(self, line: int, expected: str, got: str, hint: str = "") -> None:
        super().__init__(f"Line {line}: expected {expected}, got {got}." + (f" {hint}" if hint else ""))
        self.line = line
        self.expected = expected
        self.got = got


@dataclass(frozen=True)
class SignInMessage:
    """A message of EIP-4361; ``str()`` gives its text.

    Args:
        domain: The RFC 3986 authority that asks for the signature.
        address: The address that is to sign.
        uri: The RFC 3986 URI that the signature is about.
        chain_id: The EIP-155 chain id.
        nonce: At least 8 letters and digits.
        issued_at: An RFC 3339 date-time, as written.
        version: Always ``1``.
        scheme: The URI scheme of the origin, or ``None`` if the message names none.
        statement: What the user agrees to, on one line; ``None`` if there is none, empty if its line is.
        expiration_time: An RFC 3339 date-time, as written, or ``None``.
        not_before: An RFC 3339 date-time, as written, or ``None``.
        request_id: An id of the request, or ``None``.
        resources: RFC 3986 URIs; ``None`` without the line ``Resources:``, empty if nothing follows it.
        chain_id_width: The least number of digits that the chain id is written with, for leading zeros.
    """

    domain: str
    address: str
    uri: str
    chain_id: int
    nonce: str
    issued_at: str
    version: str = "1"
    scheme: str | None = None
    statement: str | None = None
    expiration_time: str | None = None
    not_before: str | None = None
    request_id: str | None = None
    resources: tuple[str, ...] | None = None
    chain_id_width: int = 1

    @property
    def issued_at_time(self) -> datetime:
        """When the message was made, in UTC, cut to microseconds."""
        return _instant(self.issued_at)

    @property
    def address_is_checksummed(self) -> bool:
        """Whether the letter case of the address is the checksum of EIP-55; if not, all letters have one case."""
        return checksum_state(self.address) == "checksummed"

    def __str__(self) -> str:
        optional = (
            ("Expiration Time", self.expiration_time),
            ("Not Before", self.not_before),
            ("Request ID", self.request_id),
        )
        resources = None if self.resources is None else ["Resources:", *(f"- {uri}" for uri in self.resources)]
        return "\n".join(
            [
                f"{f'{self.scheme}://' if self.scheme else ''}{self.domain}{_INVITATION}",
                self.address,
                "",
                *([] if self.statement is None else [self.statement]),
                "",
                f"URI: {self.uri}",
                f"Version: {self.version}",
                f"Chain ID: {self.chain_id:0{self.chain_id_width}d}",
                f"Nonce: {self.nonce}",
                f"Issued At: {self.issued_at}",
                *(f"{label}: {value}" for label, value in optional if value is not None),
                *(resources or []),
            ]
        )


def parse(text: str) -> SignInMessage:
    """The sign-in message in `text`, by the grammar of EIP-4361.

    An address in mixed case must have the checksum of EIP-55; one in a single case is taken, see
    `SignInMessage.address_is_checksummed`.

    Raises:
        MessageRejected: If `text` does not follow the grammar, naming the first line that does not.
    """
    lines = _Lines(text)
    scheme, domain = lines.origin()
    address = lines.address()
    statement = lines.statement()
    uri = lines.field("URI: ", "an RFC 3986 URI", _is_uri)
    version = lines.field("Version: ", "1", "1".__eq__)
    chain_id = lines.field("Chain ID: ", "decimal digits", _CHAIN_ID.fullmatch)
    nonce = lines.field("Nonce: ", "at least 8 letters and digits", _NONCE.fullmatch)
    issued_at = lines.field("Issued At: ", "an RFC 3339 date-time", _is_date_time)
    message = SignInMessage(
        domain=domain,
        address=address,
        uri=uri,
        chain_id=int(chain_id),
        nonce=nonce,
        issued_at=issued_at,
        version=version,
        scheme=scheme,
        statement=statement,
        expiration_time=lines.optional("Expiration Time: ", "an RFC 3339 date-time", _is_date_time),
        not_before=lines.optional("Not Before: ", "an RFC 3339 date-time", _is_date_time),
        request_id=lines.optional("Request ID: ", "RFC 3986 path characters", _REQUEST_ID.fullmatch),
        resources=lines.resources(),
        chain_id_width=len(chain_id),
    )
    lines.end()
    return message


class _Lines:
    """The lines of a message, read from the first to the last."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._next = 0

    def origin(self) -> tuple[str | None, str]:
        line = self._peek() or ""
        origin = _ORIGIN.fullmatch(line.removesuffix(_INVITATION))
        if not line.endswith(_INVITATION) or not origin or not origin["domain"] or not _has_valid_host(origin):
            self._reject(f"an RFC 3986 authority and {_INVITATION!r}")
        self._next += 1
        return origin["scheme"], origin["domain"]

    def address(self) -> str:
        line = self._peek() or ""
        try:
            state = checksum_state(line)
        except AccountIdRejected as error:
            self._reject("an address of 0x and 40 hex digits", str(error))
        if state == "wrong":
            self._reject(
                "an address with the checksum of EIP-55",
                f"By its digits it would be {checksum_address(line)}: a digit or the case of a letter was changed.",
            )
        self._next += 1
        self._take_blank("a blank line after the address")
        return line

    def statement(self) -> str | None:
        line, following = self._peek() or "", self._peek(1)
        if not line and following != "":
            self._take_blank("a blank line")
            return None
        if line.startswith("URI: ") and (following or "").startswith("Version: "):
            self._reject("a blank line", "Without a statement two blank lines stand between the address and the URI.")
        if not _STATEMENT.fullmatch(line):
            odd = next(character for character in line if not _STATEMENT.fullmatch(character))
            self._reject(
                "a statement of the characters that RFC 3986 calls reserved or unreserved, and blanks",
                f"{odd!r} is not one of them.",
            )
        self._next += 1
        self._take_blank("a blank line after the statement, which is a single line")
        return line

    def field(self, label: str, expected: str, valid: Callable[[str], object]) -> str:
        line = self._peek() or ""
        if not line.startswith(label):
            before = "Between address and URI stand a blank line, the statement if there is one, and a blank line."
            self._reject(f"{label!r} and {expected}", _misplaced(line) or (before if label == "URI: " else ""))
        value = line.removeprefix(label)
        if not valid(value):
            short = label == "Nonce: " and len(value) < _NONCE_LENGTH
            self._reject(f"{expected} after {label!r}", f"The nonce has {len(value)} characters." if short else "")
        self._next += 1
        return value

    def optional(self, label: str, expected: str, valid: Callable[[str], object]) -> str | None:
        return self.field(label, expected, valid) if (self._peek() or "").startswith(label) else None

    def resources(self) -> tuple[str, ...] | None:
        if self._peek() != "Resources:":
            return None
        self._next += 1
        resources = []
        while (self._peek() or "").startswith("- "):
            resources.append(self.field("- ", "an RFC 3986 URI", _is_uri))
        return tuple(resources)

    def end(self) -> None:
        line = self._peek()
        if line is not None:
            trailing = not line and self._peek(1) is None
            self._reject(
                "the end of the message or a field that may follow here",
                "The message has no newline at its end: remove it." if trailing else _misplaced(line),
            )

    def _peek(self, ahead: int = 0) -> str | None:
        position = self._next + ahead
        return self._lines[position] if position < len(self._lines) else None

    def _take_blank(self, expected: str) -> None:
        if self._peek() != "":
            self._reject(expected)
        self._next += 1

    def _reject(self, expected: str, hint: str = "") -> NoReturn:
        line = self._peek()
        got = "the end of the message" if line is None else repr(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}...")
        if line is not None and line.endswith("\r"):
            hint = "Lines end with LF alone: remove the carriage returns."
        raise MessageRejected(self._next + 1, expected, got, hint)


def _misplaced(line: str) -> str:
    for label in _LABELS:
        if line.startswith(label):
            return f"The fields stand in this order, each once: {', '.join(name.strip(': ') for name in _LABELS)}."
        if line.startswith(label.rstrip()):
            return "One blank stands after the colon."
    return ""


def _has_valid_host(match: re.Match[str]) -> bool:
    if match["ipv6"] is None:
        return True
    try:
        IPv6Address(match["ipv6"])
    except AddressValueError:
        return False
    return True


def _is_uri(text: str) -> bool:
    match = _URI.fullmatch(text)
    return match is not None and _has_valid_host(match)


def _is_date_time(text: str) -> bool:
    try:
        _instant(text)
    except ValueError:
        return False
    return True


def _instant(text: str) -> datetime:
    match = _DATE_TIME.fullmatch(text)
    if not match or match["second"] > "60":
        raise ValueError(f"{text!r} is not a date-time of RFC 3339.")
    leap = match["second"] == "60"
    whole = datetime.fromisoformat(f"{match['date']}T{match['time']}:{'59' if leap else match['second']}+00:00")
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    try:
        instant = whole + offset if match["sign"] == "-" else whole - offset
        if leap and (instant.hour, instant.minute) != (23, 59):
            raise ValueError(f"{text!r} has a leap second in the middle of a day.")
        fraction = timedelta(microseconds=int((match["fraction"] or "")[:6].ljust(6, "0")))
        return instant + timedelta(seconds=leap) + fraction
    except OverflowError as error:
        raise ValueError(f"{text!r} is beyond the years 1 to 9999.") from error
