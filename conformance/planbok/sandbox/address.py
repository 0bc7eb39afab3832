"""Wallets: their keys, addresses and derivation paths, and how they are shown."""

from collections.abc import Mapping
from typing import Any

from conformance.planbok.chains import Chain
from conformance.planbok.sandbox.base import Decisions
from conformance.planbok.sandbox.state import Customer, Wallet
from conformance.standards.hd_keys import Curve, derive_key


class AddressDecisions(Decisions):
    """How a wallet is derived, and how it is shown."""

    def wallet_on(self, customer: Customer, chain: Chain, names: Mapping[str, str]) -> Wallet:
        """The customer's wallet on a chain, derived if there is none."""
        found = self.wallet_there(customer, chain)
        if found is not None:
            return found
        path = self.derivation_path(customer, chain)
        key = derive_key(self.root_of(customer), path, chain.curve)
        wallet = Wallet(
            id=self.new_object_id(),
            chain=chain,
            address=self.address(key.public_key, chain),
            public_key=key.public_key.hex(),
            path=path,
            created_at=self.now(),
            name=names.get("name"),
            ref_id=names.get("refId"),
        )
        customer.wallets.append(wallet)
        return wallet

    def root_of(self, customer: Customer) -> bytes:
        """The seed of a customer's keys: one for all its wallets (Provisioning Customer Wallets)."""
        return customer.root

    def derivation_path(self, customer: Customer, chain: Chain) -> str:
        """The path of a key: BIP-44 with the customer's account index (Provisioning Customer Wallets)."""
        index = self.address_index(customer, chain)
        end = f"0'/{index}'" if chain.curve is Curve.ED25519 else f"0/{index}"
        return f"m/44'/{chain.coin_type}'/{self.account_index(customer, chain)}'/{end}"

    def account_index(self, customer: Customer, chain: Chain) -> int:
        """The account in a path: that of the customer on every chain (Provisioning Customer Wallets)."""
        return customer.account

    def address_index(self, customer: Customer, chain: Chain) -> int:
        """The end of a path: 0, as a customer has one wallet on a chain."""
        return 0

    def address(self, public_key: bytes, chain: Chain) -> str:
        """The address of a key (Cryptography, and each chain's own standard)."""
        return chain.address(public_key)

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        """A wallet as the API shows it (clients)."""
        return {
            "id": wallet.id,
            "blockchain": wallet.chain.name,
            "address": wallet.address,
            "publicKey": wallet.public_key,
            "customer": customer.id,
            "state": "active",
            "createdAt": self.time(wallet.created_at),
            **({"name": wallet.name} if wallet.name is not None else {}),
            **({"refId": wallet.ref_id} if wallet.ref_id is not None else {}),
            **({"derivationPath": wallet.path} if self.shows_derivation_path() else {}),
        }

    def shows_derivation_path(self) -> bool:
        """Whether a wallet shows the path of its key. Silent: no."""
        return False
