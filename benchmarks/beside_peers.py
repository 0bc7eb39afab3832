"""What peers catch of ten faults: Redocly respect, Prism, Specmatic and Dredd, behind a signing proxy.

    npm install --ignore-scripts --no-package-lock --prefix benchmarks/peers
    python benchmarks/beside_peers.py > evidence/peers.json

Each peer meets each faulty sandbox, and the sandbox as it is, with the same description, in which every request has an
example (``peers/description.py``): a token, keys, customers that exist. What it sends is digested and passes the proxy
of ``conformance proxy --resign``, so that a strict server takes it. Caught is a fault if the peer reports something
that it does not report of the sandbox as it is.

- **respect** runs ``peers/<api>.arazzo.yaml``, flows that were written for it, with steps that must be refused;
- **specmatic test** and **dredd** send what the description's examples say, and compare the answers with it;
- **prism proxy** sends nothing: it looks at what respect sends and at the answers.

The suite's own column is that of the matrix, ``evidence/matrix.json``. Prints JSON; progress goes to standard error.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import httpx

from conformance.api import Api, named
from conformance.clock import SystemClock, stopwatch
from conformance.exchange import Request
from conformance.offblocks.client import ApiError, Client, Credentials
from conformance.offblocks.wallet import Wallet
from conformance.sandbox.remote import Control
from conformance.sandbox.server import start
from conformance.sandbox.threaded_server import ThreadedServer
from conformance.standards.digest_fields import content_digest
from conformance.traffic.proxy import Proxy

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.peers.description import MADE_UP, description

PEERS = Path(__file__).parent / "peers"
PROGRAMS = PEERS / "node_modules"
INSTALL = "npm install --ignore-scripts --no-package-lock --prefix benchmarks/peers"
LONGEST = 300
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
TEN = (
    "offblocks: createCustomer 201 /challenge renamed",
    "planbok: getCustomer 2XX /data/id retyped",
    "AnswersTokensWith201",
    "AcceptsMissingToken",
    "AcceptsMissingKey",
    "AcceptsAnySignature",
    "DoesRepeatsAgain",
    "AcceptsExpiredChallenge",
    "ShowsCustomersToEverybody",
    "ReadsCustomersToStrangers",
)
"""Three of the form of an answer, three of authentication, and one each of idempotency, expiry and, for each API, of
what others may see."""


@dataclass(frozen=True)
class Scene:
    """A sandbox behind a signing proxy, with what a client of it needs.

    Args:
        api: The API.
        url: The base URL at the proxy.
        inputs: What a flow is given, by name.
        bodies: An example of each body, by operation id.
        folder: Where a peer may write.
    """

    api: Api
    url: str
    inputs: Mapping[str, str]
    bodies: Mapping[str, Any]
    folder: Path

    def describe(self, openapi: str) -> Path:
        """Write the description, in a version of OpenAPI; gives the file."""
        examples = {name: self.inputs[name] for name in MADE_UP if name in self.inputs}
        text = json.dumps(description(self.api, examples, self.bodies, version=openapi))
        path = self.folder / "description.json"
        path.write_text(text, encoding="utf-8")
        return path


@contextmanager
def scene(api: Api, fault: str | None) -> Iterator[Scene]:
    """A sandbox with a fault or none, as a peer meets it."""
    with ExitStack() as stack:
        running = stack.enter_context(start(faults=[fault] if fault else [], apis=[api]))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        told = httpx.get(f"{running.origin}/_sandbox").json()
        tenants = {name: tenant[api.name] for name, tenant in told["tenants"].items()}
        base = told["base_urls"][api.name]
        proxy = Digesting(Proxy(f"http://{urlsplit(base).netloc}", lambda _: None, resign=signer(api, tenants)))
        server = stack.enter_context(ThreadedServer(proxy, "127.0.0.1", 0, lifespan=True))
        control = Control(running.origin)
        stack.callback(control.close)
        customer = control.ask("POST", f"/{api.name}/customers", {"state": "initiating"} if api.signing else {})
        inputs, bodies = of_offblocks(base, tenants, customer) if api.signing else of_planbok(tenants, customer)
        yield Scene(api, f"{server.origin}{urlsplit(base).path}", inputs, bodies, folder)


class Digesting:
    """Puts the right digest of a body where a peer sent any, before the request is signed.

    Args:
        app: What takes the request then.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one connection scope of ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        right = content_digest(body).encode()
        headers = [(name, right if name == b"content-digest" else value) for name, value in scope["headers"]]
        whole = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replayed() -> Any:
            return next(whole, None) or await receive()

        await self._app({**scope, "headers": headers}, replayed, send)


def signer(api: Api, tenants: Mapping[str, Mapping[str, str]]) -> Any:
    """What signs a request that a peer sent, with the key of the client whose key id it names."""
    signing = api.signing
    if signing is None:
        return None

    def signed(request: Request) -> Request:
        tenant = "second" if 'keyid="other"' in (request.header("Signature-Input") or "") else "first"
        return signing.signed_anew(request, tenants[tenant], {"components": COMPONENTS}, SystemClock().now())

    return signed


