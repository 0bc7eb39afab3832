"""Alters recorded cassettes, one place at a time, and counts which alterations a replay notices.

An alteration counts if it breaks a match or a rule, by something else than the suite:

- *a match*: the method, path, query, body or Idempotency-Key of a recorded request differs from what the client sends,
  and there is no second request like it in the cassette whose answer could serve; a replay sends nothing for tests
  that generate their requests, so theirs are not altered;
- *a client rule*: a request that keeps all rules is sent with another signature, another digest or without its
  credentials, so that it is not the recorded one any more (its signature itself is never compared);
- *a schema*: a member of a successful answer is dropped, null or of another type, and jsonschema-rs says that the
  answer no longer fits ``specs/<api>/openapi.yaml``; what still fits is not counted;
- *a claim that the catalogue prints*, each in a function below that names its rules: a status of 500 or one that the
  reference does not list, a lost media type, an ``externalId`` or ``chainId`` that is not the caller's, another first
  state, a challenge of another version, chain or with a short nonce, a token for a day, content after a signature,
  ``success`` that contradicts the status, an address that does not follow from the key beside it.

An alteration is noticed if a rule of its test is fail, warn, blocked or error where it was not before, inferred rules
counting as their level says, or a contradicted rule shows another reading; an inferred ``may`` that is a note says
nothing. Exits 1 if less than 99 % are noticed, and prints each that was not.
"""

import argparse
import base64
import copy
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import httpx
import jsonschema_rs
import yaml
from origin import origin  # type: ignore[import-not-found]  # it lies beside this script

from conformance.api import Api, registered
from conformance.clock import stopwatch
from conformance.ids import Ids
from conformance.recording.journal import JournalTransport
from conformance.run import Options, run
from conformance.verdicts import Verdict

FOLDER = Path(__file__).parent
FORMAT = "conformance-alterations/1"
NEEDED = 0.99
CREATED = 201
OK = 200
NO_CONTENT = 204
REFUSAL = 400
SERVER_ERROR = 500
UNLISTED = 299
A_DAY = 86_400
ALARMS = {Verdict.ERROR, Verdict.FAIL, Verdict.WARN, Verdict.BLOCKED}

Recorded = dict[str, Any]
"""One interaction of a cassette, as YAML has it."""


@dataclass(frozen=True)
class Alteration:
    """One place of a cassette, and how it is altered.

    Args:
        test: The id of the test.
        number: The number of the exchange in its cassette, from 0.
        kind: What is altered.
        where: Which place, and how.
        record: Alters the recorded interaction; None if the client is altered instead.
        send: Alters a request as it is sent; None if the cassette is altered instead.
    """

    test: str
    number: int
    kind: str
    where: str
    record: Callable[[Recorded], None] | None = None
    send: Callable[[httpx.Request], None] | None = None


@dataclass(frozen=True)
class Seen:
    """What a replay says of one rule in one test."""

    verdicts: frozenset[Verdict]
    readings: frozenset[str | None]


Judgement = Mapping[str, Mapping[str, Seen]]
"""What is seen, by the id of the test and of the rule."""


# ----------------------------------------------------------------------------------------------- what the client sends


