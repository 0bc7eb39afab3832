"""A client without credentials."""

from collections.abc import Mapping

import httpx

from conformance.ids import Ids


def made_up_credentials(_ids: Ids) -> dict[str, str]:
    return {}


def refused_access(base_url: str, _credentials: Mapping[str, str], transport: httpx.BaseTransport) -> str | None:
    try:
        transport.handle_request(httpx.Request("GET", f"{base_url}/v1/thing")).read()
    except httpx.TransportError as error:
        return f"GET {base_url}/v1/thing: {error}"
    return None


def listed_customers(
    _base_url: str, _credentials: Mapping[str, str], _transport: httpx.BaseTransport
) -> frozenset[str]:
    return frozenset()
