"""What answers say, without a receiver that gives them."""

from dataclasses import replace

from conformance.clock import EPOCH_OF_WORLDS
from conformance.exchange import Response
from conformance.offblocks import api
from conformance.offblocks.receiving import OffBlocksReceiving
from conformance.receivers.cases import Case, Post, Want
from conformance.receivers.judgement import Judge, Judgement, Seen
from conformance.receivers.rows import Mark
from conformance.receivers.sending import Answer

JUDGE = Judge(api, OffBlocksReceiving(), None, "http://127.0.0.1/")
BODY = b'{"webhookType":"customer.updated","eventId":"e","id":"c","updatedAt":"2026-01-15T12:00:00Z"}'


def judged(*answers: Answer, at_once: int = 1, repeats: bool = False) -> Judgement:
    posts = [Post(BODY, lambda _: ())] * len(answers)
    case = Case("a case", posts, Want.TAKEN, "takes-events", "A hint.", at_once, 1, repeats)
    return JUDGE.judge(Seen(case, answers, {}, None), {})


def answer(status: int | None, failure: str = "the connection was closed", *, connected: bool = True) -> Answer:
    response = None if status is None else Response(status=status)
    return Answer(EPOCH_OF_WORLDS, 0.1, (), response, "" if response else failure, connected)


def test_a_receiver_that_is_gone_breaks_nothing() -> None:
    gone = judged(answer(None, "no connection (refused)", connected=False))
    assert (gone.findings, gone.row.mark) == ((), Mark.OPEN)
    assert gone.row.said == "There was no answer: no connection (refused)."


def test_a_receiver_that_breaks_the_connection_is_wrong() -> None:
    broken = judged(answer(None))
    assert [(each.rule, each.got) for each in broken.findings] == [
        ("offblocks.client.takes-events", "no answer: the connection was closed")
    ]
    assert (broken.row.mark, broken.row.answered) == (Mark.WRONG, "no answer")


def test_answers_are_counted_and_the_slowest_is_told() -> None:
    row = judged(answer(200), answer(200), answer(500), at_once=3).row
    assert (row.answered, row.seconds, row.mark) == ("2 x 200, 500", 0.1, Mark.WRONG)


def test_one_that_is_told_to_come_later_is_neither() -> None:
    for status in (425, 429, 503):
        several = judged(answer(200), answer(status), at_once=2)
        assert (several.findings, several.row.mark) == ([], Mark.OPEN)


def test_of_an_event_that_comes_at_once_again_one_must_be_taken() -> None:
    assert judged(answer(200), answer(409), at_once=2, repeats=True).row.mark is Mark.OPEN
    assert judged(answer(409), answer(409), at_once=2, repeats=True).row.mark is Mark.WRONG


def test_who_takes_no_more_for_a_while_shows_nothing_of_another_order() -> None:
    posts = [Post(BODY, lambda _: ())] * 2
    case = Case("in order", posts, Want.TAKEN, "takes-events", "A hint.", 1, 2, False)
    turned = replace(case, name="turned", as_many_as="in order")
    earlier = {"in order": Seen(case, (answer(200), answer(200)), {}, 2)}
    for status, said in ((429, set()), (500, {"offblocks.client.survives-reordering"})):
        judgement = JUDGE.judge(Seen(turned, (answer(200), answer(status)), {}, 1), earlier)
        assert {each.rule for each in judgement.findings} & {"offblocks.client.survives-reordering"} == said
