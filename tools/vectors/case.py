"""A case as it is written down here, and as the file has it."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from conformance.files import data_path
from conformance.vectors.cases import identify


@dataclass(frozen=True)
class Case:
    """One case.

    Args:
        title: What is special about it, in a few words.
        input: What is accepted or refused.
        produce: ``valid``, ``invalid`` or ``unspecified``.
        accept: ``must``, ``must-not`` or ``unspecified``.
        reason: A code of the topic.
        rule: The id of a rule without the API's name, None if none fits.
        basis: What it rests on, where that is not the basis of the rule.
        source: The key of a source and a section, where that is not the first source of the rule.
        now: The clock of whoever judges.
        task: What a producer is given.
    """

    title: str
    input: Mapping[str, Any]
    produce: str
    accept: str
    reason: str
    rule: str | None = None
    basis: str | None = None
    source: tuple[str, str] | None = None
    now: str | None = None
    task: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Topic:
    """A file of cases.

    Args:
        api: The API.
        name: The topic.
        about: Who sends and who accepts, and where the keys come from.
        cases: The cases.
    """

    api: str
    name: str
    about: str
    cases: Sequence[Case]

    @property
    def path(self) -> str:
        """The file, from the root of the repository."""
        return f"specs/{self.api}/vectors/{self.name}.json"

    def text(self) -> str:
        """The text of the file."""
        document = {
            "format": "conformance-vectors/1",
            "api": self.api,
            "topic": self.name,
            "about": self.about,
            "cases": [self._written(case) for case in self.cases],
        }
        return json.dumps(document, indent=2) + "\n"

    def _written(self, case: Case) -> dict[str, Any]:
        rule = f"{self.api}.{case.rule}" if case.rule else None
        basis, source = _claim(self.api, rule) if rule else (None, None)
        basis, source = case.basis or basis, case.source or source
        if basis is None or source is None:
            raise ValueError(f"{self.name}, {case.title}: without a rule, give basis and source.")
        return {
            "id": identify(self.name, case.title, case.input, case.now),
            "title": case.title,
            "input": case.input,
            **({"now": case.now} if case.now else {}),
            **({"task": case.task} if case.task else {}),
            "produce": case.produce,
            "accept": case.accept,
            "reason": case.reason,
            "rule": rule,
            "basis": basis,
            "source": {"source": source[0], "section": source[1]},
        }


@cache
def _rules(api: str) -> dict[str, Any]:
    raw = yaml.load(data_path(f"specs/{api}/rules.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    return {rule["id"]: rule for rule in raw["rules"]}


def _claim(api: str, identifier: str) -> tuple[str, tuple[str, str]]:
    """Basis and first source of a rule."""
    rule = _rules(api)[identifier]
    first = (rule.get("sources") or rule["readings"][0]["sources"])[0]
    return rule["basis"], (first["source"], first["section"])


def encoded(content: bytes) -> str:
    """The standard base64 of `content`."""
    return base64.b64encode(content).decode()