COMPONENTS = "@method @path @query authorization content-digest content-type idempotency-key"


def of_offblocks(
    base: str, tenants: Mapping[str, Mapping[str, str]], customer: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Any]]:
    """What a client of OffBlocks needs."""
    tokens = {}
    for name, credentials in tenants.items():
        with Client(base, Credentials.from_settings(credentials)) as client:
            try:
                tokens[name] = client.authorization().removeprefix("Bearer ")
            except ApiError:
                tokens[name] = "none"
    own = tenants["first"]
    account = Wallet(b"\x01" * 32, "eip155:300").account_id
    inputs = {
        "apiKey": own["api_key"],
        "apiSecret": own["api_secret"],
        "token": tokens["first"],
        "otherToken": tokens["second"],
        "account": account,
        "customer": customer["id"],
        "customerId": customer["id"],
    }
    (wallet,) = customer["wallets"]
    signing = Wallet(bytes.fromhex(wallet["privateKey"].removeprefix("0x")), "eip155:300")
    signed = {"challenge": customer["challenge"], "signature": signing.answer(customer["challenge"])}
    bodies = {
        "signChallenge": {"ownerId": wallet["account"], **signed},
        "createToken": {"apiKey": own["api_key"], "apiSecret": own["api_secret"]},
        "createCustomer": {"chainId": account, "externalId": "user-1"},
        "putWebhook": {"callbackUrl": "http://127.0.0.1:9/hooks"},
    }
    return inputs, bodies


def of_planbok(
    tenants: Mapping[str, Mapping[str, str]], customer: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Any]]:
    """What a client of Planbok needs."""
    inputs = {
        "apiKey": tenants["first"]["api_key"],
        "otherKey": tenants["second"]["api_key"],
        "customer": customer["id"],
        "id": customer["id"],
        "challengeId": customer["challenges"][-1]["challengeId"],
    }
    page = {"redirectUrl": "https://our.app/return"}
    bodies = {
        "createCustomer": {"name": "Anna", "refId": "user-1", "idempotencyKey": "6b2f1c1e-52a0-4a5e-9a9b-0a1e3c5d7f90"},
        "initializeCustomer": {**page, "blockchains": ["ETH"], "accountType": "eoa"},
        "createWallets": {**page, "blockchains": ["BTC"], "accountType": "eoa"},
        **dict.fromkeys(("setUpRecovery", "updatePin", "resetPin"), page),
    }
    return inputs, bodies


def run(*command: str, folder: Path, **environment: str) -> str:
    """What a program prints, into a file, since a pipe loses Dredd's last lines; nothing if it took too long."""
    output = folder / "output.txt"
    with output.open("w", encoding="utf-8") as file:
        try:
            subprocess.run(  # noqa: S603  (the programs of peers/package.json)
                command,
                cwd=folder,
                env={**os.environ, "NO_COLOR": "1", "REDOCLY_TELEMETRY": "off", **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                check=False,
                timeout=LONGEST,
            )
        except subprocess.TimeoutExpired:
            return ""
    return _COLOURS.sub("", output.read_text(encoding="utf-8"))


def respect(met: Scene, url: str | None = None) -> frozenset[str] | None:
    """The steps and checks that fail; None if it told none at all."""
    met.describe("3.1.0")
    flows = (PEERS / f"{met.api.name}.arazzo.yaml").read_text(encoding="utf-8")
    (met.folder / "flows.arazzo.yaml").write_text(flows, encoding="utf-8")
    inputs = ",".join(f"{name}={value}" for name, value in met.inputs.items())
    said = met.folder / "respect.json"
    words = ["respect", "flows.arazzo.yaml", "--input", inputs, "--server", f"{met.api.name}={url or met.url}"]
    run(str(PROGRAMS / ".bin/redocly"), *words, "--json-output", str(said), folder=met.folder)
    if not said.exists():
        return None
    return frozenset(_failed_checks(json.loads(said.read_bytes())))


def _failed_checks(told: Mapping[str, Any]) -> Iterator[str]:
    for file in told["files"].values():
        for workflow in file["executedWorkflows"]:
            for step in workflow["executedSteps"]:
                for check in step.get("checks", ()):
                    if check["status"] != "success":
                        yield f"{workflow['workflowId']}/{step['stepId']}: {check['name']}"


def prism(met: Scene) -> frozenset[str] | None:
    """The violations that Prism tells of answers, while respect sends its flows through it."""
    path = met.describe("3.1.0")
    port = free_port()
    command = [str(PROGRAMS / ".bin/prism"), "proxy", str(path), met.url, "--port", str(port)]
    log = met.folder / "prism.txt"
    with log.open("w", encoding="utf-8") as output:
        serving = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)  # noqa: S603  (as above)
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            respect(met, f"http://127.0.0.1:{port}")
        finally:
            serving.terminate()
            serving.wait()
    said = _COLOURS.sub("", log.read_text(encoding="utf-8"))
    found = re.findall(r"Violation: (response\S* .*)", said)
    return frozenset(re.sub(r"[0-9a-f]{8,}", "...", each) for each in found)


