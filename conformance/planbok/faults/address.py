"""What can be wrong, or otherwise than the sandbox has it, with addresses and what is shown beside them."""

import hashlib
from collections import Counter
from functools import cached_property
from typing import Any

from coincurve import PublicKey

from conformance.planbok.chains import Chain
from conformance.planbok.sandbox import Challenge, Customer, Planbok, Task, Wallet
from conformance.sandbox.faults import Fault, Variation
from conformance.standards.addresses import Family, Kind, address_of, encode_base58
from conformance.standards.hd_keys import Curve, derive_key


class ShortensEvmAddresses(Fault, Planbok):
    """Leaves the last digit of an EVM address out."""

    breaks = ("planbok.address.evm-form",)

    def address(self, public_key: bytes, chain: Chain) -> str:
        address = super().address(public_key, chain)
        return address[:-1] if chain.family is Family.EVM else address


class InvertsTheCaseOfEvmAddresses(Fault, Planbok):
    """Writes capitals of an EVM address small, and the other way round."""

    breaks = ("planbok.address.evm-checksum",)

    def address(self, public_key: bytes, chain: Chain) -> str:
        address = super().address(public_key, chain)
        return f"0x{address[2:].swapcase()}" if chain.family is Family.EVM else address


class GivesMainnetAddressesOnTestnets(Fault, Planbok):
    """Gives a Bitcoin address of the main network for the test network."""

    breaks = ("planbok.address.bitcoin-form",)

    def address(self, public_key: bytes, chain: Chain) -> str:
        return address_of(public_key, chain.family, testnet=False)


class WritesSolanaAddressesInHex(Fault, Planbok):
    """Writes a Solana address in hexadecimal."""

    breaks = ("planbok.address.solana-form",)

    def address(self, public_key: bytes, chain: Chain) -> str:
        return public_key.hex() if chain.family is Family.SOLANA else super().address(public_key, chain)


class CapitalisesNearAddresses(Fault, Planbok):
    """Writes a NEAR address in capitals."""

    breaks = ("planbok.address.near-form",)

    def address(self, public_key: bytes, chain: Chain) -> str:
        address = super().address(public_key, chain)
        return address.upper() if chain.family is Family.NEAR else address


class ShowsTheKeyOfTheAccount(Fault, Planbok):
    """Shows the public key of the account instead of that of the wallet."""

    breaks = ("planbok.address.follows-from-public-key", "planbok.address.evm-follows-from-public-key")

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        path = "/".join(wallet.path.split("/")[:4])
        key = derive_key(self.root_of(customer), path, wallet.chain.curve)
        return {**super().wallet_json(customer, wallet), "publicKey": key.public_key.hex()}


class GivesAllCustomersTheSameKeys(Fault, Planbok):
    """Derives the keys of all customers of an organization from one seed, under one account."""

    breaks = ("planbok.address.never-shared",)

    def root_of(self, customer: Customer) -> bytes:
        return self.customers_of(customer.tenant)[0].root

    def account_index(self, customer: Customer, chain: Chain) -> int:
        return 0


class GivesAllOrganizationsTheSameSeed(Fault, Planbok):
    """Derives all keys from one seed, although each organization counts its accounts by itself."""

    breaks = ("planbok.address.never-shared",)

    def root_of(self, customer: Customer) -> bytes:
        return next(iter(self.customers.values())).root


class GivesEachChainItsOwnAddress(Fault, Planbok):
    """Derives another address on every EVM chain."""

    breaks = ("planbok.address.same-on-evm-chains",)

    def address_index(self, customer: Customer, chain: Chain) -> int:
        return len(customer.wallets)


class _LaterRoots(Planbok):
    """Derives the wallets of a customer's second challenge, and of later ones, from a seed of their own."""

    def root_of(self, customer: Customer) -> bytes:
        root = super().root_of(customer)
        of_customer = (each for each in self.challenges.values() if each.customer is customer)
        earlier = sum(each.task is Task.CREATE_WALLETS for each in of_customer) - 1
        return hashlib.sha256(root + bytes([earlier])).digest() if earlier > 0 else root


