"""Typed data of EIP-712: the hash that a wallet signs for it. The only module that imports eth-account.

eth-account raises the recursion limit of the interpreter so far that deep JSON then crashes it; here the limit is put
back. Loading it takes a while, so it is loaded when it is needed.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from eth_hash.auto import keccak

from conformance.standards.personal_message import message_hash

__all__ = ["TypedDataRejected", "typed_data_hashes"]


_CHAINS = (1, 5, 10, 56, 100, 137, 280, 300, 324, 8453, 42161, 43114, 59144, 11155111)


class TypedDataRejected(ValueError):  # noqa: N818 - a judgement of the input, named as such
    """What is no typed data of EIP-712; the message says why."""


def typed_data_hashes(document: Mapping[str, Any]) -> dict[str, bytes]:
    """The 32 bytes that are signed for typed data (EIP-712), and for others that are taken for it.

    Args:
        document: The types, the primary type, the domain and the message, as ``eth_signTypedData_v4`` takes them.

    Returns:
        The hashes, by what they are of: the typed data; the same for another chain; its JSON text, by personal_sign.

    Raises:
        TypedDataRejected: If it is none.
    """
    found = {"the typed data of the file": _hash(document)}
    domain = document.get("domain")
    if isinstance(domain, Mapping) and "chainId" in domain:
        for chain in _CHAINS:
            if str(domain["chainId"]) != str(chain):
                other = {**document, "domain": {**domain, "chainId": chain}}
                found[f"that of the file, but for the chain {chain}"] = _hash(other)
        types = {**document.get("types", {})}
        fields = [each for each in types.get("EIP712Domain", ()) if each.get("name") != "chainId"]
        rest = {name: value for name, value in domain.items() if name != "chainId"}
        without = {**document, "types": {**types, "EIP712Domain": fields}, "domain": rest}
        found["that of the file without its chain"] = _hash(without)
    for title, separators in (("compact", (",", ":")), ("spaced", (", ", ": "))):
        text = json.dumps(document, separators=separators, ensure_ascii=False).encode("utf-8", "surrogatepass")
        found[f"its JSON text in {title} form, by personal_sign"] = message_hash(text)
    return found


def _hash(document: Mapping[str, Any]) -> bytes:
    limit = sys.getrecursionlimit()
    try:
        from eth_account.messages import encode_typed_data  # noqa: PLC0415  (it is loaded when it is needed)
    finally:
        sys.setrecursionlimit(limit)
    try:
        signable = encode_typed_data(full_message=dict(document))
    except Exception as error:  # eth-account and eth-abi raise many kinds
        raise TypedDataRejected(f"That is no typed data of EIP-712: {error or type(error).__name__}.") from error
    return keccak(b"\x19" + signable.version + signable.header + signable.body)
