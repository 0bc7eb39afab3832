"""Planbok's names of blockchains, as far as public code shows them; the vendor's own list cannot be read."""

from dataclasses import dataclass
from hashlib import blake2b

from conformance.standards.addresses import Family, account_in_bech32, address_of, encode_base58
from conformance.standards.hd_keys import Curve


@dataclass(frozen=True)
class Chain:
    """A blockchain that wallets can be created on.

    Args:
        name: What Planbok calls it.
        title: What people call it.
        family: Whose addresses it has.
        testnet: Whether it is a test network.
        coin_type: Its number in SLIP-0044.
    """

    name: str
    title: str
    family: Family
    testnet: bool
    coin_type: int

    @property
    def curve(self) -> Curve:
        """The curve of its keys."""
        return Curve.SECP256K1 if self.family in {Family.EVM, Family.BITCOIN} else Curve.ED25519

    def address(self, public_key: bytes) -> str:
        """The address of a key on this chain."""
        return address_of(public_key, self.family, testnet=self.testnet)


class CosmosChain(Chain):
    """A chain of Cosmos: keys as Bitcoin's, and addresses in bech32 with a prefix of its own, the chain's name."""

    def address(self, public_key: bytes) -> str:
        """The address of a key on this chain."""
        return account_in_bech32(public_key, self.title.lower())


class PolkadotChain(Chain):
    """A chain of Polkadot: keys as Solana's, and addresses in SS58 with the prefix 0."""

    def address(self, public_key: bytes) -> str:
        """The address of a key on this chain."""
        prefix = b"\x00"
        return encode_base58(prefix + public_key + blake2b(b"SS58PRE" + prefix + public_key).digest()[:2])


CHAINS = {
    chain.name: chain
    for chain in (
        Chain("ETH", "Ethereum", Family.EVM, testnet=False, coin_type=60),
        Chain("ETH-SEPOLIA", "Ethereum Sepolia", Family.EVM, testnet=True, coin_type=60),
        Chain("BASE", "Base", Family.EVM, testnet=False, coin_type=60),
        Chain("BASE-SEPOLIA", "Base Sepolia", Family.EVM, testnet=True, coin_type=60),
        Chain("POL", "Polygon", Family.EVM, testnet=False, coin_type=60),
        Chain("POL-AMOY", "Polygon Amoy", Family.EVM, testnet=True, coin_type=60),
        Chain("ARB", "Arbitrum", Family.EVM, testnet=False, coin_type=60),
        Chain("ARB-SEPOLIA", "Arbitrum Sepolia", Family.EVM, testnet=True, coin_type=60),
        Chain("OP", "Optimism", Family.EVM, testnet=False, coin_type=60),
        Chain("OP-SEPOLIA", "Optimism Sepolia", Family.EVM, testnet=True, coin_type=60),
        Chain("BSC", "BNB Smart Chain", Family.EVM, testnet=False, coin_type=60),
        Chain("CELO", "Celo", Family.EVM, testnet=False, coin_type=60),
        Chain("SCR", "Scroll", Family.EVM, testnet=False, coin_type=60),
        Chain("CRO-EVM", "Cronos", Family.EVM, testnet=False, coin_type=60),
        Chain("BTC", "Bitcoin", Family.BITCOIN, testnet=False, coin_type=0),
        Chain("BTC-TESTNET", "Bitcoin Testnet", Family.BITCOIN, testnet=True, coin_type=1),
        Chain("SOL", "Solana", Family.SOLANA, testnet=False, coin_type=501),
        Chain("SOL-TESTNET", "Solana Testnet", Family.SOLANA, testnet=True, coin_type=501),
        Chain("NEAR", "NEAR", Family.NEAR, testnet=False, coin_type=397),
        Chain("NEAR-TESTNET", "NEAR Testnet", Family.NEAR, testnet=True, coin_type=397),
    )
}
"""Every chain whose addresses are judged, by its name."""

UNJUDGED_CHAINS = {
    chain.name: chain
    for chain in (
        CosmosChain("ATOM", "Cosmos", Family.BITCOIN, testnet=False, coin_type=118),
        CosmosChain("ATOM-TESTNET", "Cosmos", Family.BITCOIN, testnet=True, coin_type=118),
        CosmosChain("OSMO", "Osmo", Family.BITCOIN, testnet=False, coin_type=118),
        CosmosChain("JUNO", "Juno", Family.BITCOIN, testnet=False, coin_type=118),
        PolkadotChain("DOT", "Polkadot", Family.SOLANA, testnet=False, coin_type=354),
        PolkadotChain("DOT-PASEO", "Polkadot Paseo", Family.SOLANA, testnet=True, coin_type=354),
    )
}
"""Chains that a source names besides, whose addresses the suite does not judge; the family is that of their keys."""


def chain_of(name: str, family: Family) -> Chain:
    """A chain that no source names, with the addresses of a family; one with a hyphen in its name is a test network."""
    testnet = "-" in name
    coin_types = {Family.EVM: 60, Family.BITCOIN: int(testnet), Family.SOLANA: 501, Family.NEAR: 397}
    return Chain(name, name, family, testnet, coin_types[family])