class DerivesLaterWalletsFromAnotherRoot(Fault, _LaterRoots):
    """Derives the wallets of a customer's second challenge, and of later ones, from a seed of their own."""

    breaks = ("planbok.address.same-on-evm-chains",)


class ShowsPathsOfAnotherRoot(Fault, _LaterRoots):
    """Derives later wallets from a seed of their own, and shows the paths as if it were the same one."""

    breaks = ("planbok.address.same-on-evm-chains", "planbok.address.one-root")

    def shows_derivation_path(self) -> bool:
        return True


class HashesKeysOfEvmWithSha3(Fault, Planbok):
    """Takes the final SHA-3 for Keccak-256 where it makes an EVM address of a public key."""

    breaks = ("planbok.address.evm-follows-from-public-key",)

    def address(self, public_key: bytes, chain: Chain) -> str:
        if chain.family is not Family.EVM:
            return super().address(public_key, chain)
        return f"0x{hashlib.sha3_256(PublicKey(public_key).format(compressed=False)[1:]).digest()[-20:].hex()}"


class GivesEachCoinItsOwnAccount(Fault, Planbok):
    """Derives the wallets of a customer under an account for each kind of coin, and shows the paths."""

    breaks = ("planbok.address.one-account",)

    def account_index(self, customer: Customer, chain: Chain) -> int:
        return super().account_index(customer, chain) + chain.coin_type

    def shows_derivation_path(self) -> bool:
        return True


class WritesSolanaPathsItsOwnWay(Fault, Planbok):
    """Shows derivation paths, and those of Solana without the beginning that all paths have."""

    breaks = ("planbok.address.path-form",)

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        path = wallet.path.removeprefix("m/44'/") if wallet.chain.family is Family.SOLANA else wallet.path
        return {**super().wallet_json(customer, wallet), "derivationPath": path}


class ShowsDerivationPaths(Variation, Planbok):
    """Shows the derivation path of a wallet."""

    permits = "Provisioning Customer Wallets names the account index, and no document shows whether paths are given."

    def shows_derivation_path(self) -> bool:
        return True


class ShowsPathsAsExported(Variation, Planbok):
    """Shows derivation paths without marks of hardening, with the purpose 84 for Bitcoin."""

    permits = "An export of the v2 beta writes them so."

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        purpose = "84" if wallet.chain.family is Family.BITCOIN else "44"
        path = wallet.path.replace("m/44'", f"m/{purpose}").replace("'", "")
        return {**super().wallet_json(customer, wallet), "derivationPath": path}


class ShowsNoPublicKey(Variation, Planbok):
    """Shows no public key beside an address."""

    permits = "Only clients show a publicKey, no document does."

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        shown = super().wallet_json(customer, wallet)
        del shown["publicKey"]
        return shown


class WritesPublicKeysWithAPrefix(Variation, Planbok):
    """Writes public keys with ``0x`` before the digits."""

    permits = "No source shows how a publicKey is written."

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        return {**super().wallet_json(customer, wallet), "publicKey": f"0x{wallet.public_key}"}


class WritesPublicKeysUncompressed(Variation, Planbok):
    """Writes public keys of secp256k1 in 65 bytes."""

    permits = "No source shows how a publicKey is written."

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        key = bytes.fromhex(wallet.public_key)
        written = PublicKey(key).format(compressed=False) if wallet.chain.curve is Curve.SECP256K1 else key
        return {**super().wallet_json(customer, wallet), "publicKey": written.hex()}


class WritesEd25519KeysInBase58(Variation, Planbok):
    """Writes public keys of ed25519 in base58."""

    permits = "No source shows how a publicKey is written; Solana writes them so."

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        return {**super().wallet_json(customer, wallet), "publicKey": _written(wallet, "")}


