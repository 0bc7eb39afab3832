"""A file that says what a hosted page calls its fields and buttons: what only it understands is filled in."""

from pathlib import Path
from urllib.parse import parse_qsl

import httpx
import pytest

from conformance.planbok.page_words import USUAL, PageFileError, PageWords
from conformance.planbok.pages import UnfamiliarPageError
from conformance.planbok.pin_agent import PinAgent
from conformance.planbok.settings import PlanbokSettings

URL = "https://gateway.example/c/1"
PIN, NEW_PIN = "482913", "570164"
PAGE = (
    "<form method=post><label for=a>Votre code</label><input id=a name=a>"
    "<label for=b>Nouveau code</label><input id=b name=b><label for=c>Encore</label><input id=c name=c>"
    "<button name=do value=1>Valider</button><button name=do value=2>Retour</button></form>"
)
FILE = """
format: conformance-page/1
fields:
  pin: [Votre   code]
  new_pin: [nouveau code, C]
buttons:
  continue: [Valider]
  cancel: [retour]
"""


class Server(httpx.MockTransport):
    """Shows the page, and then that all is done."""

    def __init__(self) -> None:
        super().__init__(self.answer)
        self.sent: list[dict[str, str]] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            self.sent.append(dict(parse_qsl(request.content.decode())))
        body = "<p>Done" if self.sent else PAGE
        return httpx.Response(200, html=body, request=request)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "page.yaml"
    path.write_text(FILE)
    return path


def test_what_a_page_asks_for_is_understood_by_its_file_alone(file: Path) -> None:
    server = Server()
    with pytest.raises(UnfamiliarPageError, match="CONFORMANCE_PLANBOK_PAGE_FILE names a file that says what is what"):
        PinAgent(server).change_pin(URL, PIN, NEW_PIN)
    PinAgent(server, words=PageWords.load(file)).change_pin(URL, PIN, NEW_PIN)
    assert server.sent == [{"a": PIN, "b": NEW_PIN, "c": NEW_PIN, "do": "1"}]


def test_a_button_does_what_the_file_says(file: Path) -> None:
    server = Server()
    PinAgent(server, words=PageWords.load(file)).cancel(URL)
    assert server.sent[0]["do"] == "2"


def test_what_the_file_does_not_name_is_understood_as_ever(file: Path) -> None:
    words = PageWords.load(file)
    server = Server()
    page = PinAgent(server, words=words).open(URL)
    assert words.offers(page, "cancel")
    assert not words.offers(page, "skip")
    assert not USUAL.offers(page, "cancel")


def test_a_run_keeps_the_words_and_not_where_they_were(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BASE_URL", "http://127.0.0.1:1/planbok"), ("API_KEY", "key"), ("PAGE_FILE", str(file))):
        monkeypatch.setenv(f"CONFORMANCE_PLANBOK_{name}", value)
    kept = PlanbokSettings().load().others["page_words"]
    assert PageWords.of(kept) == PageWords.load(file)
    assert str(file) not in kept
    assert PageWords.of("") == USUAL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fields: [", "is not YAML"),
        ("format: conformance-page/2", "is wrong at format"),
        ("format: conformance-page/1\nfields: {secret: [a]}", "is wrong at fields"),
        ("format: conformance-page/1\nbuttons: {cancel: []}", "is wrong at buttons/cancel"),
    ],
)
def test_a_file_that_is_none_is_told_with_the_place(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(PageFileError, match=said):
        PageWords.load(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PageFileError, match=r"page\.yaml cannot be read: No such file"):
        PageWords.load(tmp_path / "page.yaml")


def test_the_file_on_the_page_about_releases_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "release.md").read_text(encoding="utf-8")
    (tmp_path / "page.yaml").write_text(page.partition("```yaml\n")[2].partition("```")[0])
    assert PageWords.load(tmp_path / "page.yaml").fields["pin"] == {"passcode"}
