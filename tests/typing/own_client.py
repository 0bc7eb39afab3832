"""What a team writes with what it may import: a program that type checkers must accept, and that runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.planbok.client import Client as PlanbokClient
from conformance.planbok.client import Credentials as PlanbokCredentials
from conformance.planbok.pin_agent import Page, PinAgent
from conformance.planbok.webhooks import Inbox, WebhookRejected
from conformance.sandbox.remote import Control, World
from conformance.sandbox.server import start
from conformance.scenario import expect, verifies
from conformance.standards.digest_fields import check_content_digest, content_digest
from conformance.standards.sign_in_message import SignInMessage, parse
from conformance.standards.wallet_signatures import Encoding, decode

RETURN_URL = "https://app.example/return"


@contextmanager
def world() -> Iterator[World]:
    """A world of a sandbox of its own."""
    with start() as sandbox:
        control = Control(sandbox.origin)
        yield World(control, "own client")
        control.close()


def prove_ownership(own: World) -> tuple[SignInMessage, Encoding]:
    """Sign the challenge of a new customer of OffBlocks, and see that an expired one is refused."""
    credentials = Credentials.from_settings(own.credentials("offblocks")["first"])
    wallet = Wallet(bytes(range(1, 33)), "eip155:300")
    with Client(own.base_urls["offblocks"], credentials, clock=own) as client:
        customer = client.create_customer(wallet.account_id, "user-1")
        challenge = client.challenge(customer.id)
        client.sign_challenge(customer.id, wallet, challenge)
        late = Wallet(bytes(range(2, 34)), "eip155:300")
        another = client.create_customer(late.account_id, "user-2")
        own.advance(timedelta(minutes=61))
        try:
            client.sign_challenge(another.id, late, another.challenge or "")
        except (ApiError, ValueError) as refusal:
            print(f"Refused: {refusal}")
    message = wallet.sign(b"any")
    check_content_digest(message, content_digest(message))
    return parse(wallet_message(challenge)), decode(hex_text(message))[1]


def wallet_message(challenge: str) -> str:
    """The text of a challenge."""
    from base64 import b64decode  # noqa: PLC0415  (shown here for the reader)

    return b64decode(challenge).decode()


def hex_text(signature: bytes) -> str:
    """A signature as OffBlocks wants it: base64 of its 0x hex text."""
    from conformance.standards.wallet_signatures import encode  # noqa: PLC0415  (shown here for the reader)

    return encode(signature, Encoding.BASE64_OF_HEX_TEXT)


def set_up(own: World) -> Page:
    """Have a person set PIN and recovery of a new customer of Planbok."""
    credentials = PlanbokCredentials.from_settings(own.credentials("planbok")["first"])
    with PlanbokClient(own.base_urls["planbok"], credentials, clock=own) as client:
        customer = client.create_customer("Ada", "user-1")
        challenge = client.initialize(customer.id, RETURN_URL)
        return PinAgent().set_up(str(challenge.redirect_url), "482913")


def receive(secret: str, headers: tuple[tuple[str, str], ...], body: bytes) -> bool:
    """Whether an event is to be trusted, and new."""
    try:
        return Inbox(secret).take(headers, body) is not None
    except WebhookRejected:
        return False


@verifies("ours.customer.created")
def test_of_a_suite_of_ours() -> None:
    """What a scenario of an API of one's own looks like to a type checker."""
    expect("ours.customer.created", True, where="response status", expected="201", got=201)


if __name__ == "__main__":
    with world() as its_own:
        print(prove_ownership(its_own))
        print(set_up(its_own).returned_to)
        print(receive("secret", (), b""))
