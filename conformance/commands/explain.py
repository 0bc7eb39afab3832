"""The commands `conformance explain ...`: what is wrong with a thing that does not verify."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from conformance import ConformanceError
from conformance.commands.endings import explained
from conformance.diagnosis.form import Diagnosis

if TYPE_CHECKING:
    from conformance.diagnosis.request import Rules
    from conformance.diagnosis.ways import KnownKey

# What a command needs is imported when it runs, so that help and the commands that need little stay quick.
# ruff: noqa: PLC0415

_LARGEST_KEY = 1024 * 1024
"""Bytes that are read of a file with a key or with typed data."""

_LONGEST_TEXT = 100_000
"""Characters that a challenge or a signature may have."""

json_option = click.option("--json", "wants_json", is_flag=True, help="As JSON, for programs.")


class FileUnreadableError(ConformanceError, ValueError):
    """A file that a command needs cannot be read; the message says which, and why."""


@click.group(short_help="Say which mistake was made in a signature that does not verify.")
def explain() -> None:
    """Say which known mistake explains why something does not verify, and what to do.

    Where several mistakes would each explain it, all are told; where none does, that is said. Exit codes: 0 valid,
    1 not, 2 wrong usage or unreadable files.
    """


@explain.command()
@click.argument("file", metavar="FILE", type=click.File("rb"))
@click.option(
    "--public-key",
    "key_files",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    required=True,
    help="The public key that should have signed, then others that may have. May be repeated.",
)
@click.option("--api", "name", metavar="API", help="The API whose rules on algorithm, coverage and digest hold too.")
@click.option("--base-url", metavar="URL", help="Where the server is, if the file does not show it or shows a proxy.")
@json_option
def request(
    *, file: BinaryIO, key_files: Sequence[Path], name: str | None, base_url: str | None, wants_json: bool
) -> None:
    """Explain the HTTP message signature of a request (RFC 9421) and its Content-Digest.

    FILE is raw HTTP, an entry of an HTTP Archive or of the log of our sandbox, or a curl command line; - reads it from
    the standard input. Keys are PEM, certificates, JSON Web Keys or OpenSSH keys. The first key is the one that should
    have signed, unless the signature's keyid is the name of another file or the kid of another JSON Web Key.
    """
    with explained():
        from conformance.commands.request_files import LARGEST, read_written
        from conformance.diagnosis.request import diagnose_request

        keys = _keys(key_files)
        rules = _rules(name)
        written = read_written(file.read(LARGEST + 1), base_url)
        for note in written.notes:
            click.echo(f"Note: {note}", err=True)
        diagnosis = diagnose_request(
            written.request,
            keys,
            rules=rules,
            lines=written.lines,
            schemes=written.schemes,
            hosts=written.hosts,
        )
        tell(diagnosis, wants_json=wants_json)


@explain.command()
@click.option(
    "--challenge",
    "challenges",
    metavar="TEXT",
    multiple=True,
    required=True,
    help="The challenge as it was issued, in base64; repeated, others that may have been signed, such as older ones.",
)
@click.option("--signature", metavar="TEXT", required=True, help="The signature as it was sent.")
@click.option("--owner", metavar="ACCOUNT_ID", required=True, help="Who is to sign: an account id of CAIP-10.")
@click.option(
    "--typed-data",
    "typed_data",
    metavar="FILE",
    type=click.File("rb"),
    help="Typed data (EIP-712) that the wallet may have signed instead, as eth_signTypedData_v4 takes it.",
)
@json_option
def challenge(
    *, challenges: Sequence[str], signature: str, owner: str, typed_data: BinaryIO | None, wants_json: bool
) -> None:
    """Explain a wallet's signature of a challenge (EIP-191, EIP-4361).

    Whatever it may be of is tried until the signer is the owner. A signer that nobody knows is named by the address.
    """
    with explained():
        from conformance.diagnosis.challenge import Owner, diagnose_challenge
        from conformance.standards.account_ids import AccountIdRejected

        try:
            signer = Owner.read(owner)
        except AccountIdRejected as error:
            raise click.UsageError(f"--owner: {error}") from error
        longest = max(map(len, (*challenges, signature)))
        if longest > _LONGEST_TEXT:
            raise click.UsageError(
                f"A challenge or signature has {longest} characters; at most {_LONGEST_TEXT} are read."
            )
        digests = {} if typed_data is None else _typed_data_hashes(typed_data)
        tell(diagnose_challenge(challenges, signature, signer, digests), wants_json=wants_json)


def _typed_data_hashes(file: BinaryIO) -> dict[str, bytes]:
    """What is signed for typed data, by what it is of.

    Raises:
        FileUnreadableError: If the file holds none.
    """
    from conformance.standards.typed_data import TypedDataRejected, typed_data_hashes

    try:
        document = json.loads(file.read(_LARGEST_KEY))
        if not isinstance(document, dict):
            raise TypedDataRejected("That is no typed data of EIP-712: it is no JSON object.")
        return typed_data_hashes(document)
    except (ValueError, RecursionError) as error:
        raise FileUnreadableError(f"The typed data in {file.name} cannot be read: {error}") from error


def _keys(files: Sequence[Path]) -> "list[KnownKey]":
    """The keys in files, each named by its file.

    Raises:
        FileUnreadableError: If one cannot be read.
    """
    from conformance.diagnosis.ways import KnownKey
    from conformance.standards.public_keys import read_public_keys
    from conformance.standards.signing_keys import KeyRejected

    found: list[KnownKey] = []
    for file in files:
        try:
            with file.open("rb") as opened:
                read = read_public_keys(opened.read(_LARGEST_KEY))
        except (OSError, KeyRejected) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise FileUnreadableError(f"The public key {file} cannot be read: {said}") from error
        for kid, key in read:
            shown = str(file) if kid is None or len(read) == 1 else f"{file} ({kid})"
            found.append(KnownKey(shown, key, tuple(filter(None, (kid, file.stem, file.name)))))
    return found


def _rules(name: str | None) -> "Rules":
    """What an API asks for, and what its description tells of where it is; nothing without one."""
    from conformance.diagnosis.request import PLAIN

    if name is None:
        return PLAIN
    from dataclasses import replace
    from urllib.parse import urlsplit

    from conformance.commands.sign import signing_api
    from conformance.specification import Specification

    api = signing_api(name)
    if api.signing is None:
        return PLAIN
    specification = Specification.load(api.specification)
    servers = [urlsplit(server["url"]) for server in specification.document.get("servers", [])]
    return replace(
        api.signing.rules,
        hosts=tuple(server.netloc for server in servers if server.netloc),
        base_paths=tuple(dict.fromkeys(["/" + api.name, *(server.path for server in servers if server.path)])),
        templates=tuple(dict.fromkeys(operation.path for operation in specification.operations.values())),
    )


def tell(diagnosis: Diagnosis, *, wants_json: bool) -> None:
    """Print a diagnosis and end the command with its exit code.

    Args:
        diagnosis: What is said.
        wants_json: Whether to print JSON.

    Raises:
        click.exceptions.Exit: Always; with 0 if all is valid, else 1.
    """
    from conformance.diagnosis.texts import as_json, lines

    told = json.dumps(as_json(diagnosis), indent=2, ensure_ascii=False) if wants_json else "\n".join(lines(diagnosis))
    click.echo(told.encode(errors="backslashreplace").decode())  # bytes that are no UTF-8 as escapes, as in JSON
    raise click.exceptions.Exit(0 if diagnosis.valid else 1)
