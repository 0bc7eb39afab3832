"""Nothing to set but where the server is."""

from conformance.settings import LiveSettings


def defaults() -> dict[str, str]:
    return {}


def load(*, base_url: str | None = None) -> LiveSettings:
    return LiveSettings(base_url or "http://127.0.0.1:1", {"first": {}})
