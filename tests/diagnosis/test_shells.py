"""Command lines as shells of Windows read them, as browsers copy them for these, and in the midst of a script."""

import pytest

from conformance.commands.shells import words_of

BY_BROWSER = r"""curl ^"https://api.example.com/v1/customers?a=1^&b=2^" ^
  -X ^"POST^" ^
  -H ^"Signature-Input: sig=(^\^"@method^\^");created=1^" ^
  --data-raw ^"^{^\^"a^\^":^\^"100 ^% ^^^\^"^}^"
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            BY_BROWSER.replace("\n", "\r\n"),
            [
                *("curl", "https://api.example.com/v1/customers?a=1&b=2", "-X", "POST"),
                *("-H", 'Signature-Input: sig=("@method");created=1', "--data-raw", '{"a":"100 % ^"}'),
            ],
        ),
        ('curl -d ^"a^\n\nb^" ^\n  -s', ["curl", "-d", "a\nb", "-s"]),
        ('curl "a ^ b" ^\r\n  "C:\\dir\\\\" c', ["curl", "a ^ b", "C:\\dir\\", "c"]),
        ('curl -H "" ^\r\n  "a\\\\"', ["curl", "-H", "", "a\\"]),
        (
            "curl.exe -X POST 'https://a/b' `\r\n  -H \"a: `\"b`\" $c\" `\n  -d '{\\\"a\\\":''b''}'",
            ["curl.exe", "-X", "POST", "https://a/b", "-H", 'a: "b" $c', "-d", "{\"a\":'b'}"],
        ),
        ("curl 'https://a/?b=1&c=2' -d ';' \\\n  -s ; echo done", ["curl", "https://a/?b=1&c=2", "-d", ";", "-s"]),
        ("curl https://a/ -d $'\\u00eb\\n' 2>&1 | jq .", ["curl", "https://a/", "-d", "ë\n"]),
        ("curl https://a/ > file", ["curl", "https://a/"]),
    ],
)
def test_words_are_those_of_the_shell_that_the_line_is_for(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize("text", ["curl 'a", 'curl ^"a^" ^\r\n "b', "curl $'a"])
def test_a_quote_that_is_not_closed_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="No closing quotation"):
        words_of(text)
