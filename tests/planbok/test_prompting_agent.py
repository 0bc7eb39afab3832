"""A person is told what to do at a hosted page, and waited for until it is done."""

from datetime import timedelta

import pytest

from conformance.clock import FrozenClock
from conformance.planbok.prompting_agent import PromptingAgent
from conformance.scenario import NeedError

URL = "https://gateway.planbok.io/challenges/one"


class Person:
    """Ends a challenge after some looks; keeps what was told."""

    def __init__(self, looks: int) -> None:
        self.looks = looks
        self.told: list[str] = []
        self.clock = FrozenClock()
        self.agent = PromptingAgent(self.told.append, self.has_ended, self.clock)

    def has_ended(self, url: str) -> bool:
        assert url == URL
        self.looks -= 1
        return self.looks < 0


def test_it_is_told_which_pin_to_type_and_gone_on_when_the_challenge_ends() -> None:
    person = Person(looks=40)
    began = person.clock.now()
    page = person.agent.authorize(URL, "482913")
    assert person.told == [
        f"Open {URL} and enter the PIN 482913. There are 15 minutes.",
        f"14 min left to enter the PIN 482913 at {URL}.",
    ]
    assert person.clock.now() - began == timedelta(seconds=80)
    assert page.form is None


def test_whoever_does_nothing_leaves_it_unjudged() -> None:
    with pytest.raises(NeedError, match="nobody did in 15 minutes what was asked"):
        Person(looks=10_000).agent.set_up(URL, "482913", ("Elm", "Ash"))


def test_what_the_person_sees_is_seen_by_nobody_else() -> None:
    with pytest.raises(NeedError, match="--pin-agent http or --pin-agent browser"):
        Person(looks=0).agent.open(URL)


def test_each_task_says_what_to_do() -> None:
    person = Person(looks=-1)
    person.agent.set_up(URL, "1", ("a", "b"))
    person.agent.set_recovery(URL, "1", ("a", "b"))
    person.agent.change_pin(URL, "1", "2")
    person.agent.reset_pin(URL, ("a", "b"), "2")
    person.agent.cancel(URL)
    assert [told.removeprefix(f"Open {URL} and ").partition(". There")[0] for told in person.told] == [
        "choose the PIN 1, then the answers a and b",
        "enter the PIN 1, then choose the answers a and b",
        "enter the PIN 1, and choose 2 as the new one",
        "give the answers a and b, and choose the PIN 2",
        "press cancel",
    ]
