"""The rules for lists, above all of wallets: pages, the filter by customers, wallets that stay as they were."""

from collections import Counter
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

from conformance.findings import Finding
from conformance.planbok.checks.agreement import agreement
from conformance.planbok.checks.answers import COUNT, SAYS, Answer, joined
from conformance.planbok.checks.overview import History, Overview
from conformance.planbok.messages import filtered_customers

_FILTERS = {"blockchain", "address", "refId"}
"""The properties of a wallet that a list can be filtered by (beta)."""
_USUAL_LIMIT = 10
"""How many entries a page has unless the request says otherwise (API Reference, Wallet Sets)."""


def page_limit(answer: Answer) -> Iterator[Finding]:
    """Judge whether a page has at most as many entries as was asked for, each once."""
    limit = dict(parse_qsl(answer.exchange.request.query)).get("limit", "")
    if not isinstance(answer.data, list) or not COUNT.fullmatch(limit):
        return
    names = Counter(
        f"{entry['id']} {entry.get('blockchain', '')}".strip()
        for entry in answer.data
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    )
    twice = [name for name, times in names.items() if times > 1]
    yield SAYS.judged(
        "list.pages-complete",
        len(answer.data) <= int(limit) and not twice,
        "response /data",
        f"no more than {limit} entries, each once",
        f"{len(answer.data)} entries{f', {twice[0]} more than once' if twice else ''}",
        answer.exchange,
    )


def wallets_of_others(answer: Answer) -> Iterator[Finding]:
    """Judge whether a list filtered by customers shows wallets of theirs alone.

    The filter by one customer is documented; that a comma joins several, only a client shows.
    """
    if answer.foreign is None:
        return
    customers = set(filtered_customers(answer.exchange.request) or ())
    alone = len(customers) == 1
    for shown in answer.foreign:
        yield SAYS.judged(
            "list.only-theirs" if alone else "list.several-customers",
            False,
            shown.where,
            f"a wallet of {joined(customers)}",
            f"{shown}, which is another customer's",
            answer.exchange,
        )
    if alone and not answer.foreign:
        yield SAYS.judged(
            "list.only-theirs", True, "response /data", f"wallets of {joined(customers)}", "so", answer.exchange
        )


def filtered_as_asked(answer: Answer) -> Iterator[Finding]:
    """Judge whether a list filtered by a property of wallets shows those with it alone; letters of addresses fold."""
    query = dict(parse_qsl(answer.exchange.request.query))
    for name in _FILTERS & query.keys():
        fold = str.casefold if name == "address" else str
        for number, entry in enumerate(answer.data):
            shown = entry.get(name) if isinstance(entry, dict) else None
            if isinstance(shown, str):
                yield SAYS.judged(
                    "list.filtered-as-asked",
                    fold(shown) == fold(query[name]),
                    f"response /data/{number}/{name}",
                    f"{query[name]}, as the list is filtered by",
                    shown,
                    answer.exchange,
                )


def wallets_stay(answer: Answer, history: History) -> Iterator[Finding]:
    """Judge whether the wallets that were listed before are listed still, as they were, by a filter written alike.

    That one is missing can be said only of a list that is all on its first page.
    """
    exchange = answer.exchange
    parts = exchange.request.query.split("&")
    selection = frozenset(part for part in parts if part.partition("=")[0] not in {"page", "limit", "order"})
    earlier = history.lists[exchange.identity, selection]
    now = {shown.name: shown for shown in answer.wallets if shown.name}
    places = {shown.place for shown in answer.wallets}
    nameless = {shown.place for shown in answer.wallets if not shown.name}
    complete = _is_complete(answer, dict(parse_qsl(exchange.request.query, keep_blank_values=True)))
    same = [old for old in earlier.values() if old.name in now or old.place in (nameless if old.name else places)]
    changed = [old for old in same if old.name in now and now[old.name].place != old.place]
    missing = [old for old in earlier.values() if old not in same] if complete else []
    renamed = [old for old in missing if old.place in places]
    lost = [old for old in missing if old not in renamed]
    if same or missing:
        yield SAYS.judged(
            "list.wallet-ids-stay",
            not renamed,
            "response /data",
            "the ids that were listed before",
            ", ".join(f"{old} under another id" for old in renamed) or "so",
            exchange,
        )
        yield SAYS.judged(
            "list.wallets-stay",
            not changed and not lost,
            "response /data",
            "the wallets that were listed before, as they were",
            ", ".join([f"{old} changed" for old in changed] + [f"{old} missing" for old in lost]) or "so",
            exchange,
        )
    for shown in answer.wallets:
        earlier.setdefault(shown.name or shown.place, shown)
        history.listed[exchange.identity, shown.wallet.id].add(shown.place)


def _is_complete(answer: Answer, query: Mapping[str, str]) -> bool:
    """Whether a list shows so little on its first page that there can be no second one."""
    limit = query.get("limit", str(_USUAL_LIMIT))
    return (
        query.get("page", "1") == "1"
        and bool(COUNT.fullmatch(limit))
        and len(answer.data) < min(int(limit), _USUAL_LIMIT)
        and len(answer.data) == len(answer.wallets)
    )


def agreement_with_results(answer: Answer, overview: Overview) -> Iterator[Finding]:
    """Judge whether the wallets of a list are those in the results of challenges."""
    for shown in answer.wallets:
        yield from agreement("list.agrees-with-result", shown, overview.results, overview, answer.exchange)


def single_wallet(answer: Answer, history: History) -> Iterator[Finding]:
    """Judge a read of a single wallet by the lists before it."""
    exchange = answer.exchange
    places = history.listed.get((exchange.identity, answer.call.wallet))
    if places is None or exchange.breaks:
        return
    expected = " or ".join(f"{address} on {chain}" for chain, address in sorted(places))
    if exchange.response.status == HTTPStatus.NOT_FOUND:
        yield SAYS.judged(
            "list.wallet-readable", False, "response status", f"2xx with {expected}", exchange.response.status, exchange
        )
    for shown in answer.wallets:
        yield SAYS.judged("list.wallet-readable", shown.place in places, shown.where, expected, shown, exchange)
