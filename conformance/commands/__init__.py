"""What the commands do that make no run."""
