"""What makes a run quick without changing what it finds."""
