"""What a reader of results should do: the next steps of a run, and of each rule who is to act, them or you."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from conformance.findings import shorten
from conformance.judging.results import TRAFFIC
from conformance.reporting.explanation import covering
from conformance.reporting.phrases import Block, blocks, entry_line, in_state, need, repeat_command
from conformance.verdicts import Verdict

_PRECEDENCE = tuple(Verdict)
_BROKEN = (Verdict.FAIL, Verdict.WARN)
_MOST_NAMED = 3
_UNREACHED = "got no answer"
"""What a step says that had no answer."""
_NO_ACCESS = "has no access"
"""What a step says whose credentials were refused."""
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


@dataclass(frozen=True)
class Step:
    """Something to be done.

    Args:
        text: What, in a sentence.
        command: The command that does it, or shows it again; empty if there is none.
        rules: The ids of the rules that it is about, the first few.
    """

    text: str
    command: str = ""
    rules: tuple[str, ...] = ()


def urgency(rule: Mapping[str, Any]) -> tuple[bool, int]:
    """Where a rule stands among others that were not kept: broken protections first, then the worst verdict."""
    is_protection = bool(rule["protects"]) and rule["verdict"] != Verdict.ERROR
    return not is_protection, _PRECEDENCE.index(rule["verdict"])


def is_of_ours(results: Mapping[str, Any]) -> bool:
    """Whether what was judged is the reference sandbox or its recordings, and so says nothing of the vendor."""
    if results["target"] == "sandbox":
        return not results["base_urls"]
    return bool(results["target"] == "replay" and not results["cassettes"])


def next_steps(results: Mapping[str, Any]) -> list[Step]:
    """What to do after a run, the most urgent first.

    Args:
        results: Results in the form of ``specs/schemas/results.json``.
    """
    return [
        *_after_errors(results),
        *_after_baseline(results),
        *_after_failures(results),
        *_after_blocks(results),
        *_after_gaps(results),
        *_after_success(results),
    ]


def _after_errors(results: Mapping[str, Any]) -> Iterator[Step]:
    if results.get("interrupted"):
        yield Step("The run was stopped before its end: run it again.", repeat_command(results))
    if broke := _ids(results, Verdict.ERROR):
        yield Step(
            f"This suite broke while it judged {_rules(len(broke))}, which is nobody else's fault. Report it to the "
            "maintainers of the suite, with results.json.",
            rules=broke,
        )


def _after_baseline(results: Mapping[str, Any]) -> Iterator[Step]:
    judged = {rule["id"] for rule in results["rules"]}
    for entry in in_state(results, "gone", "expired"):
        told = f"{entry['rule']} {entry_line(entry)}"
        rules = tuple(judged.intersection([entry["rule"]]))
        yield Step(f"Mend the baseline {results['baseline']['file']}: {told}.", rules=rules)


def _after_failures(results: Mapping[str, Any]) -> Iterator[Step]:
    known = {entry["rule"] for entry in in_state(results, "known")}
    broken = [rule for rule in results["rules"] if rule["verdict"] in _BROKEN and rule["id"] not in known]
    own = tuple(rule["id"] for rule in broken if rule["party"] == "client")
    if own:
        yield Step(
            f"Mend your client, which breaks {_rules(len(own))}. Each card says what its request should have been.",
            rules=own,
        )
    binding = [rule for rule in broken if rule["party"] == "provider"]
    claimed = tuple(rule["id"] for rule in binding if rule["basis"] != "inferred")
    if claimed:
        yield Step(_about_provider(results, len(claimed)) + _explained(results, claimed), rules=claimed)
    guessed = tuple(rule["id"] for rule in binding if rule["basis"] == "inferred")
    if guessed:
        yield Step(
            f"{_rules(len(guessed)).capitalize()} that no document states {_are(len(guessed))} broken: decide whether "
            "you can live with that, and ask the vendor what is meant.",
            rules=guessed,
        )
    if any(rule["verdict"] == Verdict.FAIL for rule in binding) and results["target"] not in {TRAFFIC, "documents"}:
        yield Step(
            "What has to be borne until it is mended goes into a baseline, with a reason, so that only what is new "
            "fails the next run.",
            f"{repeat_command(results)} --write-baseline known.yaml",
        )


def _explained(results: Mapping[str, Any], rules: tuple[str, ...]) -> str:
    names = covering(results, rules)
    if not names or len(names) > _MOST_NAMED:
        return ""
    mistakes = "a known mistake" if len(names) == 1 else f"{len(names)} known mistakes"
    return f" What was seen is what {mistakes} would do: {', '.join(names)}."


def _about_provider(results: Mapping[str, Any], count: int) -> str:
    deviations = f"{count} deviation{'' if count == 1 else 's'}"
    if is_of_ours(results):
        return (
            f"The reference sandbox has {deviations} from the documents. That says nothing of the vendor: report it to "
            "the maintainers of the suite."
        )
    if results["target"] == "sandbox":
        return f"Tell whoever runs this sandbox of {deviations}, or stop the faults that it was started with."
    return (
        f"Tell the vendor of {deviations} from its documents: “Copy for the vendor” in report.html has the "
        "sentences, what was seen and the exchanges."
    )


def _after_blocks(results: Mapping[str, Any]) -> Iterator[Step]:
    known = blocks(results)
    for block in known[:_MOST_NAMED]:
        kept = f"it keeps {_rules(len(block.rules))} from being judged"
        repeated = block.repeated(results)
        command = repeat_command(results, repeated) if repeated else ""  # else it is the whole run
        if block.cause:
            yield Step(f"See to {block.cause} first: {kept}.", command, (block.cause,))
        else:
            yield Step(f"See why this step went wrong, since {kept}: {shorten(block.steps[0])}", command)
    more = len(known) - _MOST_NAMED
    if more > 0:
        yield Step(f"Then see to {more} more cause{'' if more == 1 else 's'} of what was not judged.")


def _after_gaps(results: Mapping[str, Any]) -> Iterator[Step]:
    unjudged = [rule for rule in results["rules"] if rule["party"] == "provider" and rule["verdict"] == Verdict.SKIPPED]
    counts = Counter(need(rule["reason"]) for rule in unjudged)
    for (what, option), count in counts.most_common():
        if option:
            yield Step(f"Give {option} to have {_rules(count)} more judged, which {_need(count)} {what}.")


def _after_success(results: Mapping[str, Any]) -> Iterator[Step]:
    own = sum(contradiction["own"] for contradiction in results.get("contradictions", ()))
    if own:
        places = "one place" if own == 1 else f"{own} places"
        yield Step(
            f"Ask the vendor which side holds where its documents contradict themselves, in {places} listed below."
        )
    if results["verdict"] != "conforms":
        return
    apis = " ".join(results["apis"])
    if is_of_ours(results):
        yield Step(
            "This shows that the suite and its client work, and says nothing of the vendor: judge the vendor's server.",
            f"conformance run {apis} --target live",
        )
    elif results["target"] == "live":
        yield Step(
            "Keep what was seen for CI, which then needs neither network nor credentials.",
            f"conformance record {apis} --target live --cassettes cassettes-of-ours",
        )
    if results["target"] not in {TRAFFIC, "documents"}:
        yield Step("Judge your own client too: point it at a sandbox that watches.", "conformance sandbox --judge")


def them_or_you(
    results: Mapping[str, Any], rule: Mapping[str, Any], exchange: Mapping[str, Any] | None
) -> tuple[str, str]:
    """Who is to act on a rule that was not kept, in a word, and why.

    Args:
        results: The results.
        rule: The rule, broken or not judged for an error of the suite.
        exchange: The exchange that shows it, None if none does.
    """
    if rule["verdict"] == Verdict.ERROR:
        return "Us", "The suite itself broke. Neither the API nor your client is to blame."
    if rule["party"] == "client":
        return "You", "This binds the client, and what it sent shows it, whatever the server answered."
    if rule["basis"] == "inferred":
        return "Ask them", "No document says so. Ask whether it is meant before you call it a mistake."
    if rule["basis"] == "contradicted":
        return "Them", "Their sources disagree, and what was seen is what none of them says."
    said = (
        "The document that is cited asks for it"
        if rule["basis"] == "documented"
        else "A standard that the documents name asks for it"
    )
    who = "Them" if not is_of_ours(results) else "The sandbox"
    return who, f"{said}{_innocence(results, exchange)}."


def _innocence(results: Mapping[str, Any], exchange: Mapping[str, Any] | None) -> str:
    """What the request of an exchange says of who asked."""
    if exchange is None or results["target"] == "documents":  # of what is printed nobody asked which rules it breaks
        return ""
    if not exchange["breaks"]:
        return ", and the request keeps every rule for clients that can be told from it"
    broken = ", ".join(exchange["breaks"])
    if results["target"] == TRAFFIC:
        return f"; but the request breaks {broken}, so mend that first"
    return f", and the request breaks only what the test means it to: {broken}"


def of_block(results: Mapping[str, Any], block: Block, exchange: Mapping[str, Any] | None) -> tuple[str, str]:
    """Who is to act on what could not be judged, in a word, and why.

    Args:
        results: The results.
        block: What was not judged.
        exchange: The exchange of the step that failed, None if there is none.
    """
    if block.cause:
        return "As for the rule", f"Whoever mends {block.cause} mends this."
    status = exchange["response"]["status"] if exchange else 0
    has_no_answer = status == 0 and (exchange is not None or _UNREACHED in block.steps[0])
    if has_no_answer:
        return "You first", "No answer came: are address, network and settings right? `conformance doctor` tells."
    is_refused = exchange is not None and status in _REFUSED and not exchange["breaks"]
    if is_refused or _NO_ACCESS in block.steps[0]:
        return (
            "You first",
            "Access was refused: are the credentials, and the key that the server knows, the right ones?",
        )
    if exchange is None:
        return "Open", "No exchange shows it: the step says all that is known."
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "Them", f"The server answered {status}{_innocence(results, exchange)}."
    return "Open", "The exchange below shows what was answered instead of what the next step needs."


def _ids(results: Mapping[str, Any], *verdicts: Verdict) -> tuple[str, ...]:
    return tuple(rule["id"] for rule in results["rules"] if rule["verdict"] in verdicts)


def _rules(count: int) -> str:
    return f"{count} rule{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _need(count: int) -> str:
    return "needs" if count == 1 else "need"
