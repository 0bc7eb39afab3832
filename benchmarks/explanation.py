"""What it costs to explain a signature that is wrong, in seconds of a processor, as JSON."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from run import CONFORMANCE, cost  # type: ignore[import-not-found]  # it lies beside this script

from conformance.clock import SystemClock
from conformance.standards.digest_fields import content_digest
from conformance.standards.message_signatures import key_from_seed, public_pem, sign

URL, BODY = "https://api.example.com/customers", b'{"externalId":"one"}'


def main() -> None:
    """Write a request whose method was signed as another, have it explained in a fresh process, and print the cost."""
    key = key_from_seed(b"one")
    headers = [
        ("Host", "api.example.com"),
        ("Content-Type", "application/json"),
        ("Content-Digest", content_digest(BODY)),
    ]
    headers += sign(
        "PUT",
        URL,
        headers,
        key=key,
        key_id="one",
        components=("@method", "@target-uri", "content-digest", "content-type"),
        created=SystemClock().now(),
    )
    lines = ["POST /customers HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    with TemporaryDirectory() as folder:
        request, public = Path(folder, "request"), Path(folder, "public.pem")
        request.write_bytes("\r\n".join(lines).encode() + BODY)
        public.write_text(public_pem(key.public_key()))
        explained = cost([*CONFORMANCE, "explain", "request", str(request), "--public-key", str(public)])
    if explained.exit_code != 1 or "PUT" not in explained.said:
        raise SystemExit(f"conformance explain does not name the method that was signed:\n{explained.said}")
    print(json.dumps(explained.figures()))


if __name__ == "__main__":
    main()
