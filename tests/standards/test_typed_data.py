"""Typed data is hashed as eth-account signs it, and the interpreter is left as it was."""

import json
import subprocess
import sys

import pytest

from conformance.standards.typed_data import TypedDataRejected, typed_data_hashes

DOCUMENT = {
    "types": {
        "EIP712Domain": [{"name": "name", "type": "string"}, {"name": "chainId", "type": "uint256"}],
        "Mail": [{"name": "contents", "type": "string"}],
    },
    "primaryType": "Mail",
    "domain": {"name": "Ether Mail", "chainId": 1},
    "message": {"contents": "Hello, Bob!"},
}
PROGRAM = """
import json, sys
sys.setrecursionlimit(987)
from conformance.standards.typed_data import TypedDataRejected, typed_data_hashes
document = json.loads(sys.argv[1])
hashed = typed_data_hashes(document)["the typed data of the file"]
assert sys.getrecursionlimit() == 987, sys.getrecursionlimit()
from eth_account import Account
from eth_account.messages import encode_typed_data
signed = Account.sign_message(encode_typed_data(full_message=document), bytes([7] * 32))
assert bytes(signed.message_hash) == hashed
print("agree")
"""


def test_the_hash_is_that_of_eth_account_and_the_recursion_limit_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(DOCUMENT)], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("agree\n", "")


def test_importing_it_here_leaves_the_recursion_limit() -> None:
    limit = sys.getrecursionlimit()
    hashes = typed_data_hashes(DOCUMENT)
    assert sys.getrecursionlimit() == limit
    assert len(set(hashes.values())) == len(hashes)
    assert {"that of the file, but for the chain 280", "that of the file without its chain"} <= set(hashes)


@pytest.mark.parametrize(
    "document", [{}, {"types": {}}, {**DOCUMENT, "primaryType": "Nothing"}, {"domain": {"chainId": 1}}]
)
def test_what_is_no_typed_data_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(TypedDataRejected, match="no typed data"):
        typed_data_hashes(document)
