"""The rules for challenges that answers show: how one is issued, where it is read, how success is called."""

from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

from conformance.exchange import Exchange
from conformance.findings import Finding
from conformance.planbok.checks.answers import SAYS, Answer, shown_challenges, subject_of
from conformance.planbok.checks.overview import History, IssuedChallenge, Overview
from conformance.planbok.messages import Challenge, challenge_in, intent_of, issued_challenge, members_of


def new_challenge(answer: Answer, history: History) -> Iterator[Finding]:
    """Judge the answer to a request for a challenge, and add it to the history."""
    exchange = answer.exchange
    pointer, challenge = issued_challenge(exchange)
    named = challenge.named if challenge else ()
    yield SAYS.read(
        "challenge.identifier",
        "challenge-id" if "challengeId" in named else "plain-id" if named else None,
        f"response {pointer}",
        "challengeId or id",
        " and ".join(named) or "neither",
        exchange,
    )
    url = challenge.redirect_url if challenge else None
    page, own = _web_page(url or ""), members_of(exchange.request).get("redirectUrl")
    yield SAYS.judged(
        "challenge.answered",
        page is not None and not (isinstance(own, str) and _web_page(own) == page),
        f"response {pointer}/redirectUrl",
        "an absolute http or https URL, and not the caller's own page",
        url,
        exchange,
    )
    if challenge is None:
        return
    intent = intent_of(exchange)
    if challenge.status is not None and intent not in {earlier.intent for earlier in history.challenges}:
        yield SAYS.judged(
            "challenge.starts-pending",
            challenge.status == "pending",
            f"response {pointer}/status",
            "pending",
            challenge.status,
            exchange,
        )
    issued = IssuedChallenge(intent, subject_of(answer), challenge)
    if history.challenges:
        yield from _unique(issued, pointer, exchange, history)
    history.challenges.append(issued)


def _web_page(url: str) -> tuple[str, str, str] | None:
    """Scheme, authority and path of a web page; None if `url` is not the absolute URL of one."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    return (parts.scheme, parts.netloc.lower(), parts.path or "/") if usable else None


def _unique(issued: IssuedChallenge, pointer: str, exchange: Exchange, history: History) -> Iterator[Finding]:
    """A request may be given the challenge of one that asked for the same; any other gets a new page and a new id."""
    challenge = issued.challenge
    name = challenge.named[0] if challenge.named else "id"
    for rule, member, attribute in (
        ("challenge.ids-differ", name, "id"),
        ("challenge.unique", "redirectUrl", "redirect_url"),
    ):
        value = getattr(challenge, attribute)
        if value is not None:
            first = next((other for other in history.challenges if getattr(other.challenge, attribute) == value), None)
            yield SAYS.judged(
                rule,
                first is None or issued.is_the_same_as(first),
                f"response {pointer}/{member}",
                "one that no other challenge has",
                value,
                exchange,
            )


def under_its_customer(answer: Answer, overview: Overview) -> Iterator[Finding]:
    """Judge a read of a challenge under a customer that it was not issued for."""
    issue = overview.observer.issue(answer.call.challenge)
    if issue is None or issue.customer == answer.call.customer:
        return
    shown, status = challenge_in(answer.data) is not None, answer.exchange.response.status
    refused = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if shown or (refused and status != HTTPStatus.TOO_MANY_REQUESTS):
        yield SAYS.judged(
            "challenge.under-its-customer-only",
            not shown,
            "response status",
            f"a refusal, since the challenge is of the customer {issue.customer}",
            status,
            answer.exchange,
        )


def filtered_by_status(answer: Answer) -> Iterator[Finding]:
    """Judge whether a list that is filtered by a status shows challenges with that status alone."""
    wanted = dict(parse_qsl(answer.exchange.request.query)).get("status")
    for pointer, challenge in shown_challenges(answer) if wanted else ():
        if challenge.status is not None:
            yield SAYS.judged(
                "challenge.filtered-by-status",
                challenge.status == wanted,
                f"response {pointer}/status",
                f"{wanted}, as the list is filtered by",
                challenge.status,
                answer.exchange,
            )


def success_word(challenge: Challenge, pointer: str, exchange: Exchange) -> Finding:
    """Judge by which word a challenge that succeeded says so."""
    return SAYS.read(
        "challenge.success-word",
        challenge.status,
        f"response {pointer}/status",
        "verified, completed or successful",
        challenge.status,
        exchange,
    )
