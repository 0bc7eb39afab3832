"""Faults of a user's own: module:Class where a sandbox starts, classes in one process; a request loads none."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from conformance.api import named
from conformance.cli import app
from conformance.matrix.filling import Matrix
from conformance.matrix.trials import trials
from conformance.matrix.workers import processes
from conformance.offblocks.faults.challenge import SaysVersion2
from conformance.offblocks.sandbox import OffBlocks
from conformance.sandbox.faults import Fault, UnknownFaultError
from conformance.sandbox.remote import Control, NotASandboxError, World
from conformance.sandbox.server import start

MODULE = "faults_of_our_own"
EXPIRES = "offblocks.challenge.expires-after-one-hour"
PLACE = f"{MODULE}:AcceptsLateSignatures"
SOURCE = f"""
from conformance.offblocks.sandbox import OffBlocks
from conformance.sandbox.faults import Fault, Variation

class AcceptsLateSignatures(Fault, OffBlocks):
    '''Never lets a challenge expire.'''

    breaks = ("{EXPIRES}",)

    def challenge_is_in_time(self, challenge):
        return True

class TakesAnyTime(Variation, OffBlocks):
    permits = "Nothing is said of it."

class Group:
    Inner = AcceptsLateSignatures
"""
BASES = "from conformance.offblocks.sandbox import OffBlocks\nfrom conformance.sandbox.faults import Fault, Variation\n"

Write = Callable[[str], None]


class NamesAllAlike(Fault, OffBlocks):
    """Gives every customer the same id."""

    breaks = ("offblocks.customer.id-is-a-uuid",)

    def new_customer_id(self, *_arguments: Any) -> str:
        return "123e4567-e89b-12d3-a456-426614174000"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """What writes the module of a user into the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place])

    def written(source: str) -> None:
        (tmp_path / f"{MODULE}.py").write_text(source, encoding="utf-8")

    yield written
    sys.modules.pop(MODULE, None)


def faults_of(http: httpx.Client, origin: str) -> list[str]:
    described = http.get(f"{origin}/_sandbox").json()
    return [*described["faults"], *described["variations"]]


@pytest.mark.parametrize(
    ("place", "kind", "another"),
    [
        (PLACE, "faults", "AnswersTokensWith201"),
        (f"{MODULE}:TakesAnyTime", "variations", "AcceptsHexTextOnly"),
        (f"{MODULE}:Group.Inner", "faults", "AnswersTokensWith201"),
    ],
)
def test_one_is_loaded_from_the_current_folder_and_named_by_where_it_stands(
    place: str, kind: str, another: str, write: Write, http: httpx.Client, make_world: Any
) -> None:
    write(SOURCE)
    with start(apis=[named("offblocks")], faults=[place]) as own:
        assert faults_of(http, own.origin) == [place]
        assert make_world(http, own.origin).description[kind] == [place]
        world = make_world(http, own.origin, faults=[])
        assert world.control("PUT", f"/{kind}", [place, another]).status_code == 200
        assert world.control("POST", "/reset").json()[kind] == [place, another]


def test_it_changes_what_its_world_answers(write: Write, http: httpx.Client, make_world: Any, wallet: Any) -> None:
    write(SOURCE)
    with start(apis=[named("offblocks")], faults=[PLACE]) as own:
        statuses = []
        for world in (make_world(http, own.origin), make_world(http, own.origin, faults=[])):
            client = world.client()
            customer = client.create(wallet)
            world.advance(hours=2)
            client.log_in()
            statuses.append(client.sign(customer, wallet).status_code)
    assert statuses == [204, 400]


def test_a_class_is_named_by_where_it_stands(http: httpx.Client, make_world: Any, wallet: Any) -> None:
    name = f"{NamesAllAlike.__module__}:NamesAllAlike"
    with start(apis=[named("offblocks")], faults=[NamesAllAlike]) as own:
        assert faults_of(http, own.origin) == [name]
        world = make_world(http, own.origin, faults=[name])
        assert world.client().create(wallet)["id"] == "123e4567-e89b-12d3-a456-426614174000"


def test_a_class_of_an_api_keeps_its_name(http: httpx.Client) -> None:
    with start(apis=[named("offblocks")], faults=[SaysVersion2, "SaysVersion2"]) as own:
        assert faults_of(http, own.origin) == ["SaysVersion2"]


def test_a_request_loads_no_code(write: Write, http: httpx.Client, make_world: Any) -> None:
    write(SOURCE)
    with start(apis=[named("offblocks")]) as own:
        world = make_world(http, own.origin)
        response = world.control("PUT", "/faults", [PLACE])
        made = http.post(f"{own.origin}/_sandbox/worlds", json={"seed": "a", "faults": [PLACE]})
    assert (response.status_code, made.status_code) == (400, 400)
    assert response.json()["detail"] == (
        f"This sandbox knows no {PLACE}. A fault of your own is loaded when a sandbox starts, never by a request: "
        f"conformance sandbox --fault {PLACE}"
    )
    assert MODULE not in sys.modules


