"""What schemathesis' own command catches of the faults and mutations, beside the suite: same machine, same sandbox.

Of each both are asked whether they see it, against a sandbox of its own that serves from this process:

- ``conformance run``, once: caught as ``conformance faults check`` says it, if of the rules that it breaks one of the
  strongest basis is broken or read otherwise than in the sandbox as it is;
- ``st run`` with the same description, its default checks, two identities that must not see each other's objects, and
  ``schemathesis_hooks.py``, which signs: caught if it reports a failure of an operation, or an error, that the run with
  that seed and so many examples does not report of the sandbox as it is. It goes on after a failure, for it has some of
  the sandbox as it is: a refusal of what no document forbids.

A run of ``st`` takes one to seven minutes of one core, ten of them for each fault: all take days. ``--faults N`` and
``--mutations N`` take N of them, spread evenly over the list, and the answer says which. ``--workers N`` keeps so many
cores busy with ``st``; the suite always runs by itself. Prints JSON; a line for each run goes to standard error.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

from conformance.api import Api, named
from conformance.catalogue import Catalogue
from conformance.clock import SystemClock, stopwatch
from conformance.matrix.judgement import judge
from conformance.matrix.observation import observe_server
from conformance.matrix.trials import Trial, trials
from conformance.matrix.verdicts import Verdicts, combine
from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.planbok.messages import KEY_HEADER
from conformance.sandbox.control import PREFIX
from conformance.sandbox.faults import UnknownFaultError
from conformance.sandbox.server import RunningSandbox, SandboxApp
from conformance.sandbox.world import Worlds
from conformance.verdicts import Verdict

FOLDER = Path(__file__).parent
SUCCESSES = range(200, 300)
ALARMS = (Verdict.FAIL, Verdict.WARN)
USUAL = 0
"""Stands for the number of examples that schemathesis generates unless it is told another."""

Failures = frozenset[str]
"""What schemathesis reports: the kind and the operation of each failure, the title of each error."""


class CountingApp(SandboxApp):
    """A sandbox that counts the requests to its APIs, and those that succeed."""

    requests = 0
    accepted = 0

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection scope of ASGI."""

        async def counting(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start" and message["status"] in SUCCESSES:
                self.accepted += 1
            await send(message)

        counts = scope["type"] == "http" and not scope["path"].startswith(PREFIX)
        self.requests += counts
        await super().__call__(scope, receive, counting if counts else send)

    def cost(self, seconds: float) -> dict[str, float]:
        """What it took to find out about it."""
        return {"seconds": round(seconds, 1), "requests": self.requests, "accepted": self.accepted}


def sandbox(api: Api, fault: str | None) -> tuple[CountingApp, RunningSandbox]:
    """A sandbox of one API, with a fault or none."""
    app = CountingApp(Worlds([api], "beside", [fault] if fault else [], beyond_loopback=False))
    return app, RunningSandbox(app, "127.0.0.1", 0)


def header(api: Api, base_url: str, credentials: Mapping[str, str]) -> tuple[str, str]:
    """The header that names an identity, and its value; a token that nobody issued if the API gives none."""
    if api.name != "offblocks":
        return KEY_HEADER, credentials["api_key"]
    with Client(base_url, Credentials.from_settings(credentials)) as client:
        try:
            return "Authorization", client.authorization()
        except ApiError:
            return "Authorization", f"Bearer {credentials['api_key']}"


def write_identities(folder: Path, headers: Mapping[str, tuple[str, str]]) -> None:
    """Have schemathesis, which is run in a folder, know identities that must not see each other's objects.

    Its check ``object_level_authorization`` runs from version 4.31 on, and only with two or more.
    """
    users = [{"name": name, "fixedHeaders": [{"name": of, "value": value}]} for name, (of, value) in headers.items()]
    (folder / "auth.json").write_text(json.dumps({"auth": users}), encoding="utf-8")
    config = f'[auth.wfc]\npath = "auth.json"\npeers = {json.dumps(list(headers))}\n'
    (folder / "schemathesis.toml").write_text(config, encoding="utf-8")


def suite(api: Api, fault: str | None) -> tuple[Verdicts, dict[str, float]]:
    """What ``conformance run`` finds, and what it cost."""
    app, running = sandbox(api, fault)
    with running:
        observation = observe_server(api, running.origin)
    return observation.verdicts, app.cost(observation.seconds)


def schemathesis(api: Api, fault: str | None, seed: int, examples: int) -> tuple[Failures, dict[str, float]]:
    """What ``st run`` reports, and what it cost.

    Raises:
        SystemExit: If it reported nothing, or did not get through the sandbox as it is; the message is what it said
            instead.
    """
    app, running = sandbox(api, fault)
    with running, TemporaryDirectory() as folder:
        base_url, report = f"{running.origin}/{api.name}", Path(folder, "report.json")
        with urlopen(f"{running.origin}{PREFIX}") as answer:  # noqa: S310  (the sandbox that was just started)
            tenants = json.load(answer)["tenants"]
        identities = {name: tenant[api.name] for name, tenant in tenants.items()}
        headers = {name: header(api, base_url, credentials) for name, credentials in identities.items()}
        environment = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
            "PYTHONPATH": os.pathsep.join([str(FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]),
            "CONFORMANCE_API": api.name,
            "CONFORMANCE_BASE_URL": base_url,
            "CONFORMANCE_CREDENTIALS": json.dumps({headers[name][1]: given for name, given in identities.items()}),
        }
        write_identities(Path(folder), headers)
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(api.specification), "--url", base_url]
        command += ["--seed", str(seed), "--report", "json", "--report-json-path", str(report), "--continue-on-failure"]
        command += [] if examples == USUAL else ["--max-examples", str(examples)]
        began = stopwatch()
        done = subprocess.run(  # noqa: S603  (the command above)
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        seconds = stopwatch() - began
        if not report.exists():
            raise SystemExit(f"st run wrote no report:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        said = json.loads(report.read_bytes())
    errors = [f"error: {error['title']}" for error in said["errors"]]
    if not said["complete"]:
        errors.append(f"stopped: {said['stop_reason']}")
    if errors and fault is None:
        raise SystemExit(f"st run did not get through: {'; '.join(errors)}")
    failures = [f"{each['type']}: {operation}" for each in said["failures"] for operation in each["operations"]]
    return frozenset([*failures, *errors]), app.cost(seconds)


def spread(chosen: Sequence[Trial], number: int) -> list[Trial]:
    """So many of them, spread evenly over the list; all of them if there are no more."""
    return [chosen[place * len(chosen) // number] for place in range(number)] if number < len(chosen) else list(chosen)


def measure(
    faulty: Sequence[Trial], seeds: int, examples: Sequence[int], workers: int = 1, *, beside: bool = True
) -> dict[str, Any]:
    """Have both look for each fault and mutation, and at the sandbox as it is: ``unchanged``.

    Args:
        faulty: Faults and mutations.
        seeds: How many runs of schemathesis, a seed each.
        examples: How many examples at most, each number with all the seeds; 0 for what is usual.
        workers: How many runs of schemathesis at a time.
        beside: Whether the suite looks too.
    """
    apis = {name: named(name) for name in dict.fromkeys(trial.api for trial in faulty)}
    sandboxes: list[tuple[Api, str | None]] = [(api, None) for api in apis.values()]
    sandboxes += [(apis[trial.api], trial.name) for trial in faulty]
    runs = [(seed, number) for number in examples for seed in range(1, seeds + 1)]
    ours = {}
    for api, name in sandboxes if beside else ():
        ours[api, name] = suite(api, name)
        _say(f"{name or api.name}: suite", ours[api, name][1])

    def theirs(asked: tuple[Api, str | None, int, int]) -> tuple[Failures, dict[str, float]]:
        found, cost = schemathesis(*asked)
        _say(f"{asked[1] or asked[0].name}: seed {asked[2]}, examples {asked[3] or 'default'}", cost)
        return found, cost

    asked = [(*each, *settings) for each in sandboxes for settings in runs]
    with ThreadPoolExecutor(workers) as pool:
        found = dict(zip(asked, pool.map(theirs, asked), strict=True))
    rows = []
    for trial in faulty:
        api = apis[trial.api]
        row: dict[str, Any] = {"name": trial.name, "api": trial.api, "breaks": list(trial.breaks)}
        if beside:
            (right, _), (wrong, cost) = ours[api, None], ours[api, trial.name]
            row["suite"] = {"caught": judge(trial.breaks, wrong, right, Catalogue.load(api.rules)).caught, **cost}
        row["schemathesis"] = []
        for seed, number in runs:
            failures, spent = found[api, trial.name, seed, number]
            new = sorted(failures - found[api, None, seed, number][0])
            settings = {"seed": seed, "examples": number or "default"}
            row["schemathesis"].append({**settings, "caught": bool(new), "new": new, **spent})
        rows.append((trial.section, row))
    unchanged = {
        name: {
            "suite": _alarms(ours[api, None][0]) if beside else [],
            "schemathesis": sorted(frozenset().union(*(found[api, None, *settings][0] for settings in runs))),
        }
        for name, api in apis.items()
    }
    sections = {section: [row for of, row in rows if of == section] for section in dict.fromkeys(of for of, _ in rows)}
    return {
        "date": SystemClock().now().isoformat(timespec="seconds"),
        "versions": {name: version(name) for name in ("schemathesis", "hypothesis", "wallet-conformance")},
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "seeds": seeds,
        "workers": workers,
        "unchanged": unchanged,
        **sections,
        "summary": {section: _summary(of_section) for section, of_section in sections.items()},
    }


def _alarms(found: Verdicts) -> list[str]:
    return sorted(rule for rule, verdict in combine(found).items() if verdict.plain in ALARMS)


def _say(what: str, cost: dict[str, float]) -> None:
    print(
        f"{what}: {cost['seconds']:.0f} s, {cost['requests']:.0f} requests, {cost['accepted']:.0f} accepted",
        file=sys.stderr,
        flush=True,
    )


def _summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What was caught, seconds and requests: of the suite's one run, and of schemathesis by number of examples."""
    summary: dict[str, Any] = {}
    ours = [row["suite"] for row in rows if "suite" in row]
    if ours:
        summary["suite"] = {
            "caught": sum(each["caught"] for each in ours),
            "seconds": round(sum(each["seconds"] for each in ours), 1),
            "requests": sum(each["requests"] for each in ours),
        }
    for examples in dict.fromkeys(each["examples"] for row in rows for each in row["schemathesis"]):
        chosen = [[each for each in row["schemathesis"] if each["examples"] == examples] for row in rows]
        summary[f"schemathesis, {examples} examples"] = {
            "caught with every seed": sum(all(each["caught"] for each in runs) for runs in chosen),
            "caught with any seed": sum(any(each["caught"] for each in runs) for runs in chosen),
            "seconds": round(sum(each["seconds"] for runs in chosen for each in runs), 1),
            "requests": sum(each["requests"] for runs in chosen for each in runs),
        }
    return {"tried": len(rows), **summary}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Args:
        arguments: The command line's, None for the process's own.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these; * matches any text")
    parser.add_argument("--faults", type=int, metavar="N", help="only N of the faults, spread evenly over the list")
    parser.add_argument("--mutations", type=int, metavar="N", help="only N of the mutations, likewise")
    parser.add_argument("--seeds", type=int, default=5, help="how many runs of schemathesis each (default 5)")
    parser.add_argument(
        "--examples", type=int, nargs="+", default=[USUAL, 500], help="how many examples, 0 for its default (0 500)"
    )
    parser.add_argument("--workers", type=int, default=1, help="how many runs of schemathesis at a time (default 1)")
    parser.add_argument("--without-suite", action="store_true", help="only schemathesis: the matrix has the rest")
    options = parser.parse_args(arguments)
    try:
        known = trials(options.names)
    except UnknownFaultError as error:
        parser.error(str(error))
    faulty = []
    for section, number in (("faults", options.faults), ("mutations", options.mutations)):
        chosen = [trial for trial in known if trial.section == section]
        faulty += chosen if number is None else spread(chosen, number)
    if not faulty:
        parser.error("None of these is a fault or a mutation; list them with: conformance faults")
    found = measure(faulty, options.seeds, options.examples, options.workers, beside=not options.without_suite)
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