def dredd(met: Scene) -> frozenset[str] | None:
    """The transactions that fail."""
    path = met.describe("3.0.3")
    token = met.inputs.get("token")
    headers = (
        ["-h", f"Authorization: Bearer {token}"] if token else ["-h", f"PLANBOK-X-API-KEY: {met.inputs['apiKey']}"]
    )
    said = run(str(PROGRAMS / ".bin/dredd"), str(path), met.url, *headers, folder=met.folder)
    if "complete:" not in said:
        return None
    return frozenset(re.findall(r"^fail: (.*?) duration", said, re.MULTILINE))


def specmatic(met: Scene) -> frozenset[str] | None:
    """The scenarios that fail."""
    path = met.describe("3.1.0")
    jar = PROGRAMS / "specmatic/specmatic.jar"
    words = ["-jar", str(jar), "test", f"--testBaseURL={met.url}", "--junitReportDir=junit", str(path)]
    schemes = {"bearer": met.inputs.get("token", ""), "apiKey": met.inputs.get("apiKey", "")}
    run("java", *words, folder=met.folder, EXTENSIBLE_SCHEMA="true", **schemes)
    reports = list((met.folder / "junit").glob("*.xml"))
    if not reports:
        return None
    cases = [case for report in reports for case in ET.parse(report).iter("testcase")]  # noqa: S314  (its own)
    failed = {case.get("name", "") for case in cases if case.find("failure") is not None}
    return frozenset(failed) if cases else None


def free_port() -> int:
    """A port that is free now."""
    import socket  # noqa: PLC0415  (for this alone)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def wait_for(url: str) -> None:
    """Wait until something answers there, a minute at most."""
    clock = SystemClock()
    for _ in range(600):
        try:
            httpx.get(url)
        except httpx.TransportError:
            clock.advance(timedelta(seconds=0.1))
        else:
            return


ASKED = {"respect": respect, "prism": prism, "specmatic": specmatic, "dredd": dredd}
PACKAGES = {"respect": "@redocly/cli", "prism": "@stoplight/prism-cli", "specmatic": "specmatic", "dredd": "dredd"}


def api_of(fault: str, matrix: Mapping[str, Any]) -> str:
    """The name of the API of a fault or mutation."""
    found = [each["api"] for part in ("faults", "mutations") for each in matrix[part] if each["name"] == fault]
    if not found:
        raise SystemExit(f"The matrix has no {fault}.")
    return str(found[0])


def measure(names: Sequence[str], peers: Sequence[str]) -> dict[str, Any]:
    """Have each peer look at each fault, and at the sandbox as it is."""
    matrix = json.loads((PEERS.parents[1] / "evidence/matrix.json").read_bytes())
    apis = {name: api_of(name, matrix) for name in names}
    usual: dict[tuple[str, str], frozenset[str] | None] = {}
    rows = []
    for fault in (*dict.fromkeys(apis.values()), *names):
        api = named(apis.get(fault, fault))
        row: dict[str, Any] = {"name": fault, "api": api.name, "peers": {}}
        for peer in peers:
            began = stopwatch()
            with scene(api, fault if fault in apis else None) as met:
                found = ASKED[peer](met)
            print(f"{fault}: {peer}: {stopwatch() - began:.0f} s, {found}", file=sys.stderr, flush=True)
            if fault not in apis:
                usual[api.name, peer] = found
                continue
            before = usual[api.name, peer]
            new = sorted((found or frozenset()) - (before or frozenset()))
            row["peers"][peer] = {"ran": found is not None, "caught": bool(new), "new": new}
        if fault in apis:
            rows.append(row)
    return {
        "date": SystemClock().now().isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "versions": {"wallet-conformance": version("wallet-conformance"), **dict(_versions(peers))},
        "unchanged": {
            api: {peer: sorted(usual[api, peer] or ()) for peer in peers} for api in dict.fromkeys(apis.values())
        },
        "faults": rows,
    }


def _versions(peers: Sequence[str]) -> Iterator[tuple[str, str]]:
    for peer in peers:
        told = json.loads((PROGRAMS / PACKAGES[peer] / "package.json").read_bytes())
        yield peer, f"{told['name']} {told['version']}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print.

    Args:
        arguments: The command line's, None for the process's own.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", metavar="NAME", nargs="*", default=list(TEN), help="faults or mutations (these ten)")
    parser.add_argument("--peer", action="append", choices=ASKED, help="only this one; may be repeated")
    options = parser.parse_args(arguments)
    if not PROGRAMS.is_dir():
        parser.error(f"The peers are not installed: {INSTALL}")
    print(json.dumps(measure(options.names or list(TEN), options.peer or list(ASKED)), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
