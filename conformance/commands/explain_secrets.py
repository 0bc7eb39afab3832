"""The commands `conformance explain webhook` and `conformance explain token`: secrets go in, and none comes out."""

import os
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import BinaryIO

import click

from conformance.commands.endings import explained
from conformance.commands.explain import explain, json_option, tell

__all__ = ["explain", "token", "webhook"]

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

_LARGEST_BODY = 16 * 1024 * 1024
_LONGEST_TOKEN = 100_000
_FIRST_MILLISECONDS = 10**11

at_option = click.option(
    "--at", metavar="TIME", help="The receiver's time, in ISO 8601 or seconds since 1970; the present unless given."
)


@explain.command()
@click.option("--secret-env", metavar="NAME", required=True, help="The environment variable that holds the secret.")
@click.option(
    "--header",
    "headers",
    metavar="TEXT",
    multiple=True,
    required=True,
    help="A header line, 'Name: value', or @FILE with several. May be repeated.",
)
@click.option(
    "--body", metavar="FILE", type=click.File("rb"), required=True, help="The body as it came; - reads standard input."
)
@at_option
@json_option
def webhook(*, secret_env: str, headers: Sequence[str], body: BinaryIO, at: str | None, wants_json: bool) -> None:
    """Explain why a webhook of Planbok does not verify.

    It should be signed as the receiver of the vendor's beta verifies it. Whatever else may have been signed, with
    whatever was made of the secret, is tried. The secret is not shown.
    """
    with explained():
        from conformance.planbok.webhooks import diagnose

        secret = os.environ.get(secret_env, "")
        if not secret:
            raise click.UsageError(f"The environment variable {secret_env!r} is not set, or empty.")
        content = body.read(_LARGEST_BODY + 1)
        if len(content) > _LARGEST_BODY:
            raise click.UsageError(f"The body is larger than {_LARGEST_BODY} bytes.")
        lines = [line for given in headers for line in _lines(given)]
        tell(diagnose(lines, content, secret, _instant(at)), wants_json=wants_json)


@explain.command()
@click.argument("file", metavar="FILE", type=click.File("rb"))
@at_option
@json_option
def token(*, file: BinaryIO, at: str | None, wants_json: bool) -> None:
    """Explain the form and the time of a token of OffBlocks, or of an API key of Planbok.

    FILE holds the token alone, or the header line that carries it, Authorization or PLANBOK-X-API-KEY; - reads
    standard input, so that it stands in no list of commands. Whether the server has signed a token only the server can
    tell. The token is not shown.
    """
    with explained():
        from conformance.diagnosis.token import claims_in, diagnose_token
        from conformance.planbok.messages import KEY_HEADER

        text = file.read(_LONGEST_TOKEN + 1).decode(errors="replace")
        if len(text) > _LONGEST_TOKEN:
            raise click.UsageError(f"That is longer than the {_LONGEST_TOKEN} characters that are read of a token.")
        claims = claims_in(text)
        if claims is not None:
            said = (
                ("signed by", claims.algorithm),
                ("issued by", claims.issuer),
                ("for the subject", claims.subject),
                ("to be used at", claims.audience),
                ("good until", claims.expires_at and f"{claims.expires_at:%Y-%m-%dT%H:%M:%SZ}"),
            )
            told = ", ".join(f"{name} {value!r:.80}" for name, value in said if value)
            click.echo(f"Note: It says of itself, and nobody has verified: {told or 'nothing'}.", err=True)
        tell(diagnose_token(text, _instant(at), key_header=KEY_HEADER), wants_json=wants_json)


def _lines(given: str) -> list[tuple[str, str]]:
    """The header lines of an option: one, or those in a file.

    Raises:
        click.UsageError: If there is none, or the file cannot be read.
    """
    if given.startswith("@"):
        try:
            with open(given[1:], "rb") as file:  # noqa: PTH123  (a size is read, and no more)
                text = file.read(_LONGEST_TOKEN).decode("latin-1")
        except OSError as error:
            raise click.UsageError(f"The headers in {given[1:]} cannot be read: {error.strerror}.") from error
        lines = [line for line in text.splitlines() if line.strip()]
    else:
        lines = [given]
    found = [
        (name.strip(), value.removeprefix(" "))
        for name, colon, value in (line.partition(":") for line in lines)
        if colon
    ]
    if len(found) < len(lines) or not all(name for name, _ in found):
        raise click.UsageError("A header is 'Name: value'; one that was given has no colon, or no name.")
    return found


def _instant(text: str | None) -> datetime:
    """The time that was given, the present if none was.

    Raises:
        click.UsageError: If it is none.
    """
    from conformance.clock import SystemClock

    if text is None:
        return SystemClock().now()
    try:
        if re.fullmatch(r"[0-9]{1,20}", text):
            number = int(text)
            return datetime.fromtimestamp(number / 1000 if number >= _FIRST_MILLISECONDS else number, UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise click.UsageError(
            f"--at is {text!r:.60}, and no time; write it as 2026-01-15T12:00:00Z, or as seconds since 1970."
        ) from error
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
