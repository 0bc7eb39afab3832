"""What a real Planbok server shows of what the documents leave open, found out by GETs that change nothing."""

import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from conformance.bounds.transport import BoundedTransport
from conformance.clock import Clock, SystemClock
from conformance.exchange import Response
from conformance.parts.client import ApiError
from conformance.parts.probing import Result
from conformance.planbok.chains import CHAINS
from conformance.planbok.client import Client, Credentials
from conformance.planbok.messages import is_set_up, payload, wallets_in
from conformance.settings import LiveSettings, max_body

_UNIMPORTANT_SKEW = 2
_FEWEST_CHAINS = 2
_LIST = "/v2/customers?limit=100"
_MOST_CUSTOMERS = 20


def probe(settings: LiveSettings, clock: Clock | None = None) -> Iterator[Result]:
    """Ask the server of the first identity; five GETs.

    Args:
        settings: Where it is and how to get in.
        clock: What tells the time; None for the machine's own.
    """
    trust = ssl.create_default_context(cafile=settings.ca_file)
    credentials = Credentials.from_settings(settings.credentials["first"])
    transport = BoundedTransport(trust, max_body=max_body())
    with Client(settings.base_url, credentials, transport=transport, clock=clock or SystemClock()) as client:
        try:
            yield from _answers(client)
        except (httpx.RequestError, ApiError) as error:
            yield Result("Were all questions answered?", f"No: the server was lost: {error}", conclusive=False)


def _answers(client: Client) -> Iterator[Result]:
    question = "Is the API key accepted?"
    try:
        first = client.send("GET", _LIST)
    except (httpx.RequestError, ApiError) as error:
        yield Result(question, f"No: GET {_LIST} got no answer: {error}", "Look at the base URL.", conclusive=False)
        return
    customers = payload(_as_response(first))
    if not isinstance(customers, list):
        said = f"{first.status_code}{client.start_of(first)}"
        yield Result(question, f"No list of customers came: GET {_LIST} was answered {said}", conclusive=False)
        return
    yield Result(question, f"Yes: {first.status_code}, {len(customers)} customers on the first page of 100.")
    yield from _skew(client, first)
    yield _refusal(client)
    short = payload(_as_response(client.send("GET", "/v2/customers?limit=1")))
    kept = isinstance(short, list) and len(short) <= 1
    yield Result("Is the limit of a list kept?", "Yes." if kept else "No: a limit of 1 gave more.")
    names = [name for name in first.headers if "ratelimit" in name.lower().replace("-", "")]
    yield Result("Does it tell its rate?", f"Yes, in {', '.join(names)}." if names else "No.")
    yield from _chains(client, customers)


def _skew(client: Client, answer: httpx.Response) -> Iterator[Result]:
    try:
        date = parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except (ValueError, OverflowError):
        return
    question, seconds = "Does this machine's clock agree?", round((date - client.clock.now()).total_seconds())
    if abs(seconds) <= _UNIMPORTANT_SKEW:
        yield Result(question, "Yes, as far as the Date header tells.")
    else:
        where = "behind" if seconds > 0 else "ahead of"
        yield Result(question, f"No: this machine is {abs(seconds)} s {where} the server.", "Set this machine's clock.")


def _refusal(client: Client) -> Result:
    answers = {
        "no key": client.send("GET", _LIST, key=None).status_code,
        "a wrong key": client.send("GET", _LIST, key="nobodys-key").status_code,
    }
    return Result(
        "How is a wrong request answered?", "; ".join(f"{what}: {status}" for what, status in answers.items())
    )


def _chains(client: Client, customers: Sequence[object]) -> Iterator[Result]:
    """On which test networks wallets have been created, so that they can be again."""
    ready = [each["id"] for each in customers if isinstance(each, dict) and is_set_up(each) and "id" in each]
    yield Result("Is a customer set up already?", f"Yes: {ready[0]}." if ready else "No, none of those shown.")
    if not ready:
        return
    asked = ",".join(str(each) for each in ready[:_MOST_CUSTOMERS])
    found = wallets_in(payload(_as_response(client.send("GET", f"/v2/wallets?customerIds={asked}&limit=100"))))
    names = [name for name in CHAINS if name in {wallet.blockchain for wallet in found}]
    tests = [name for name in names if CHAINS[name].testnet]
    enough = len(tests) >= _FEWEST_CHAINS
    yield Result(
        "On which test networks have wallets been created?",
        f"{', '.join(tests)}." if tests else "None that is known.",
        f'CONFORMANCE_PLANBOK_BLOCKCHAINS="{" ".join(tests)}"' if enough else "",
    )


def _as_response(answer: httpx.Response) -> Response:
    return Response(tuple(answer.headers.multi_items()), answer.content, answer.status_code)
