"""httpx's client, without the work that it does for nothing."""

import httpx

__all__ = ["Client"]


class _Cookies(httpx.Cookies):
    """Looks for cookies only in answers that set some: the standard library makes a request of its own for a look."""

    def extract_cookies(self, response: httpx.Response) -> None:
        if "Set-Cookie" in response.headers:
            super().extract_cookies(response)


class Client(httpx.Client):
    """A client whose answers cost less; its arguments are those of `httpx.Client`, without cookies to begin with."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._cookies = _Cookies()