def test_a_world_of_this_process_takes_a_class(http: httpx.Client) -> None:
    with start(apis=[named("offblocks")]) as own:
        control = Control(own.origin, own.add_fault)
        world = World(control, "seed")
        world.faults(NamesAllAlike, "AnswersTokensWith201")
        id_of_world = world.base_urls["offblocks"].split("/")[-2]
        faults = control.ask("GET", f"/worlds/{id_of_world}")["faults"]
        assert faults == [f"{NamesAllAlike.__module__}:NamesAllAlike", "AnswersTokensWith201"]
        with pytest.raises(UnknownFaultError, match="is no fault"):
            world.faults("pathlib:Path")
        control.close()


def test_a_sandbox_of_another_process_takes_no_class(http: httpx.Client) -> None:
    with start(apis=[named("offblocks")]) as own:
        control = Control(own.origin)
        place = f"{NamesAllAlike.__module__}:NamesAllAlike"
        with pytest.raises(NotASandboxError, match=re.escape(f"conformance sandbox --fault {place}")):
            World(control, "seed").faults(NamesAllAlike)
        control.close()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, f"There is no module {MODULE} in the current directory or among the installed packages."),
        ("", f"There is no AcceptsLateSignatures in the module {MODULE}"),
        ("AcceptsLateSignatures = 7", f"{PLACE} is no fault: its class must have one of the bases Fault and Variation"),
        ("class AcceptsLateSignatures: pass", f"{PLACE} is no fault: "),
        ("import nothing_of_this_name", f"The module {MODULE} cannot be imported: ModuleNotFoundError: "),
        ("1 / 0", f"The module {MODULE} cannot be imported: ZeroDivisionError: "),
        ("raise SystemExit(7)", f"The module {MODULE} cannot be imported: SystemExit: 7"),
        ("def", f"The module {MODULE} cannot be imported: SyntaxError: "),
        (
            f"{BASES}class AcceptsLateSignatures(Fault, OffBlocks): pass",
            "must name the rules that it breaks in a tuple",
        ),
        (f"{BASES}class AcceptsLateSignatures(Variation, OffBlocks): pass", "must say which sentence or silence"),
        (
            f"{BASES}class AcceptsLateSignatures(Fault, OffBlocks, abstract=True): pass",
            "AcceptsLateSignatures is abstract: ",
        ),
        (
            f"{BASES}class AcceptsLateSignatures(Fault): breaks = ('{EXPIRES}',)",
            "AcceptsLateSignatures changes no sandbox: its class must also have the base conformance.offblocks.sandbox",
        ),
        (
            f"{BASES}class AcceptsLateSignatures(Fault, OffBlocks): breaks = ('{EXPIRES}s',)",
            f"AcceptsLateSignatures breaks '{EXPIRES}s', and there is no such rule. Close to it: {EXPIRES}.",
        ),
        (
            f"{SOURCE}\nAcceptsLateSignatures.__init__ = lambda self, *arguments: OffBlocks.__init__(self, *arguments)",
            "AcceptsLateSignatures has an __init__ of its own. ",
        ),
    ],
)
@pytest.mark.parametrize("command", [("sandbox", "--port", "0", "--fault"), ("faults", "check")])
def test_what_cannot_be_used_is_exit_2_with_one_sentence(
    command: tuple[str, ...], source: str | None, message: str, write: Write
) -> None:
    if source is not None:
        write(source)
    done = CliRunner().invoke(app, [*command, PLACE])
    assert done.exit_code == 2, done.output
    assert done.stderr.startswith("Error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["a:", ":A", "a b:C", "../a:B", ".a:B"])
def test_what_does_not_say_where_a_class_stands_is_a_name_that_there_is_not(name: str) -> None:
    with pytest.raises(UnknownFaultError, match=re.escape(f"There is no fault or variation called {name!r}.")):
        start(apis=[named("offblocks")], faults=[name])


def test_it_is_tried_in_a_process_of_its_own(write: Write) -> None:
    write(SOURCE)
    with processes(1) as executor:
        found = Matrix(trials([PLACE]), tests=("offblocks/challenge_expiry/a_challenge_is_refused_after_the_hour",))
        found.fill(executor, lambda _: None)
    (entry,) = found.to_json()["faults"]
    assert (entry["name"], entry["title"], entry["caught_by"]) == (PLACE, "Never lets a challenge expire.", [EXPIRES])


def test_a_matrix_with_one_is_continued(write: Write) -> None:
    write(SOURCE)
    chosen = trials([PLACE, "SaysVersion2"])
    before = {**Matrix(chosen).to_json(), "faults": [{"api": "offblocks", "name": PLACE, "breaks": [EXPIRES]}]}
    assert [trial.name for trial in Matrix(chosen, before).remaining] == ["SaysVersion2"]
