"""Starts the package of a new API from its OpenAPI description."""
