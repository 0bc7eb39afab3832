"""Runs the suite live against two servers that were written from the vendors' pages alone, on stacks of their own.

As they are, and with what the documents leave open chosen once more otherwise, neither may raise an alarm; with one of
the mistakes that they can make, each must. Prints a line for each run, writes all as JSON, and exits 1 if one went
wrong. ``--only PATTERN`` runs those whose name matches.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from origin import FOLDER, origin  # type: ignore[import-not-found]  # it lies beside this script

sys.path.insert(0, str(FOLDER.parent))  # the servers lie beside the tests

from tests.servers import offblocks_backend, planbok_backend
from tests.servers.command import free_port
from tests.servers.offblocks_server import OffBlocksServer
from tests.servers.planbok_server import PlanbokServer

FORMAT = "conformance-servers/1"
ALARMS = {"fail", "warn", "error", "blocked"}
OTHERWISE = {
    "offblocks": offblocks_backend.Choices(
        errors="empty",
        signature_status=401,
        mismatch_status=422,
        unique="pair",
        key_scope="operation",
        signed_challenge=200,
        unknown_members="ignored",
        raw_signatures=True,
        high_s=True,
        challenge_extras=False,
        statement=True,
        normalised_account=False,
        upper_ids=True,
        offset_times=False,
        extra_members=False,
        list_form="array",
        wrong_method_status=405,
        settling=0.0,
        duplicate_events=False,
    ),
    "planbok": planbok_backend.Choices(
        created_status=201,
        missing_key_status=401,
        invalid_status=400,
        foreign_status=404,
        bad_id_status=404,
        errors="flat",
        recovery_gate="api",
        challenge_id="both",
        absent="left out",
        result_form="array",
        result_wallet_id="id",
        owner="object",
        checksum=True,
        again="next",
        duplicates="once",
        unknown_filter_status=200,
        same_ref_status=400,
        intermediate=None,
        expired="missing",
        working=0.0,
        events_per="wallet",
        pin_fields="single",
        decline_first=False,
        escaped_slashes=False,
        chunked=False,
    ),
}
JUDGED_BY: Mapping[str, Mapping[str, Sequence[str]]] = {
    "offblocks": {
        "unknown_key_accepted": ["signature.*"],
        "digest_not_compared": ["digest.*"],
        "duplicate_created": ["customer.*"],
        "replay_executed": ["idempotency.*"],
        "mismatch_replayed": ["idempotency.*"],
        "challenge_kept": ["challenge.*"],
        "any_wallet": ["signing.*"],
        "signed_again": ["signing.*"],
        "expires_at_millis": ["authentication.*", "response.matches-schema"],
        "challenge_base64url": ["challenge.*"],
        "chain_id_fixed": ["challenge.*"],
        "challenge_drawn_anew": ["challenge.*"],
        "key_not_required": ["idempotency.*"],
        "event_without_id": ["webhook.*"],
        "no_retry": ["webhook.*"],
    },
    "planbok": {
        "no_recovery_gate": ["gate.*"],
        "any_pin": ["page.*"],
        "any_account_type": ["challenge.*"],
        "first_chain_only": ["result.*"],
        "derived_before_pin": ["page.*", "result.*"],
        "filter_ignored": ["list.*"],
        "result_missing": ["result.*"],
        "list_differs": ["list.*"],
        "event_not_signed_raw": ["webhook.*"],
        "no_event": ["webhook.*"],
        "any_key": ["key.*"],
        "restricted_writes": ["key.*"],
        "foreign_challenge": ["challenge.*"],
        "no_return": ["page.*"],
        "own_address_returned": ["challenge.*"],
        "completed_twice": ["page.*"],
        "root_per_chain": ["address.*"],
        "verified_at_once": ["page.*", "challenge.*"],
    },
}
"""The rules by which each mistake is looked for, without the API's name."""


class Server(Protocol):
    """What both servers have."""

    def settings(self) -> dict[str, str]:
        """What a run has to be told to reach it."""


@dataclass(frozen=True)
class Trial:
    """One run: its name, the API, what the server chooses, its mistake if it has one, and the rules to judge."""

    name: str
    api: str
    choices: Any
    wrong: str = ""
    rules: Sequence[str] = ()

    def server(self) -> AbstractContextManager[Server]:
        """The server."""
        wrongs, url = frozenset({self.wrong} - {""}), f"http://127.0.0.1:{free_port()}/events"
        if self.api == "offblocks":
            return OffBlocksServer(self.choices, wrongs, webhook_url=url)
        return PlanbokServer(self.choices, wrongs, webhook_url=url)


def trials() -> list[Trial]:
    """All runs."""
    found = []
    usual = {"offblocks": offblocks_backend.Choices(), "planbok": planbok_backend.Choices()}
    for api, choices in usual.items():
        found += [
            Trial(f"{api}, as it is", api, choices),
            Trial(f"{api}, otherwise", api, OTHERWISE[api]),
            *(
                Trial(f"{api}, wrong: {name}", api, choices, name, [f"{api}.{rule}" for rule in rules])
                for name, rules in JUDGED_BY[api].items()
            ),
        ]
    return found


def run(trial: Trial, workers: str) -> dict[str, Any]:
    """What the run found."""
    with trial.server() as server, TemporaryDirectory() as place:
        rules = [word for rule in trial.rules for word in ("--rule", rule)]
        command = [sys.executable, "-c", "from conformance.cli import main; main()", "run", trial.api]
        options = ["--target", "live", "--pin-agent", "http", "--report", "out", "--workers", workers, *rules]
        subprocess.run(  # noqa: S603  (this suite)
            [*command, *options],
            cwd=place,
            env={"PATH": "", "PYTHONPATH": ":".join(sys.path), **server.settings()},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        results = json.loads((Path(place) / "out" / "results.json").read_bytes())
    alarms = {rule["id"]: rule["verdict"] for rule in results["rules"] if rule["verdict"] in ALARMS}
    judged = sum(count for verdict, count in results["summary"].items() if verdict in {"pass", "note", *ALARMS})
    caught = any(verdict in {"fail", "warn"} for verdict in alarms.values())
    return {
        "name": trial.name,
        "judged": judged,
        "alarms": alarms,
        "seconds": results["duration_s"],
        "right": caught if trial.wrong else not alarms,
    }


def main() -> int:
    """Run the trials; 1 if one went wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="", metavar="PATTERN")
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--output", type=Path, default=FOLDER / "servers.json")
    options = parser.parse_args()
    made = origin()
    found = []
    for trial in trials():
        if not re.search(options.only, trial.name):
            continue
        found.append(run(trial, options.workers))
        told = ", ".join(found[-1]["alarms"]) or "no alarm"
        print(f"{'right' if found[-1]['right'] else 'WRONG'}  {trial.name}: {told}", flush=True)
    wrong = [each["name"] for each in found if not each["right"]]
    written = {"format": FORMAT, **made, "runs": found, "wrong": wrong}
    options.output.write_text(json.dumps(written, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
