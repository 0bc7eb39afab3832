"""Conformance and contract tests for crypto wallet APIs."""

__version__ = "0.1.0"
