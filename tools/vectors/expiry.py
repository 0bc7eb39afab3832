"""How long a challenge may be signed."""

from datetime import datetime, timedelta

from tools.vectors.case import Case, Topic
from tools.vectors.sign_in_messages import BASE, fields, written

ABOUT = (
    "A client signs a challenge and the provider accepts it within one hour from its issue. `now` is when the "
    "signature is made and arrives; two seconds on each side of the hour are left to slow networks. The signature "
    "itself is not judged here."
)
EARLY, LATE = timedelta(minutes=59, seconds=58), timedelta(minutes=60, seconds=2)


def case(title: str, issued_at: str, age: timedelta, verdict: tuple[str, str, str], rule: str | None) -> Case:
    """A challenge that is signed at this age; the verdict is produce, accept and reason."""
    now = datetime.fromisoformat(issued_at.upper()) + age
    produce, accept, reason = verdict
    basis, source = (None, None) if rule else ("documented", ("creation", "Customer Creation"))
    return Case(
        title,
        {"message": written(fields(BASE, issued_at=issued_at))},
        produce,
        accept,
        reason,
        rule,
        basis=basis,
        source=source,
        now=now.astimezone(datetime.fromisoformat("2026-01-01T00:00Z").tzinfo).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def in_time(title: str, issued_at: str, age: timedelta = EARLY) -> Case:
    """Within the hour."""
    return case(title, issued_at, age, ("valid", "must", "in-time"), "challenge.accepted-within-the-hour")


def too_late(title: str, issued_at: str, age: timedelta = LATE) -> Case:
    """After the hour."""
    return case(title, issued_at, age, ("invalid", "must-not", "too-late"), "challenge.expires-after-one-hour")


def open_(title: str, issued_at: str, age: timedelta, reason: str) -> Case:
    """Where the documents do not say."""
    return case(title, issued_at, age, ("unspecified", "unspecified", reason), None)


NOON = "2026-01-15T12:00:00Z"
EDGES = (
    ("across midnight", "2026-01-15T23:30:00Z"),
    ("across the end of a year", "2026-12-31T23:15:00Z"),
    ("across the end of a month", "2026-04-30T23:59:59Z"),
    ("into a leap day", "2028-02-28T23:30:00Z"),
    ("out of a leap day", "2028-02-29T23:30:00Z"),
    ("out of February in a common year", "2027-02-28T23:30:00Z"),
    ("out of February 2100, a common year", "2100-02-28T23:30:00Z"),
    ("offset ahead of UTC", "2026-01-15T17:30:00+05:30"),
    ("offset behind UTC", "2026-01-15T04:00:00-08:00"),
    ("offset that changes the day", "2026-01-16T01:45:00+14:00"),
    ("offset of minus zero", "2026-01-15T12:00:00-00:00"),
    ("where clocks in Europe go forward", "2026-03-29T00:30:00Z"),
    ("where clocks in Europe go back", "2026-10-25T00:30:00Z"),
    ("lower-case t and z", "2026-01-15t12:00:00z"),
    ("beyond 2038", "2040-01-15T12:00:00Z"),
)

CASES = [
    in_time("0 s", NOON, timedelta()),
    in_time("1 s", NOON, timedelta(seconds=1)),
    in_time("30 minutes", NOON, timedelta(minutes=30)),
    in_time("59:58", NOON),
    open_("60:00", NOON, timedelta(hours=1), "on-the-hour"),
    too_late("60:02", NOON),
    too_late("two hours", NOON, timedelta(hours=2)),
    too_late("a day", NOON, timedelta(days=1)),
    too_late("a day and a minute", NOON, timedelta(days=1, minutes=1)),
    too_late("a year", NOON, timedelta(days=365)),
    *(in_time(f"{title}, 59:58", issued_at) for title, issued_at in EDGES),
    *(too_late(f"{title}, 60:02", issued_at) for title, issued_at in EDGES),
    in_time("fraction of a second, 59:58", "2026-01-15T12:00:00.250Z"),
    too_late("fraction of a second, 60:03", "2026-01-15T12:00:00.250Z", LATE + timedelta(seconds=1)),
    open_("60:00 across midnight", "2026-01-15T23:30:00Z", timedelta(hours=1), "on-the-hour"),
    open_("clock 1 s ahead", NOON, -timedelta(seconds=1), "clock-ahead"),
    open_("clock 5 minutes ahead", NOON, -timedelta(minutes=5), "clock-ahead"),
]

TOPIC = Topic("offblocks", "expiry", ABOUT, CASES)
