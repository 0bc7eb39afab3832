"""What a provider breaks, as a text that can be sent to its support: what it asks for, where, and what was seen."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conformance.judging.results import refusal_in
from conformance.reporting.phrases import printable
from conformance.verdicts import Verdict

_TOLD = (Verdict.FAIL, Verdict.WARN)
_MOST_SHOWN = 3
_LONGEST_BODY = 4_000


def support_text(results: Mapping[str, Any]) -> str:
    """The broken rules for the provider as Markdown: the sources of each, the exchanges, expected and got.

    Args:
        results: Results in the form of ``specs/schemas/results.json``, in which no secret stands.
    """
    broken = [rule for rule in results["rules"] if rule["party"] == "provider" and rule["verdict"] in _TOLD]
    title = " and ".join(results["apis"].values())
    if not broken:
        return f"# {title}: nothing to report\n\nNo rule for the provider is broken in {results['subject']}.\n"
    number = f"{len(broken)} deviation{'' if len(broken) == 1 else 's'} from the documents"
    lines = [
        f"# {title}: {number}",
        "",
        f"Seen in {results['subject']}, begun {results['started']}.",
        "Secrets are replaced by placeholders. What the documents say is in our words; the links lead to yours.",
    ]
    exchanges = {exchange["id"]: exchange for exchange in results["exchanges"]}
    for count, rule in enumerate(broken, start=1):
        lines += ["", f"## {count}. {printable(rule['title'])}", ""]
        lines += _sources(rule)
        lines += _seen(rule, exchanges)
        lines += ["", f"Our name for this rule: `{rule['id']}` ({rule['level']}, {rule['basis']})."]
    return "\n".join(lines) + "\n"


def _sources(rule: Mapping[str, Any]) -> Iterator[str]:
    """What the documents ask for, and where."""
    if rule["basis"] == "inferred":
        yield "No document says so; we take it for granted, and ask whether you mean it otherwise. It rests on:"
    else:
        yield "What the documents ask for:"
    yield ""
    for source in rule["sources"]:
        said = [place for place in source.get("statements", ()) if place["says"]]
        for place in said:
            yield f"- {printable(place['says'])} ({printable(place['text'])}: <{place['url']}>)"
        if not said:
            yield f"- {printable(source['text'])}: <{source['url']}>"


def _seen(rule: Mapping[str, Any], exchanges: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What was seen instead, with the exchanges that show it."""
    findings = [finding for finding in rule["findings"] if finding["verdict"] == rule["verdict"]]
    for finding in findings[:_MOST_SHOWN]:
        yield ""
        yield f"- Where: {_inline(finding['where'])}"
        yield f"- Expected: {_inline(finding['expected'])}"
        yield f"- Got: {_inline(finding['got'])}"
        exchange = exchanges.get(finding["exchange"] or "")
        if exchange is not None:
            yield f"- When: {exchange['at']}, {exchange['id']}"
            yield ""
            yield from _exchange(exchange)
    if len(findings) > _MOST_SHOWN:
        yield ""
        yield f"And {len(findings) - _MOST_SHOWN} more like it."


def _exchange(exchange: Mapping[str, Any]) -> Iterator[str]:
    request, response = exchange["request"], exchange["response"]
    text = "\n".join(
        [
            f"{request['method']} {exchange.get('asked', request['url'])}",
            *_message(request),
            "",
            f"Answer: {response['status']}" + (f" {said}" if (said := refusal_in(exchange)) else ""),
            *_message(response),
        ]
    )
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    yield f"{fence}http"
    yield printable(text)
    yield fence


def _message(message: Mapping[str, Any]) -> Sequence[str]:
    lines = [f"{name}: {value}" for name, value in message["headers"]]
    body = str(message.get("body", message.get("body_base64", "")))
    if len(body) > _LONGEST_BODY:
        body = f"{body[:_LONGEST_BODY]}… ({len(body)} characters)"
    return [*lines, *(["", body] if body else [])]


def _inline(text: str) -> str:
    """A text as Markdown takes it for code, on one line."""
    shown = printable(text).replace("\n", " ")
    if not shown:
        return "nothing"
    marks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    edge = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{marks}{edge}{shown}{edge}{marks}"
