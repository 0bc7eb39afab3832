"""Conformance and contract tests for crypto wallet APIs."""

__version__ = "0.1.0"

EXAMPLES = 10
"""How many requests a run generates of each operation, phase and mode at most, unless it is told otherwise."""
FIXED_SEED = "0"
"""What the ids of a run come from unless it is told otherwise; not live, where they must not be taken."""
