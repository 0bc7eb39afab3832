"""What a receiver is sent: cases of one or more deliveries, in the order in which they are sent."""

import json
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice, zip_longest

from conformance.exchange import Headers
from conformance.ids import Ids
from conformance.receivers.receiving import Receiving
from conformance.sandbox.messages import to_json
from conformance.standards.spellings import EscapedJson, SpacedJson

CUSTOMERS = ("Zoë Ωmega 漢字 🦊", "in order", "in another order", "first of all")
"""What the first customers are called whose events are sent."""

ENOUGH = 90
"""How many events of further customers are sent at most."""

LARGE = 1024 * 1024
"""Bytes of the large event."""

_PADDING = b'"padding":""'
_PIECES = 8
_AT_ONCE, _BURST = 8, 40


class Want(StrEnum):
    """What a delivery is to be answered with."""

    TAKEN = "2xx"
    REFUSED = "4xx"


@dataclass(frozen=True)
class Post:
    """One delivery.

    Args:
        body: The body.
        headers: Its headers, from the time at which it is sent.
        pieces: In how many pieces, with a pause before each, the body is sent.
    """

    body: bytes
    headers: Callable[[datetime], Headers]
    pieces: int = 1


@dataclass(frozen=True)
class Case:
    """Deliveries that show one thing of a receiver.

    Args:
        name: What is sent, in a few words.
        posts: The deliveries.
        want: What each is to be answered with.
        rule: The last part of the id of the rule that wants it so; empty if what judges clients says it.
        hint: What a receiver that does otherwise probably does, and what to do.
        at_once: How many are under way at a time.
        events: How many events it is to process at most.
        repeats: Whether it shows that what comes twice counts once.
        again: Whether what is refused is sent once more after the others, as the API does.
        as_many_as: The case of which as much must be processed as of this one; empty if there is none.
    """

    name: str
    posts: Sequence[Post]
    want: Want
    rule: str
    hint: str
    at_once: int = 1
    events: int = 1
    repeats: bool = False
    again: bool = False
    as_many_as: str = ""


class Stock:
    """Events that were not sent yet, of kinds that the receiver takes; at last those that were, with new ids.

    Args:
        receiving: What knows the API's events.
        events: The events.
        ids: Where new ids come from.
    """

    def __init__(self, receiving: Receiving, events: Iterable[bytes], ids: Ids) -> None:
        self.taken: set[str] = set()
        """The labels of those that the receiver takes."""
        self._receiving = receiving
        self._events = deque((receiving.label(body), body) for body in events)
        self._given: deque[bytes] = deque()
        self._ids = ids

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """The next event of a kind that is taken: as long as there are some, of the usual one."""
        there = [each for each in self._events if each[0] in self.taken]
        usual = (each for each in there if each[0].startswith(self._receiving.usual))
        found = next(usual, there[0] if there else None)
        if found is not None:
            self._events.remove(found)
            body = found[1]
        else:
            body = self._receiving.renewed(self._given.popleft(), str(self._ids.uuid()))
        self._given.append(body)
        return body


