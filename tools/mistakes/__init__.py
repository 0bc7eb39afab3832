"""Mistakes made on purpose, by code that knows nothing of the diagnosis: what it is measured on."""
