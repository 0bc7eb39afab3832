"""Other forms of one answer that HTTP and JSON leave to the server: variations of every API put answers into them."""

import gzip
import json
from dataclasses import replace

from conformance.exchange import Request, Response

_FRONT_END = (
    ("Set-Cookie", "lb=1; Path=/; HttpOnly"),
    ("Set-Cookie", "seen=2; Path=/"),
    ("RateLimit-Limit", "100"),
    ("X-RateLimit-Remaining", "99"),
    ("RateLimit-Reset", "1"),
    ("Server", "edge"),
    ("Via", "1.1 edge"),
    ("X-Request-Id", "7f"),
    ("ETag", 'W/"1"'),
    ("Cache-Control", "no-store"),
)


def compressed(request: Request, response: Response) -> Response:
    """A response in gzip, if the client takes that (RFC 9110, section 12.5.3)."""
    if not response.body or "gzip" not in (request.header("Accept-Encoding") or ""):
        return response
    headers = tuple(line for line in response.headers if line[0].lower() != "content-length")
    coded = (*headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    return replace(response, headers=coded, body=gzip.compress(response.body, mtime=0))


def from_a_front_end(response: Response) -> Response:
    """A response with the fields and cookies of a front end, and with how many requests are left."""
    return replace(response, headers=(*response.headers, *_FRONT_END))


def in_lines(response: Response) -> Response:
    """A response whose JSON is in lines, with escapes for slashes and all that is not ASCII (RFC 8259, section 7)."""
    if "json" not in (response.header("Content-Type") or "") or not response.body:
        return response
    text = json.dumps(json.loads(response.body), indent=4).replace("/", "\\/")
    return replace(response, body=f"\n{text}\r\n".encode())
