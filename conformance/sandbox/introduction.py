"""What somebody who starts a sandbox by hand needs to know: addresses, credentials, and a request to begin with."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from conformance.api import Api
from conformance.sandbox.control import PREFIX
from conformance.sandbox.server import RunningSandbox
from conformance.sandbox.service import TENANTS
from conformance.specification import Operation, Specification


def introduction(running: RunningSandbox, apis: Iterable[Api]) -> str:
    """The text that introduces the default world of a running sandbox.

    Args:
        running: The sandbox.
        apis: The APIs that it implements.
    """
    world = running.describe()
    lines = [f"The reference sandbox serves at {running.origin}; Ctrl-C stops it."]
    if world["faults"]:
        lines.append(f"It departs from the documents by {', '.join(world['faults'])}.")
    if world["variations"]:
        lines.append(f"It varies, as the documents permit, by {', '.join(world['variations'])}.")
    for api in apis:
        lines += _api(api, world)
    return "\n".join(lines)


def signing_introduction(running: RunningSandbox, apis: Iterable[Api], folder: Path) -> str:
    """What somebody needs who signs requests by hand, and the routes that show what a client did.

    The private key of the first client is written into a file.

    Args:
        running: The sandbox.
        apis: The APIs that it implements.
        folder: Where the keys go.
    """
    origin, world = running.origin, running.describe()
    lines: list[str] = []
    for api in apis:
        if api.signing is None:
            continue
        own = world["tenants"][TENANTS[0]][api.name]
        file = folder / f"{api.name}-signing-key.pem"
        file.write_text(own[api.signing.key_setting], encoding="utf-8")
        file.chmod(0o600)
        lines += [
            f"\n{api.title}, signatures: {api.signing.coverage}",
            f"\nThe private key is in the file {file}, as long as this sandbox runs.",
            "\nA signed request to copy:\n",
            *_signed_request(api, world["base_urls"][api.name], own, file),
        ]
    lines += [
        "\nWhat your client did is shown by:",
        f"  curl -sS {origin}{PREFIX}/findings     rule by rule: held, broken, not shown",
        f"  curl -sS {origin}{PREFIX}/requests     each request, with what it breaks; ?format=har for other tools",
        f"  curl -sS {origin}{PREFIX}/deliveries   each webhook, with what your receiver answered",
    ]
    return "\n".join(lines)


def _signed_request(api: Api, base_url: str, own: Mapping[str, str], file: Path) -> Iterator[str]:
    """Commands of a shell that ask for a token and send a signed request with it."""
    login = _first_request(api, base_url, own)
    operations = Specification.load(api.specification).operations.values()
    listed = next((each for each in operations if each.method == "GET" and "{" not in each.path), None)
    key_id = own.get("signing_key_id", "")
    if login is None or listed is None:
        return
    read = "python3 -c 'import json, sys; print(json.load(sys.stdin)[\"token\"])'"
    yield f"TOKEN=$({login} | {read})"
    yield f"conformance sign --key {shlex.quote(str(file))} --key-id {shlex.quote(key_id)} \\"
    yield f'  curl {base_url}{listed.path} -H "Authorization: Bearer $TOKEN" | sh'


def _api(api: Api, world: Mapping[str, Any]) -> Iterator[str]:
    base_url = world["base_urls"][api.name]
    tenants = {name: world["tenants"][name][api.name] for name in TENANTS}
    first = tenants[TENANTS[0]]
    prefix = f"CONFORMANCE_{api.name.upper().replace('-', '_')}_"
    yield f"\n{api.title}: {base_url}"
    yield "\nSettings of --target live, for the environment or .env (the credentials are made up):\n"
    yield f"{prefix}BASE_URL={base_url}"
    for tenant, credentials in tenants.items():
        infix = "" if tenant == TENANTS[0] else f"{tenant.upper()}_"
        for name, value in credentials.items():
            yield f"{prefix}{infix}{name.upper()}={_quoted(value)}"
    for name, value in first.items():
        if value.startswith("-----BEGIN"):
            yield f"\nThe public key to {prefix}{name.upper()}:\n\n{_public_key(value)}"
    if request := _first_request(api, base_url, first):
        yield f"\nA first request to copy:\n\n{request}"


def _quoted(value: str) -> str:
    escaped = value.replace("\n", "\\n")
    return f'"{escaped}"' if escaped != value else value


def _public_key(private_pem: str) -> str:
    public = load_pem_private_key(private_pem.encode(), password=None).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode().rstrip()


def _first_request(api: Api, base_url: str, credentials: Mapping[str, str]) -> str | None:
    """A curl command of an operation that takes credentials in its body or, if none does, in a header."""
    operations = Specification.load(api.specification).operations.values()
    operation = next((each for each in operations if each.request and not each.security), None)
    if operation is None:
        return _first_list(api, operations, base_url, credentials)
    names = {secret: re.sub(r"(?=[A-Z])", "_", secret).lower() for secret in api.secrets}
    body = json.dumps({secret: credentials[name] for secret, name in names.items() if name in credentials})
    return (
        f"curl -sS -X {operation.method} {base_url}{operation.path} \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )


def _first_list(api: Api, operations: Iterable[Operation], base_url: str, credentials: Mapping[str, str]) -> str | None:
    operation = next((each for each in operations if each.method == "GET" and "{" not in each.path), None)
    if operation is None or not api.secret_headers or "api_key" not in credentials:
        return None
    header = f"{api.secret_headers[0]}: {credentials['api_key']}"
    return f"curl -sS {base_url}{operation.path} \\\n  -H {shlex.quote(header)}"
