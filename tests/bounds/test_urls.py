"""A text that a server gave becomes a URL that can be asked, or is refused with a reason."""

import pytest

from conformance.bounds.urls import UrlRefused, below, foreign_url

REFUSED = {
    "": "it has no scheme",
    "/page": "it has no scheme",
    "//host/page": "it has no scheme",
    "javascript:alert(1)": "its scheme is 'javascript'",
    "file:///etc/passwd": "its scheme is 'file'",
    "data:text/html,x": "its scheme is 'data'",
    "http:host": "it names no host",
    "http:////page": "it names no host",
    "http://host/\0": r"U\+0000",
    "http://host/\x1b[31m": r"U\+001B",
    "http://host/\x7f": r"U\+007F",
    "http://host/\n": r"U\+000A",
    "http://host/\ud800": r"half a character, U\+D800",
    "http://\udfff/": r"half a character, U\+DFFF",
    "http://xn--/": "A-label",
    "http://a.xn--.com/": "A-label|label",
    "http://xn--a-ecp.ru/": "not allowed",
    "http://.../": "a label of its host is empty",
    "http://a..b/": "a label of its host is empty",
    f"http://{'a' * 64}.com/": "longer than 253 and 63",
    f"http://{'a.' * 130}com/": "longer than 253 and 63",
    "http://\u200b/": "IDNA",
    "http://[::1": "port",
    "http://[v1.x]/": "IPv6",
    "http://256.1.1.1/": "IPv4",
    "http://host:0/": "its port is 0",
    "http://host:65536/": "its port is 65536",
    "http://host:port/": "port",
    f"http://host/{'x' * 9000}": "9,012 characters",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_url_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(UrlRefused, match=REFUSED[text]) as refused:
        foreign_url(text)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8080/gateway/1?a=b#c",
        "https://example.com",
        "HTTPS://EXAMPLE.COM/A b",
        "http://[::1]:80/",
        "https://faß.de/ü?ö",
        "https://user@example.com./%00",
    ],
)
def test_what_a_browser_can_open_is_taken(text: str) -> None:
    assert foreign_url(text).host


@pytest.mark.parametrize(
    ("url", "part"),
    [
        ("http://host/v1/customers?page=2", "/v1/customers?page=2"),
        ("http://host:8080/v/link", "http://host:8080/v/link"),
        ("http://host.example/v/link", "http://host.example/v/link"),
        ("https://host/v1", "https://host/v1"),
        ("http://host?page=2", "http://host?page=2"),
    ],
)
def test_what_is_below_a_base_url_begins_with_a_slash_there(url: str, part: str) -> None:
    assert below(url, "http://host") == part
