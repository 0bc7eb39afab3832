"""The course of a check: which case follows which, and when it is plain that nothing more can be told."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus

from conformance.api import Api
from conformance.exchange import Exchange, Request, Response
from conformance.findings import Finding, Outcome
from conformance.receivers.cases import Case, Cases, Post, Want
from conformance.receivers.judgement import Judge, Seen
from conformance.receivers.probe import LONGEST_WORK, Probe, ProbeError, ProbeSilentError
from conformance.receivers.receiving import Receiving
from conformance.receivers.rows import Mark, Row
from conformance.receivers.sending import FOR_NOW, Answer, Receiver, without_query
from conformance.recording.redaction import Redactor
from conformance.sandbox.deliveries import TIMEOUT

_RULES = (
    "takes-events",
    "takes-any-form",
    "takes-large-events",
    "takes-unknown-events",
    "survives-duplicates",
    "survives-reordering",
)
"""The last parts of the ids of the rules that a check judges of every API, where it has them."""

_MOST_SILENT = 2
"""How many cases in a row without any answer are enough."""
_UNKNOWN_CALLER = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_NOTHING_THERE = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE, HTTPStatus.NOT_IMPLEMENTED}
_LARGEST_SHOWN, _SHOWN = 8 * 1024, 200


class Course:
    """One check as it goes on.

    Args:
        api: The API.
        receiving: What knows its events.
        cases: What is sent.
        receiver: Who it is sent to.
        probe: What says how many events were processed, None if nothing does.
        secret: What deliveries are signed with, None for nothing.
    """

    def __init__(
        self,
        api: Api,
        receiving: Receiving,
        cases: Cases,
        receiver: Receiver,
        probe: Probe | None,
        secret: str | None,
    ) -> None:
        self.findings: list[Finding] = []
        self.rows: list[Row] = []
        self.exchanges: list[Exchange] = []
        self.stopped = ""
        """Why the rest was not sent, in a sentence; empty if all was."""
        self._api = api
        self._receiving = receiving
        self._cases = cases
        self._receiver = receiver
        self._probe = probe
        self._shown_url = without_query(receiver.url)
        self._judge = Judge(api, receiving, secret, self._shown_url)
        self._signs = secret is not None
        self._redactor = Redactor(api.secrets, api.secret_headers)
        if secret:
            self._redactor.know({"first": {"webhook_secret": secret}})
        self._seen: dict[str, Seen] = {}
        self._counted: set[str] = set()
        self._silent = 0
        self._notes: list[str] = []

    async def run(self) -> None:
        """Send everything, until it is plain that nothing more can be told.

        Raises:
            ProbeError: If the probe answers at first, and does not say how many events were processed.
        """
        try:
            if self._probe:
                await self._probe.processed()
        except ProbeSilentError as error:
            self._end(str(error))
            return
        await self._send_good_ones()
        if self._is_over():
            return
        await self._doubt_the_probe()
        for case in self._others():
            await self._send(case)
            if self._is_over():
                return

    def unjudged(self) -> Iterator[Finding]:
        """Why the rules of receivers could not be judged that no finding judges."""
        told = {finding.rule for finding in self.findings}
        for name in dict.fromkeys((*_RULES, self._receiving.once, *self._receiving.refusing)):
            rule = f"{self._api.name}.client.{name}"
            if rule in told:
                continue
            if self.stopped:
                yield Finding(rule, Outcome.BLOCKED, reason=self.stopped)
            elif self._probe is None:
                reason = "This needs the number of events that were processed: give --probe-url."
                yield Finding(rule, Outcome.SKIPPED, reason=reason)
            else:
                reason = "No answer of the receiver, and no number of the probe, says anything of it."
                yield Finding(rule, Outcome.SKIPPED, reason=reason)

    def remarks(self) -> Iterator[str]:
        """What is to be said besides: how long the receiver took, and what the probe lacked."""
        yield from self._notes
        answered = [row for row in self.rows if row.answered != "no answer"]
        if answered:
            slowest = max(answered, key=lambda row: row.seconds)
            yield (
                f"The slowest answer took {slowest.seconds:.2f} s ({slowest.name}). No document that is known names a "
                f"limit; the sandbox waits {TIMEOUT} s."
            )

    # ----------------------------------------------------------------------------------------------- what is sent when

    async def _doubt_the_probe(self) -> None:
        """Ask the probe no more if its number does not show which event was processed, since it rises too late."""
        if not self._probe or self._counted == set(self._cases.kinds):
            return
        before = await self._processed()
        late = before is not None and await self._processed(before, 1, 2)
        if late or not self._counted:
            when = f"rises later than {LONGEST_WORK} s after the answer" if late else "does not rise"
            self._notes.append(
                f"The number of the probe {when}, so that it does not show which event was processed; only the answers "
                "were judged."
            )
            self._probe = None

    async def _send_good_ones(self) -> None:
        for case in self._cases.good():
            seen = await self._send(case)
            if seen.answers[0].taken:
                self._cases.stock.taken.add(case.name)
            if seen.processed:
                self._counted.add(case.name)
            if seen.answers[0].response is None and len(self._seen) == 1:
                self._end(self._dead(seen.answers[0]))
            if self._is_over():
                return
        if not self._cases.stock.taken:
            self._say_why_all_are_refused()

    def _others(self) -> Iterator[Case]:
        for case in self._cases.forged():
            yield case
            if case.want is Want.TAKEN and not self._seen[case.name].answers[0].taken:
                self._stop(case.hint)
                return
        yield from self._cases.forms()
        yield from self._cases.repeated()
        yield from self._cases.crowded()

    async def _send(self, case: Case) -> Seen:
        """Send a case, judge it, and keep what came of it."""
        before = await self._processed()
        answers = await self._send_all(case.posts, case.at_once)
        left = [number for number, answer in enumerate(answers) if case.again and not answer.taken]
        again = dict(zip(left, await self._send_all([case.posts[number] for number in left], 1), strict=True))
        processed = None if before is None else await self._processed(before, self._expected(case))
        seen = Seen(case, answers, again, processed)
        judgement = self._judge.judge(seen, self._seen)
        self._seen[case.name] = seen
        self._keep(seen, judgement.findings)
        row = judgement.row
        self.rows.append(replace(row, said=self._redactor.text(row.said)))
        self._silent = 0 if any(answer.response for answer in answers) else self._silent + 1
        if self._silent == _MOST_SILENT:
            self._stop(self._dead(answers[-1]))
        return seen

    async def _send_all(self, posts: Sequence[Post], at_once: int) -> list[Answer]:
        turns = asyncio.Semaphore(at_once)

        async def one(post: Post) -> Answer:
            async with turns:
                return await self._receiver.send(post)

        return await asyncio.gather(*map(one, posts))

    def _expected(self, case: Case) -> int:
        """How many events of a case will be processed, by what was processed of their kinds so far."""
        if case.want is Want.REFUSED:
            return 0
        bodies = {post.body for post in case.posts}
        if len(self._seen) < len(self._cases.kinds):
            return len(bodies)
        return sum(self._receiving.label(body) in self._counted for body in bodies)

    async def _processed(self, before: int | None = None, expected: int = 0, times: int = 1) -> int | None:
        """How many events were processed, since there were `before`; None where no probe says it any more."""
        if self._probe is None:
            return None
        try:
            if before is None:
                return await self._probe.processed()
            return await self._probe.processed_since(before, expected, times * LONGEST_WORK)
        except ProbeError as error:
            self._notes.append(f"{error} From then on only the answers were judged.")
            self._probe = None
            return None

    # ------------------------------------------------------------------------------------------------ why it ends early

    def _is_over(self) -> bool:
        return bool(self.stopped)

    def _stop(self, why: str) -> None:
        """Stop, and keep what was found so far."""
        self.stopped = self._redactor.text(why)

    def _end(self, why: str) -> None:
        """Stop, and take back what was found: it says nothing of the receiver."""
        self._stop(why)
        self.findings.clear()
        self.rows = [replace(row, mark=Mark.OPEN, said="") for row in self.rows]

    def _dead(self, answer: Answer) -> str:
        return f"At {self._shown_url} there was {answer.told}. Does the receiver run, and listen there?"

    def _say_why_all_are_refused(self) -> None:
        """Stop, since nothing is taken, and say what is probably wrong."""
        answers = [seen.answers[0] for seen in self._seen.values()]
        statuses, told = {answer.status for answer in answers}, answers[0].told
        pages = all(answer.response is not None and answer.response.is_page for answer in answers)
        redirects = all(HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST for status in statuses)
        if pages or redirects or statuses <= _NOTHING_THERE:
            self._end(f"{self._shown_url} answers {told}, so that no receiver was judged. Is that its address?")
        elif statuses <= FOR_NOW:
            self._end(f"{self._shown_url} answers {told}: it asks for a later try.")
        elif self._signs and statuses <= _UNKNOWN_CALLER:
            self._end(
                f"It refuses every right event with {told}. Does it verify with the secret that --secret-env names, "
                f"and by the same scheme? {self._receiving.scheme}"
            )
        else:
            self._stop(f"It takes no right event, so that nothing else can be told: {told}.")

    # ----------------------------------------------------------------------------------------------------- what is kept

    def _keep(self, seen: Seen, findings: Iterable[Finding]) -> None:
        """Keep the exchanges of a case, and the findings with the last of them."""
        kept = ""
        for number, (post, answer) in enumerate(zip(seen.case.posts, seen.answers, strict=True), 1):
            kept = f"{self._api.name}/webhooks/{seen.case.name}#{number}"
            request = Request(answer.headers, _shown(post.body), "POST", self._shown_url)
            exchange = Exchange(kept, None, "first", answer.at, answer.seconds, request, answer.response or Response())
            self.exchanges.append(self._redactor.exchange(exchange))
        self.findings += [replace(finding, got=self._redactor.text(finding.got), exchange=kept) for finding in findings]


def _shown(body: bytes) -> bytes:
    """A body as results have it: of a large one the beginning."""
    if len(body) <= _LARGEST_SHOWN:
        return body
    return body[:_SHOWN] + f"… ({len(body)} bytes)".encode()
