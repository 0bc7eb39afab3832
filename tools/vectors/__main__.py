"""Write the files, or with ``--check`` say which are not what they should be."""

import argparse
import sys

from conformance.files import data_path
from tools.vectors import (
    account_ids,
    addresses,
    digests,
    expiry,
    request_signatures,
    sign_in_messages,
    wallet_signatures,
    webhooks,
)

TOPICS = [
    module.TOPIC
    for module in (
        wallet_signatures,
        sign_in_messages,
        expiry,
        account_ids,
        request_signatures,
        digests,
        webhooks,
        addresses,
    )
]


def main() -> None:
    """Write or check every file."""
    parser = argparse.ArgumentParser(prog="python -m tools.vectors", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if a file differs")
    check = parser.parse_args().check
    stale = False
    for topic in TOPICS:
        path, text = data_path(topic.path), topic.text()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        if check:
            print(f"{topic.path} is not what python -m tools.vectors makes: run it, and look at what changed.")
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"Wrote {topic.path}, {len(topic.cases)} cases")
    sys.exit(check and stale)


main()