class Cases:
    """The cases of one check.

    Args:
        receiving: What knows the API's events.
        customers: The events of each customer, in order: those of `CUSTOMERS`, and further ones.
        secret: What deliveries are signed with, None where there is no scheme.
        ids: What is drawn from that must not be foreseen.
    """

    def __init__(
        self, receiving: Receiving, customers: Sequence[Sequence[bytes]], secret: str | None, ids: Ids
    ) -> None:
        self._receiving = receiving
        self._secret = secret
        self._ids = ids
        foreign, self._in_order, self._reversed, first, *others = customers
        self._foreign = next((body for body in foreign if not body.isascii()), foreign[0])
        self._first = self._one_of_each(first)
        rest = [body for body in first if body not in self._first.values()]
        by_turns = (body for events in zip_longest(*others) for body in events if body is not None)
        rest += by_turns  # so that what is under way at once is not about one customer
        self.stock = Stock(receiving, rest, ids.child("stock"))

    @property
    def kinds(self) -> Collection[str]:
        """What each of the good ones is called."""
        return self._first

    def good(self) -> Iterator[Case]:
        """One event of each kind; what is taken of these decides what the others are made of."""
        for label, body in self._first.items():
            yield self._taken(label, [body], "takes-events", "It has to answer 2xx to a right event.")

    def forged(self) -> Iterator[Case]:
        """What is not to be believed, and then a right one; none where nothing is signed."""
        if self._secret is None:
            return
        for forgery in self._receiving.forgeries(self.stock, self._secret, self._ids):
            posts = [Post(forgery.body, forgery.headers)]
            yield Case(forgery.name, posts, Want.REFUSED, forgery.rule, forgery.hint, events=0)
        hint = "After the forged ones it refuses a right one too, so that of what follows nothing can be told."
        yield self._taken("a right one after these", [next(self.stock)], "takes-events", hint)

    def forms(self) -> Iterator[Case]:
        """Right events in unusual forms."""
        form = "takes-any-form"
        hint = "Does it verify or store the body written again, or decoded otherwise than as UTF-8?"
        yield self._taken("letters of many scripts", [self._foreign], form, hint)
        hint = "Does it verify the body written again instead of the bytes that came? Verify before anything parses it."
        for name, spelling in (("JSON with blanks, turned", SpacedJson()), ("JSON with escapes", EscapedJson())):
            yield self._taken(name, [spelling.json(json.loads(next(self.stock)))], form, hint)
        hint = "Does it wait for the whole body, as long as its Content-Length says?"
        yield self._taken("body in pieces", [next(self.stock)], "takes-events", hint, pieces=_PIECES)
        hint = "Which limit stops it? Many frameworks have one of 100 kB."
        large = to_json({**json.loads(next(self.stock)), "padding": ""})
        large = large.replace(_PADDING, _PADDING[:-1] + b"x" * (LARGE - len(large)) + b'"')
        yield self._taken("body of 1 MiB", [large], "takes-large-events", hint)
        hint = "It refuses a kind that it does not know: answer 2xx and do nothing, or each new kind is sent for hours."
        unknown = self._receiving.of_unknown_kind(next(self.stock))
        yield self._taken("an unknown kind", [unknown], "takes-unknown-events", hint)

    def repeated(self) -> Iterator[Case]:
        """What comes twice, and what comes in another order."""
        hint = "Remember the ids of events, and answer 2xx to one that was taken before without doing it again."
        yield self._taken("the same event twice", [next(self.stock)] * 2, "", hint, events=1, repeats=True)
        ordered, turned = self._taken_of(self._in_order), self._taken_of(self._reversed)
        hint = "It has to answer 2xx to a right event."
        in_order = self._taken("a customer in order", ordered, "takes-events", hint)
        yield in_order
        hint = "Take an event of what you do not know yet, and keep what is newer: events overtake each other."
        like = in_order.name if self._receiving.any_order else ""
        yield self._taken("a customer in another order", turned[::-1], "", hint, again=True, as_many_as=like)

    def crowded(self) -> Iterator[Case]:
        """What comes at the same time."""
        hint = "Can it serve several requests at a time?"
        several = list(islice(self.stock, _AT_ONCE))
        yield self._taken(f"{len(several)} events at once", several, "takes-events", hint, at_once=_AT_ONCE)
        hint = (
            "It looks whether it knows an event before it notes it: do both in one step, as by a unique key of the "
            "database."
        )
        same = [next(self.stock)] * _AT_ONCE
        yield self._taken(
            f"one event {_AT_ONCE} times at once", same, "", hint, at_once=_AT_ONCE, events=1, repeats=True
        )
        burst = list(islice(self.stock, _BURST))
        hint = "Answer first, and do what takes long afterwards."
        yield self._taken(f"a burst of {len(burst)}", burst, "takes-events", hint, at_once=_AT_ONCE)

    def _taken(
        self,
        name: str,
        bodies: Sequence[bytes],
        rule: str,
        hint: str,
        *,
        pieces: int = 1,
        at_once: int = 1,
        events: int | None = None,
        repeats: bool = False,
        again: bool = False,
        as_many_as: str = "",
    ) -> Case:
        posts = [self._right(body, pieces) for body in bodies]
        return Case(name, posts, Want.TAKEN, rule, hint, at_once, events or len(posts), repeats, again, as_many_as)

    def _right(self, body: bytes, pieces: int) -> Post:
        return Post(body, lambda at: self._receiving.headers(body, self._secret, at), pieces)

    def _taken_of(self, events: Iterable[bytes]) -> list[bytes]:
        """The first event of each label that the receiver takes, in order."""
        return [body for label, body in self._one_of_each(events).items() if label in self.stock.taken]

    def _one_of_each(self, events: Iterable[bytes]) -> dict[str, bytes]:
        """The first event of each label, in order."""
        found: dict[str, bytes] = {}
        for body in events:
            found.setdefault(self._receiving.label(body), body)
        return found
