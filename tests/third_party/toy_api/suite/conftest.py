"""What the scenarios are given."""

from conformance.targets import subject  # noqa: F401  (the fixture)
