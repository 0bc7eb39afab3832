"""Generated tests: requests drawn from a description, and sequences of calls."""
