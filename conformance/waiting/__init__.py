"""Waiting for what a subject does by itself, and telling a person what is waited for."""
