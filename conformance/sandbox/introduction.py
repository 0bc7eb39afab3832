"""What somebody who starts a sandbox by hand needs to know: addresses, credentials, and a request to begin with."""

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from conformance.api import Api
from conformance.sandbox.control import PREFIX
from conformance.sandbox.service import TENANTS
from conformance.specification import Operation, Specification


def introduction(origin: str, apis: Iterable[Api]) -> str:
    """The text that introduces the default world of a running sandbox.

    Args:
        origin: Scheme, host and port of the sandbox.
        apis: The APIs that it implements.
    """
    with httpx.Client(trust_env=False) as client:
        world = client.get(f"{origin}{PREFIX}").raise_for_status().json()
    lines = [f"The reference sandbox serves at {origin}; Ctrl-C stops it."]
    if world["faults"]:
        lines.append(f"It departs from the documents by {', '.join(world['faults'])}.")
    for api in apis:
        lines += _api(api, world)
    return "\n".join(lines)


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
