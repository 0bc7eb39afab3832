"""Content codings, such as gzip: bodies are kept decoded, so no field may describe the coded bytes."""

from dataclasses import replace
from functools import cache

import httpx

from conformance.exchange import Headers, Response

_OF_THE_CODED_BODY = {"content-digest", "content-encoding", "content-length", "content-md5", "digest", "repr-digest"}
"""The fields that describe the bytes in their coding (RFC 9110, section 8; RFC 9530, section 3.1)."""


def decoded_fields(headers: Headers) -> Headers:
    """The fields of a message whose body has been decoded, without those that describe the coded bytes.

    Args:
        headers: The fields as they came; without Content-Encoding all of them stay.
    """
    if not any(name.lower() == "content-encoding" for name, _ in headers):
        return headers
    return tuple((name, value) for name, value in headers if name.lower() not in _OF_THE_CODED_BODY)


def decoded(response: Response) -> Response:
    """A response whose body is decoded, if it is in codings that are known; else as it is."""
    if response.header("Content-Encoding") is None:
        return response
    try:
        answer = httpx.Response(response.status, headers=list(response.headers), content=response.body)
        body = answer.content
    except httpx.DecodingError:
        return response
    return response if undecodable(answer) else replace(response, headers=decoded_fields(response.headers), body=body)


def undecodable(answer: httpx.Response) -> list[str]:
    """The content codings of an answer that httpx leaves in its body, since it does not know them."""
    codings = answer.headers.get_list("Content-Encoding", split_commas=True)
    return [coding for coding in codings if coding and coding.lower() not in _known()]


@cache
def _known() -> frozenset[str]:
    """The codings that httpx decodes with what is installed: those for which its client asks unless it is told."""
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200))) as client:
        return frozenset(client.headers["Accept-Encoding"].split(", ")) | {"identity"}
