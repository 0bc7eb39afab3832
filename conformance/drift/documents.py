"""A newer copy of a document compared with the table of its statements, by their digests."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from hashlib import sha256

from conformance.catalogue import Catalogue, Document
from conformance.drift.form import Change, Comparison, Impact, NotComparableError
from conformance.drift.html_text import as_text, is_html
from conformance.statements.table import Statement
from conformance.statements.text import Passage, normalised, split

Citing = Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
"""By the id of a statement: the ids of the rules that cite it, and those of the tests that judge these."""

_LEAST_SHARE = 0.1
"""The share of a document's statements that a copy of it must have at least."""
_LONGEST_WINDOW = 80
"""How many words a statement has at most that is looked for across lines."""
_MOST_WORDS = 20_000
_ADVICE = {
    "statement-changed": "Read what the document says now, and see whether your client does it.",
    "statement-vanished": "Do not rely on what the document does not say any more.",
    "statement-moved": "Nothing.",
    "statement-new": "Read it: nothing here judges it yet.",
}


def compare(content: bytes, name: str, api: str, catalogue: Catalogue, citing: Citing) -> Comparison:
    """What changed between a document and the statements that were taken from it.

    Args:
        content: The newer copy: text as pasted from a browser, or HTML, in UTF-8.
        name: What messages call it.
        api: The name of the API.
        catalogue: The API's rules, with its table of statements.
        citing: What rests on each statement.

    Raises:
        NotComparableError: If it is no text, or none of the API's documents.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotComparableError(f"{name} is no text in UTF-8: {error}") from error
    page = as_text(text) if is_html(text) else text
    passages = split(page)
    source, statements = _source(page, passages, name, catalogue)
    changes = list(_Reading(api, catalogue.documents[source], statements, page, passages, citing).changes())
    before = f"{len(statements)} statements of {catalogue.documents[source].title}"
    return Comparison("documents", before, f"{name}, {len(passages)} statements", changes)


def _source(page: str, passages: Sequence[Passage], name: str, catalogue: Catalogue) -> tuple[str, list[Statement]]:
    """The key of the document that a page is a copy of, and its statements."""
    found = {passage.digest for passage in passages}
    by_source: dict[str, list[Statement]] = {}
    for statement in catalogue.statements.values():
        if statement.digest:
            by_source.setdefault(statement.source, []).append(statement)
    if not by_source:
        raise NotComparableError(f"No document of {catalogue.api} has statements with digests to compare with.")
    shares = {
        source: len(found & {each.digest for each in listed}) / len(listed) for source, listed in by_source.items()
    }
    best = max(shares, key=lambda source: shares[source])
    if shares[best] < _LEAST_SHARE and not page.strip():
        raise NotComparableError(f"{name} is empty.")
    if shares[best] < _LEAST_SHARE:
        titles = ", ".join(catalogue.documents[source].title for source in by_source)
        raise NotComparableError(
            f"{name} has hardly a sentence of {titles}: give a copy of that page, as text from a browser or as HTML."
        )
    return best, by_source[best]


class _Reading:
    """A newer copy of a document, read beside the table.

    Args:
        api: The name of the API.
        document: The document.
        statements: Its statements in its order.
        page: The copy, as text.
        passages: The statements of the copy.
        citing: What rests on each statement.
    """

    def __init__(
        self,
        api: str,
        document: Document,
        statements: Sequence[Statement],
        page: str,
        passages: Sequence[Passage],
        citing: Citing,
    ) -> None:
        self._api = api
        self._document = document
        self._statements = statements
        self._passages = passages
        self._citing = citing
        digests = {passage.digest for passage in passages}
        wanted = {each.digest for each in statements if each.digest and each.digest not in digests}
        found = _across_lines(page, wanted) if wanted else {}
        self._elsewhere = set(found)
        self._told = _passages_in(passages, found.values())

    def changes(self) -> Iterator[Change]:
        """What changed, in the order of the document."""
        old = [each.digest or "" for each in self._statements]
        new = [passage.digest for passage in self._passages]
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        for tag, first, last, from_, to in matcher.get_opcodes():
            if tag == "equal":
                continue
            gone = [each for each in self._statements[first:last] if each.digest not in self._elsewhere]
            fresh = [each for each in self._passages[from_:to] if each.digest not in old and each not in self._told]
            lost = [each for each in gone if each.digest not in new]
            for statement in gone:
                if statement.digest in new:
                    yield self._change("statement-moved", statement, None)
            for index, statement in enumerate(lost):
                passage = fresh[index] if index < len(fresh) and len(lost) <= len(fresh) else None
                yield self._change("statement-changed" if passage else "statement-vanished", statement, passage)
            taken = len(lost) if len(lost) <= len(fresh) else 0
            for passage in fresh[taken:]:
                yield self._new(passage)

    def _change(self, kind: str, statement: Statement, passage: Passage | None) -> Change:
        rules, tests = self._citing.get(statement.id, ((), ()))
        impact = Impact.RISKY if rules and kind != "statement-moved" else Impact.HARMLESS
        return Change(
            kind,
            impact,
            f"{self._document.title}, {statement.place} ({statement.id})",
            statement.says,
            passage.text if passage else "",
            _ADVICE[kind],
            api=self._api,
            rules=rules,
            tests=tests,
        )

    def _new(self, passage: Passage) -> Change:
        place = f"{self._document.title}, line {passage.line} of the copy"
        return Change(
            "statement-new", Impact.HARMLESS, place, "", passage.text, _ADVICE["statement-new"], api=self._api
        )


def _across_lines(page: str, wanted: set[str]) -> dict[str, range]:
    """Where words of a page that follow each other have one of some digests, wherever its lines end.

    Returns:
        The numbers of these words, by the digest.
    """
    words = normalised(page).split()[:_MOST_WORDS]
    found: dict[str, range] = {}
    for start in range(len(words)):
        digest = sha256()
        for number, word in enumerate(words[start : start + _LONGEST_WINDOW]):
            digest.update(f" {word}".encode() if number else word.encode())
            value = digest.hexdigest()
            if value in wanted:
                found.setdefault(value, range(start, start + number + 1))
    return found


def _passages_in(passages: Sequence[Passage], spans: Iterable[range]) -> set[Passage]:
    """The passages that are parts of some spans of words."""
    covered = {number for span in spans for number in span}
    found: set[Passage] = set()
    at = 0
    for passage in passages:
        count = len(passage.text.split())
        if covered.issuperset(range(at, at + count)):
            found.add(passage)
        at += count
    return found
