"""`conformance pin` does at a hosted page what a person does there."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from conformance.cli import app
from conformance.sandbox.remote import Control, World

RETURN_URL = "https://our.app/return"


@pytest.fixture
def world(control: Control, request: pytest.FixtureRequest) -> Iterator[World]:
    with World(control, request.node.name) as world:
        yield world


@pytest.fixture
def page(world: World) -> str:
    """The page of a customer who has a PIN and is to set up recovery."""
    made = world.customer("planbok", "pin-set", redirectUrl=RETURN_URL)
    return str(made["challenges"][0]["redirectUrl"])


@pytest.fixture
def pin() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(app, ["pin", *arguments])


def test_pin_and_answers_bring_the_person_back(pin: Callable[..., Result], page: str) -> None:
    done = pin(page, "--pin", "482913", "--answer", "a", "--answer", "b")
    assert done.exit_code == 0
    assert done.output.startswith(f"Sent back to {RETURN_URL}?challengeId=")
    assert done.output.endswith("&status=verified\n")
    over = pin(page, "--pin", "482913")
    assert over.exit_code == 0
    assert over.output.startswith("The page says: ")


@pytest.mark.parametrize(
    ("given", "said"), [(("--pin", "111111"), "Wrong PIN."), (("--pin", "482913"), "It still asks for something.")]
)
def test_a_page_that_is_not_satisfied_is_quoted(
    pin: Callable[..., Result], page: str, given: tuple[str, ...], said: str
) -> None:
    done = pin(page, *given)
    assert done.exit_code == 1
    assert said in done.output


def test_a_person_can_cancel(pin: Callable[..., Result], page: str) -> None:
    done = pin(page, "--cancel")
    assert done.exit_code == 0
    assert done.output.endswith("&status=failed\n")


def test_a_page_that_is_over_is_told_as_one(pin: Callable[..., Result], world: World, page: str) -> None:
    world.advance(timedelta(minutes=16))
    done = pin(page, "--pin", "482913")
    assert done.exit_code == 1
    assert "expired" in done.output


def test_a_page_that_is_not_there_is_told(pin: Callable[..., Result], page: str) -> None:
    done = pin(f"{page}0", "--pin", "482913")
    assert done.exit_code == 1
    assert "There is no such page." in done.output


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9/challenges/x", "The page at 127.0.0.1 does not answer"),
        ("nowhere", "A page cannot be opened at what is no absolute URL of http or https: it has no scheme"),
        ("http://[::1", "A page cannot be opened at what is no absolute URL of http or https"),
    ],
)
def test_what_is_no_page_is_told(pin: Callable[..., Result], url: str, said: str) -> None:
    done = pin(url, "--pin", "482913")
    assert done.exit_code == 2
    assert said in done.output


@pytest.mark.parametrize("given", [(), ("--cancel", "--pin", "482913")])
def test_it_must_be_clear_what_the_person_does(pin: Callable[..., Result], page: str, given: tuple[str, ...]) -> None:
    done = pin(page, *given)
    assert done.exit_code == 2
    assert "Give --pin, --answer or both, or else --cancel alone." in done.output
