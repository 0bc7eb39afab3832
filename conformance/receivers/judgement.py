"""What the answers to one case say of the rules for receivers: pure, answers in, findings and a row out."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus

from conformance.api import Api, ClientJudge
from conformance.catalogue import Catalogue, Level
from conformance.exchange import Delivery, Request
from conformance.findings import Finding, Outcome, Says
from conformance.ids import Ids
from conformance.receivers.cases import Case, Want
from conformance.receivers.receiving import Receiving
from conformance.receivers.rows import Mark, Row
from conformance.receivers.sending import FOR_NOW, Answer

_CONFLICT = 409


@dataclass(frozen=True)
class Seen:
    """What came of a case.

    Args:
        case: The case.
        answers: The answer to each of its deliveries, in the order of these.
        again: The answer to what was sent once more after the others, by its place among these.
        processed: How many events were processed; None where no probe says it.
    """

    case: Case
    answers: Sequence[Answer]
    again: Mapping[int, Answer]
    processed: int | None

    @property
    def last(self) -> Sequence[Answer]:
        """The last answer to each delivery."""
        return [self.again.get(number, answer) for number, answer in enumerate(self.answers)]

    @property
    def row(self) -> Row:
        """It as a row of a table, without what is to be said of it."""
        shown = Counter(answer.short for answer in self.answers)
        answered = ", ".join(f"{count} x {text}" if count > 1 else text for text, count in shown.items())
        slowest = max(answer.seconds for answer in self.answers)
        return Row(self.case.name, self.case.want.value, answered, slowest, Mark.RIGHT)


@dataclass(frozen=True)
class Judgement:
    """What is to be said of a case.

    Args:
        findings: What it says of the rules; a finding names no exchange, but the place of the delivery in its case.
        row: The same for people.
    """

    findings: Sequence[Finding]
    row: Row


class Judge:
    """Judges the cases of one check.

    Args:
        api: The API whose events were sent.
        receiving: What knows these.
        secret: What they were signed with, None for nothing.
        url: Where the receiver listens, as it is shown.
    """

    def __init__(self, api: Api, receiving: Receiving, secret: str | None, url: str) -> None:
        self._api = api
        self._receiving = receiving
        self._says = Says(f"{api.name}.client.")
        made_up = api.client.made_up_credentials(Ids("receivers", api.name))
        self._credentials = {**made_up, **({"webhook_secret": secret} if secret else {})}
        self._url = url
        self._optional = {rule.id for rule in Catalogue.load(api.rules).values() if rule.level is Level.MAY}

    def judge(self, seen: Seen, earlier: Mapping[str, Seen]) -> Judgement:
        """What a case says.

        Args:
            seen: The case.
            earlier: The cases before it, by name.
        """
        if not any(answer.connected for answer in seen.answers):
            return Judgement((), replace(seen.row, mark=Mark.OPEN, said=f"There was {seen.answers[0].told}."))
        found = [*self._answered(seen), *self._by_clients(seen), *self._processed(seen, earlier)]
        found = [finding for finding in found if not self._is_undone(finding, seen)]
        undecided = [answer for answer in seen.answers if self._is_undecided(seen.case, answer)]
        broken = next(
            iter(sorted((each for each in found if each.outcome is Outcome.BROKEN), key=self._is_optional)), None
        )
        row = seen.row
        if broken is not None:
            hint = _AS_WHEN_TWICE if seen.case.repeats and _counted_twice(earlier) else seen.case.hint
            said = f"{broken.where}: {broken.got}, expected {broken.expected}. {hint}"
            row = replace(row, mark=Mark.NOTE if self._is_optional(broken) else Mark.WRONG, said=said)
        elif undecided:
            row = replace(row, mark=Mark.OPEN, said=_undecided(seen.case, undecided[0]))
        elif seen.processed == 0 and seen.case.want is Want.REFUSED and any(answer.taken for answer in seen.answers):
            row = replace(row, mark=Mark.OPEN, said=_TAKEN_AND_NOT_PROCESSED)
        return Judgement(found, row)

    def _is_optional(self, finding: Finding) -> bool:
        """Whether nothing asks for what was not found."""
        return finding.rule in self._optional

    def _answered(self, seen: Seen) -> Iterator[Finding]:
        """Whether what has to be taken was."""
        case = seen.case
        if case.want is not Want.TAKEN or not case.rule:
            return
        wrong = next(
            (answer for answer in seen.last if not answer.taken and not self._is_undecided(case, answer)), None
        )
        if wrong is not None or all(answer.taken for answer in seen.last):
            got = (wrong or seen.last[-1]).told
            yield self._says.judged(case.rule, wrong is None, f"answer to {case.name}", "2xx", got)

    def _by_clients(self, seen: Seen) -> Iterator[Finding]:
        """What the judge of the API's clients says of the answers, where they came one after the other."""
        case = seen.case
        if case.at_once > 1:
            return
        judge: ClientJudge = self._api.client_judge(self._credentials, self._api.settings.defaults())
        deliveries = [
            Delivery(0, "first", answer.at, Request(answer.headers, post.body, "POST", self._url), answer.status)
            for post, answer in zip(case.posts, seen.answers, strict=True)
        ]
        for finding in judge.conclude([], deliveries):
            told_by_case = finding.rule == self._says.prefix + "takes-events"
            if finding.outcome in {Outcome.HELD, Outcome.BROKEN} and not told_by_case:
                yield replace(finding, where=f"answer to {case.name}", got=seen.answers[-1].told)

    def _processed(self, seen: Seen, earlier: Mapping[str, Seen]) -> Iterator[Finding]:
        """What the number of events that were processed says."""
        case, number = seen.case, seen.processed
        where, got = f"events processed of {case.name}", f"{number} processed"
        if case.repeats and case.at_once > 1:
            yield from self._repeated_at_once(seen)
        if case.as_many_as:
            yield from self._in_another_order(seen, earlier.get(case.as_many_as))
        if number is None:
            return
        if case.want is Want.REFUSED and number and not any(answer.taken for answer in seen.answers):
            got = f"{seen.answers[-1].told}, and {got}"
            yield self._says.judged(case.rule, False, where, "none processed", got)  # noqa: FBT003
        elif case.want is Want.TAKEN and number > case.events:
            yield self._says.judged(self._receiving.once, False, where, f"{case.events} at most", got)  # noqa: FBT003
        elif case.repeats and number == case.events:
            yield self._says.judged(self._receiving.once, True, where, f"{case.events} at most", got)  # noqa: FBT003

    def _repeated_at_once(self, seen: Seen) -> Iterator[Finding]:
        """Whether an event that comes several times at once is taken once at least, and not refused for good."""
        wrong = next(
            (each for each in seen.answers if not each.taken and each.status not in {*FOR_NOW, _CONFLICT}), None
        )
        if wrong is not None or not any(answer.taken for answer in seen.answers):
            got = (wrong or seen.answers[-1]).told
            yield self._says.judged("takes-events", False, f"answer to {seen.case.name}", "2xx", got)  # noqa: FBT003

    def _in_another_order(self, seen: Seen, in_order: Seen | None) -> Iterator[Finding]:
        """Whether in the end the same was taken as in order; who takes no more for a while shows nothing of it."""
        where, expected = f"events processed of {seen.case.name}", "as many as in order, in the end"
        left = [answer for answer in seen.last if not answer.taken]
        if in_order is None or not all(answer.taken for answer in in_order.last):
            return
        if any(answer.status == HTTPStatus.TOO_MANY_REQUESTS for answer in left):
            return
        if left:
            yield self._says.judged("survives-reordering", False, where, expected, left[0].told)  # noqa: FBT003
        elif seen.processed is not None and in_order.processed:
            held = seen.processed == in_order.processed
            got = f"{seen.processed} processed, and {in_order.processed} in order"
            yield self._says.judged("survives-reordering", held, where, expected, got)

    def _is_undone(self, finding: Finding, seen: Seen) -> bool:
        """Whether a forged event was answered 2xx and, by the probe, not processed."""
        if seen.case.want is not Want.REFUSED or finding.outcome is not Outcome.BROKEN:
            return False
        return seen.processed == 0 and any(answer.taken for answer in seen.answers)

    def _is_undecided(self, case: Case, answer: Answer) -> bool:
        """Whether an answer says neither that a delivery is taken nor that it is not."""
        if case.want is Want.REFUSED:
            return not answer.taken and not answer.refused
        return answer.status in FOR_NOW or (case.repeats and case.at_once > 1 and answer.status == _CONFLICT)


_AS_WHEN_TWICE = "So it is when one comes after the other, too."


def _counted_twice(earlier: Mapping[str, Seen]) -> bool:
    """Whether an event counted twice that came twice, one after the other."""
    return any(seen.case.repeats and (seen.processed or 0) > seen.case.events for seen in earlier.values())


_TAKEN_AND_NOT_PROCESSED = "It was answered 2xx and, by the probe, not processed: the answer should say so."


def _undecided(case: Case, answer: Answer) -> str:
    if case.want is Want.REFUSED:
        return f"{answer.told} neither takes nor refuses it: answer 401, so that nothing has to be guessed."
    return f"{answer.told} asks for a later try, and says nothing of this event."
