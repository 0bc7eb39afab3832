"""Planbok's names of blockchains, as far as public code shows them; the vendor's own list cannot be read."""

from dataclasses import dataclass

from conformance.standards.addresses import Family
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
"""Every chain that is known, by its name."""
