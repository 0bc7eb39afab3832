"""The public standards that the APIs build on, one module each, usable alone."""