class WritesEd25519KeysWithTheirCurve(Variation, Planbok):
    """Writes public keys of ed25519 in base58 after the name of the curve."""

    permits = "No source shows how a publicKey is written; NEAR writes them so."

    def wallet_json(self, customer: Customer, wallet: Wallet) -> dict[str, Any]:
        return {**super().wallet_json(customer, wallet), "publicKey": _written(wallet, "ed25519:")}


class PaysToPublicKeyHashes(Variation, Planbok):
    """Gives P2PKH addresses on Bitcoin."""

    permits = "No source says which form of Bitcoin's addresses is given."

    def address(self, public_key: bytes, chain: Chain) -> str:
        kind = Kind.P2PKH if chain.family is Family.BITCOIN else None
        return address_of(public_key, chain.family, testnet=chain.testnet, kind=kind)


class WritesEvmAddressesInLowerCase(Variation, Planbok):
    """Writes EVM addresses without a checksum."""

    permits = "Cryptography shows no checksum, and EIP-55 leaves one case to those who do not check."

    def address(self, public_key: bytes, chain: Chain) -> str:
        address = super().address(public_key, chain)
        return address.lower() if chain.family is Family.EVM else address


class NamesNearAccounts(Variation, Planbok):
    """Gives named accounts on NEAR."""

    permits = "No source says which of NEAR's accounts are given."

    def address(self, public_key: bytes, chain: Chain) -> str:
        if chain.family is not Family.NEAR:
            return super().address(public_key, chain)
        return f"c{public_key[:8].hex()}.{'testnet' if chain.testnet else 'near'}"


def _written(wallet: Wallet, prefix: str) -> str:
    """A public key of ed25519 in base58 after `prefix`, one of another curve as it is."""
    if wallet.chain.curve is not Curve.ED25519:
        return wallet.public_key
    return prefix + encode_base58(bytes.fromhex(wallet.public_key))


class DerivesFromTheCallersId(Fault, Planbok):
    """Derives the root of a customer's keys from the caller's own id, which another organization may use too."""

    breaks = ("planbok.address.never-shared",)

    def root_of(self, customer: Customer) -> bytes:
        return hashlib.sha256(customer.ref_id.encode()).digest()


class DerivesNewRootsFromNewPins(Fault, Planbok):
    """Derives wallets from another root once the PIN was replaced."""

    breaks = ("planbok.address.same-on-evm-chains",)

    @cached_property
    def replaced(self) -> Counter[str]:
        """How often each customer's PIN was replaced."""
        return Counter()

    def complete(self, challenge: Challenge) -> None:
        super().complete(challenge)
        if challenge.task in {Task.UPDATE_PIN, Task.RESET_PIN}:
            self.replaced[challenge.customer.id] += 1

    def root_of(self, customer: Customer) -> bytes:
        number = self.replaced[customer.id]
        own = super().root_of(customer)
        return hashlib.sha256(own + bytes([number])).digest() if number else own


class CountsChainsOfARequest(Fault, Planbok):
    """Takes the place of a chain in the request for the index of its address."""

    breaks = ("planbok.address.same-on-evm-chains",)

    asked: tuple[Chain, ...] = ()

    def complete(self, challenge: Challenge) -> None:
        self.asked = challenge.chains
        super().complete(challenge)

    def address_index(self, customer: Customer, chain: Chain) -> int:
        return self.asked.index(chain) if chain in self.asked else 0


class DrawsRootsFromTheTime(Fault, Planbok):
    """Draws the root shard of a customer from the second in which the customer was created."""

    breaks = ("planbok.address.never-shared", "planbok.list.only-theirs")

    def root_of(self, customer: Customer) -> bytes:
        return hashlib.sha256(customer.created_at.isoformat(timespec="seconds").encode()).digest()

    def account_index(self, customer: Customer, chain: Chain) -> int:
        return 0


class CountsAccountsWhenItDerives(Fault, Planbok):
    """Takes for a customer's account the number of customers at the time when a wallet is derived."""

    breaks = ("planbok.address.same-on-evm-chains",)

    def account_index(self, customer: Customer, chain: Chain) -> int:
        return len(self.customers_of(customer.tenant)) - 1