def _has_other(text: str) -> bool:
    """Whether there is a letter or a digit in its second half, which `_other` can change."""
    return any(sign.isalnum() for sign in text[len(text) // 2 :])


def _other(text: str) -> str:
    """The text with the first letter or digit of its second half changed to another one of its kind."""
    place = len(text) // 2
    while not text[place].isalnum():
        place += 1
    sign = text[place]
    changed = ("b" if sign == "a" else "a") if sign.isalpha() else ("2" if sign == "1" else "1")
    return text[:place] + changed + text[place + 1 :]


def _sent(recorded: Recorded) -> str:
    """What tells a recorded request from others: all but signature, digest and credentials."""
    request = recorded["request"]
    keys = {name: values for name, values in request["headers"].items() if name.lower() == "idempotency-key"}
    return repr((request["method"], request["uri"], request["body"], keys, recorded["breaks"]))


def requests(test: str, number: int, recorded: Recorded) -> Iterator[Alteration]:
    """The alterations of a recorded request: it is another one then, so that what is sent has no match."""
    request = recorded["request"]

    def setting(name: str, value: Any) -> Callable[[Recorded], None]:
        return lambda entry: entry["request"].__setitem__(name, value)

    method, uri, body = request["method"], request["uri"], request["body"]
    path, mark, query = uri.partition("?")
    yield Alteration(test, number, "method", method, setting("method", "PUT" if method == "POST" else "POST"))
    yield Alteration(test, number, "path", path, setting("uri", f"{path}x{mark}{query}"))
    yield Alteration(
        test, number, "query", query, setting("uri", f"{path}?{query}&page=9" if mark else f"{path}?page=9")
    )
    if isinstance(body, str) and _has_other(body):
        yield Alteration(test, number, "body", body[:60], setting("body", _other(body)))
    for name, values in request["headers"].items():
        if name.lower() == "idempotency-key":

            def rekey(entry: Recorded, name: str = name, values: Sequence[str] = tuple(values)) -> None:
                entry["request"]["headers"][name] = [_other(value) for value in values]

            yield Alteration(test, number, "key", values[0], rekey)


def signatures(test: str, number: int, recorded: Recorded) -> Iterator[Alteration]:
    """The alterations of a request as it is sent: it breaks a client rule then that the recorded one kept."""
    names = {name.lower() for name in recorded["request"]["headers"]}
    if recorded["breaks"] or recorded["operation"] is None:
        return

    def altering(name: str, change: Callable[[str], str]) -> Callable[[httpx.Request], None]:
        return lambda request: request.headers.__setitem__(name, change(request.headers[name]))

    def dropping(name: str) -> Callable[[httpx.Request], None]:
        return lambda request: request.headers.__delitem__(name)

    if "signature" in names:
        yield Alteration(test, number, "signature", "a character", send=altering("Signature", _other))
        yield Alteration(test, number, "signature", "none", send=dropping("Signature"))
        older = altering("Signature-Input", lambda value: value.replace("created=1", "created=2", 1))
        yield Alteration(test, number, "signature", "created", send=older)
        fewer = altering("Signature-Input", lambda value: value.replace('"@method" ', "", 1))
        yield Alteration(test, number, "signature", "a component less", send=fewer)
    if "content-digest" in names:
        yield Alteration(test, number, "digest", "a character", send=altering("Content-Digest", _other))
    for name in names & {"authorization", "planbok-x-api-key"}:
        yield Alteration(test, number, "credentials", f"no {name}", send=dropping(name))


# -------------------------------------------------------------------------------------------------------- what answers


class Schemas:
    """The schemas of the answers of one API, compiled by jsonschema-rs from its description as it stands."""

    def __init__(self, api: Api) -> None:
        self._document = yaml.load(api.specification.read_bytes(), Loader=yaml.CSafeLoader)
        self._validators: dict[str, Any] = {}
        self._responses = {
            operation["operationId"]: (f"/paths/{path.replace('~', '~0').replace('/', '~1')}/{method}", operation)
            for path, operations in self._document["paths"].items()
            for method, operation in operations.items()
            if isinstance(operation, dict) and "operationId" in operation
        }

    def lists(self, operation: str, status: int) -> bool:
        """Whether the description lists a status, or all, for an operation."""
        _, found = self._responses[operation]
        return bool({str(status), f"{status // 100}XX", "default"} & found["responses"].keys())

    def refuses(self, operation: str, status: int, value: Any) -> bool:
        """Whether a value does not fit the schema of an answer; False where there is no schema."""
        pointer, found = self._responses[operation]
        key = next((key for key in (str(status), f"{status // 100}XX", "default") if key in found["responses"]), None)
        if key is None or "application/json" not in found["responses"][key].get("content", {}):
            return False
        place = f"{pointer}/responses/{key}/content/application~1json/schema"
        if place not in self._validators:
            document = {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": f"#{quote(place)}",
                **self._document,
            }
            self._validators[place] = jsonschema_rs.validator_for(document, validate_formats=True)
        return not self._validators[place].is_valid(value)


def _places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The members in a parsed body, each with its path."""
    items: Sequence[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for name, member in items:
        yield (*path, name), member
        yield from _places(member, (*path, name))


def _with(value: Any, path: Sequence[str | int], change: Callable[[Any, str | int], None]) -> Any:
    """A parsed body in which `change` was done to what holds the member at `path`, a copy as far as it differs."""
    changed = copy.copy(value)
    holder = changed
    for name in path[:-1]:
        holder[name] = copy.copy(holder[name])
        holder = holder[name]
    change(holder, path[-1])
    return changed


def _set(new: Any) -> Callable[[Any, str | int], None]:
    return lambda holder, name: holder.__setitem__(name, new)


def _drop(holder: Any, name: str | int) -> None:
    del holder[name]


def _answering(body: Any) -> Callable[[Recorded], None]:
    return lambda entry: entry["response"]["body"].__setitem__("string", json.dumps(body))


def _parsed(recorded: Recorded) -> Any:
    """The parsed body of an answer, None if it is no JSON."""
    with suppress(ValueError, TypeError):
        return json.loads(recorded["response"]["body"]["string"])
    return None


def fields(test: str, number: int, recorded: Recorded, schemas: Schemas) -> Iterator[Alteration]:
    """The alterations of members after which an answer does not fit its schema any more."""
    operation, status, body = recorded["operation"], recorded["response"]["status"]["code"], _parsed(recorded)
    if operation is None or not OK <= status < OK + 100 or body is None or schemas.refuses(operation, status, body):
        return
    for path, member in _places(body):
        changes = {"null": _set(None), "another type": _set(["x"] if not isinstance(member, list) else 7)}
        if isinstance(path[-1], str):
            changes["dropped"] = _drop
        for how, change in changes.items():
            changed = _with(body, path, change)
            if schemas.refuses(operation, status, changed):
                where = f"/{'/'.join(map(str, path))} {how}"
                yield Alteration(test, number, "response field", where, _answering(changed))


def statuses(test: str, number: int, recorded: Recorded, schemas: Schemas) -> Iterator[Alteration]:
    """The alterations of a status that no rule allows: 500 anywhere, and what OffBlocks' reference does not list."""
    operation = recorded["operation"]

    def setting(status: int) -> Callable[[Recorded], None]:
        return lambda entry: entry["response"]["status"].__setitem__("code", status)

    if operation is None or recorded["response"]["status"]["code"] >= SERVER_ERROR:
        return
    yield Alteration(test, number, "status", "500", setting(SERVER_ERROR))
    if not schemas.lists(operation, UNLISTED):
        yield Alteration(test, number, "status", str(UNLISTED), setting(UNLISTED))


def media_types(test: str, number: int, recorded: Recorded) -> Iterator[Alteration]:
    """The alterations of the media type of a successful answer that is JSON."""
    status = recorded["response"]["status"]["code"]
    if recorded["operation"] is None or not OK <= status < OK + 100 or _parsed(recorded) is None:
        return
    for how, value in (("dropped", None), ("text/html", "text/html")):

        def change(entry: Recorded, value: str | None = value) -> None:
            headers = entry["response"]["headers"]
            for name in [name for name in headers if name.lower() == "content-type"]:
                del headers[name]
            if value is not None:
                headers["content-type"] = [value]

        yield Alteration(test, number, "response header", f"Content-Type {how}", change)


# ------------------------------------------------------------------------------------- claims that the catalogue prints

Claim = Callable[[Recorded, Any], Iterator[tuple[str, Any]]]
"""Gives, for a recorded exchange and its parsed answer, places with the whole answer as it breaks the claim."""


def _echo(recorded: Recorded, body: Any) -> Iterator[tuple[str, Any]]:
    """offblocks.customer.echoes-chain-id, echoes-external-id and starts-initiating."""
    if recorded["response"]["status"]["code"] != CREATED or recorded["breaks"]:
        return
    asked = json.loads(recorded["request"]["body"])
    for name in ("chainId", "externalId"):
        if body[name] == asked[name] and _has_other(asked[name]):
            yield f"/{name} another", {**body, name: _other(body[name])}
    yield "/status verifying", {**body, "status": "verifying"}


def _message(recorded: Recorded, body: Any) -> Iterator[tuple[str, Any]]:
    """offblocks.challenge.version-is-1, chain-id, nonce, grammar and standard-base64."""
    if not isinstance(body, dict) or "challenge" not in body or recorded["response"]["status"]["code"] >= REFUSAL:
        return
    text = base64.b64decode(body["challenge"]).decode()
    nonce = text.partition("Nonce: ")[2].partition("\n")[0]
    for how, changed in (
        ("version", text.replace("Version: 1", "Version: 2")),
        ("chain", text.replace("Chain ID: ", "Chain ID: 9")),
        ("nonce", text.replace(nonce, nonce[:6])),
        ("a line more", f"{text}\nAnd: so on"),
    ):
        yield f"/challenge {how}", {**body, "challenge": base64.b64encode(changed.encode()).decode()}
    yield "/challenge no base64", {**body, "challenge": f"{body['challenge'][:-8]}!{body['challenge'][-8:]}"}


def _token(recorded: Recorded, body: Any) -> Iterator[tuple[str, Any]]:
    """offblocks.authentication.token-lives-an-hour."""
    if recorded["response"]["status"]["code"] == OK:
        yield "/expiresAt a day later", {**body, "expiresAt": body["expiresAt"] + A_DAY}


def _success(recorded: Recorded, body: Any) -> Iterator[tuple[str, Any]]:
    """planbok.response.success-agrees."""
    del recorded
    if isinstance(body, dict) and isinstance(body.get("success"), bool):
        yield "/success", {**body, "success": not body["success"]}


def _addresses(recorded: Recorded, body: Any) -> Iterator[tuple[str, Any]]:
    """planbok.address.follows-from-public-key, and the form of each chain."""
    del recorded
    for path, member in _places(body):
        if isinstance(member, dict) and {"address", "publicKey", "blockchain"} <= member.keys():
            changed = _with(body, (*path, "address"), _set(_other(member["address"])))
            yield f"/{'/'.join(map(str, path))}/address", changed


CLAIMS: Mapping[str, Sequence[Claim]] = {
    "createToken": (_token,),
    "createCustomer": (_echo, _message),
    "getChallenge": (_message,),
}
"""The claims about the answers of one operation of OffBlocks."""


def claims(test: str, number: int, recorded: Recorded) -> Iterator[Alteration]:
    """The alterations after which an answer breaks a claim that the catalogue prints."""
    operation, body = recorded["operation"], _parsed(recorded)
    if operation is None:
        return
    if operation == "signChallenge" and recorded["response"]["status"]["code"] == NO_CONTENT:
        yield Alteration(test, number, "response field", "a body after 204", _answering({"signed": True}))
    if body is None:
        return
    chosen = CLAIMS.get(operation, ()) if test.startswith("offblocks/") else (_success, _addresses)
    for claim in chosen:
        for where, changed in claim(recorded, body):
            yield Alteration(test, number, "response field", where, _answering(changed))


# ------------------------------------------------------------------------------------------------------------- replays


def judged(folder: Path) -> Judgement:
    """What a replay of the cassettes in a folder says."""
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    results = run(Options(target="replay", cassettes=folder, strict=True))
    for rule in results["rules"]:
        for finding in rule["findings"]:
            found[finding["test"]][rule["id"]].append(finding)
    return {
        test: {
            rule: Seen(
                frozenset(Verdict(each["verdict"]) for each in findings),
                frozenset(each["reading"] for each in findings),
            )
            for rule, findings in rules.items()
        }
        for test, rules in found.items()
    }


def is_noticed(before: Mapping[str, Seen], now: Mapping[str, Seen]) -> bool:
    """Whether a test raises an alarm that it did not raise before, or shows another reading of a rule."""
    nothing = Seen(frozenset(), frozenset())
    return any(
        (seen.verdicts - before.get(rule, nothing).verdicts) & ALARMS
        or (rule in before and seen.readings != before[rule].readings)
        for rule, seen in now.items()
    )


def _is_unplayable(rules: Mapping[str, Seen]) -> bool:
    return any(seen.verdicts & {Verdict.BLOCKED, Verdict.ERROR} for seen in rules.values())


class Cassettes:
    """The cassettes of some APIs, and what can be altered in them.

    Args:
        apis: The APIs.
        seed: What the order of the alterations comes from.
        match: A text that the path of a cassette must hold; empty for all.
    """

    def __init__(self, apis: Sequence[Api], seed: str, match: str = "") -> None:
        self._apis = apis
        self._raw: dict[str, tuple[Path, dict[str, Any]]] = {}
        self._left: dict[str, list[Alteration]] = {}
        self._altered: dict[Path, set[str]] = {}
        for api in apis:
            schemas = Schemas(api)
            for path in sorted(api.cassettes.glob("*/*.yaml")):
                if match in str(path):
                    raw = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
                    test = raw["test"]
                    self._raw[test] = Path(api.name, path.relative_to(api.cassettes)), raw
                    order = Ids("alterations", seed, test)
                    drawn = [(order.draw(8), each) for each in _all(test, raw["interactions"], schemas)]
                    self._left[test] = [each for _, each in sorted(drawn, key=lambda pair: pair[0])]

    def __len__(self) -> int:
        return sum(map(len, self._left.values()))

    def draw(self) -> dict[str, Alteration]:
        """The next alteration of each cassette that has one left, by the id of the test."""
        return {test: left.pop() for test, left in self._left.items() if left}

    def write(self, folder: Path, chosen: Mapping[str, Alteration]) -> None:
        """Write the cassettes with these alterations; those that a folder has as they are, are not written again."""
        for api in self._apis:
            if not (folder / api.name).exists():
                copytree(api.cassettes, folder / api.name)
        before = self._altered.get(folder, set())
        now = {test for test, alteration in chosen.items() if alteration.record is not None}
        for test in sorted(before | now):
            path, raw = self._raw[test]
            altered, alteration = raw, chosen.get(test)
            if alteration is not None and alteration.record is not None:
                altered = {**raw, "interactions": [*raw["interactions"]]}
                entry = copy.deepcopy(raw["interactions"][alteration.number])
                alteration.record(entry)
                altered["interactions"][alteration.number] = entry
            text = yaml.dump(altered, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000)
            (folder / path).write_text(text, encoding="utf-8")
        self._altered[folder] = now

    @contextmanager
    def sending(self, chosen: Mapping[str, Alteration]) -> Iterator[set[str]]:
        """While the context lasts, requests are sent with these alterations; gives the tests in which that was done."""
        right, sent, done = JournalTransport.handle_request, Counter[str](), set[str]()

        def handle_request(transport: JournalTransport, request: httpx.Request) -> httpx.Response:
            test = transport._journal.test  # noqa: SLF001  (what a client sends is altered on its way out)
            alteration, number = chosen.get(test), sent[test]
            sent[test] += 1
            if alteration is not None and alteration.send is not None and alteration.number == number:
                request.read()
                with suppress(KeyError):
                    alteration.send(request)
                    done.add(test)
            return right(transport, request)

        with patch.object(JournalTransport, "handle_request", handle_request):
            yield done


def _all(test: str, interactions: Sequence[Recorded], schemas: Schemas) -> Iterator[Alteration]:
    twins = Counter(_sent(recorded) for recorded in interactions)
    sent = not any("generated" in recorded for recorded in interactions)
    for number, recorded in enumerate(interactions):
        if "generated" not in recorded:
            if sent and twins[_sent(recorded)] == 1:
                yield from requests(test, number, recorded)
            if sent:
                yield from signatures(test, number, recorded)
            yield from fields(test, number, recorded, schemas)
            yield from statuses(test, number, recorded, schemas)
            yield from media_types(test, number, recorded)
            yield from claims(test, number, recorded)


def measure(apis: Sequence[Api], rounds: int, seed: str, match: str = "") -> dict[str, Any]:
    """Alter each cassette once a round, and replay all of them.

    Args:
        apis: The APIs.
        rounds: How many replays at most; it ends when nothing is left to alter.
        seed: What the order of the alterations comes from.
        match: A text that the path of a cassette must hold; empty for all.

    Returns:
        How many alterations were made and noticed, by kind, those that were not noticed, and the tests that cannot be
        replayed even as they are recorded, whose alterations are not counted.
    """
    began = stopwatch()
    cassettes = Cassettes(apis, seed, match)
    possible = len(cassettes)
    made, noticed = Counter[str](), Counter[str]()
    missed: list[dict[str, Any]] = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        cassettes.write(folder, {})
        before = judged(folder)
        unplayable = sorted(test for test, rules in before.items() if _is_unplayable(rules))
        for _ in range(rounds):
            chosen = cassettes.draw()
            if not chosen:
                break
            cassettes.write(folder, chosen)
            with cassettes.sending(chosen) as sent:
                now = judged(folder)
            for test, alteration in chosen.items():
                if test in unplayable or (alteration.send is not None and test not in sent):
                    continue
                made[alteration.kind] += 1
                if is_noticed(before.get(test, {}), now.get(test, {})):
                    noticed[alteration.kind] += 1
                else:
                    missed.append({"exchange": f"{test}#{alteration.number + 1}", "what": alteration.where})
    return {
        "seed": seed,
        "seconds": round(stopwatch() - began, 1),
        "possible": possible,
        "made": made.total(),
        "noticed": noticed.total(),
        "kinds": {kind: {"made": made[kind], "noticed": noticed[kind]} for kind in sorted(made)},
        "missed": missed,
        "unplayable": unplayable,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Alter, print, write; 1 if less than 99 % of the alterations are noticed or a cassette is stale, else 0.

    Args:
        arguments: The command line's, None for the process's own.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=60, help="how many replays, each cassette altered once in each")
    parser.add_argument("--seed", default="1", help="what the order of the alterations comes from (default 1)")
    parser.add_argument("--match", default="", help="only cassettes whose path holds this")
    parser.add_argument("--output", type=Path, default=FOLDER / "alterations.json", help="the file to write")
    options = parser.parse_args(arguments)
    apis = [api for api in registered().values() if api.sandbox]
    found = {"format": FORMAT, **origin(), **measure(apis, options.rounds, options.seed, options.match)}
    options.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    for kind, counts in found["kinds"].items():
        print(f"{kind:<20}{counts['noticed']:>8} of {counts['made']}")
    for miss in found["missed"]:
        print(f"not noticed: {miss['exchange']}, {miss['what']}")
    if found["unplayable"]:
        print(f"not replayable, record them again: {', '.join(found['unplayable'])}")
    share = found["noticed"] / found["made"] if found["made"] else 0
    print(f"{found['noticed']} of {found['made']} alterations noticed, {share:.2%}, in {found['seconds']} s")
    return 0 if share >= NEEDED and not found["unplayable"] else 1


if __name__ == "__main__":
    sys.exit(main())
