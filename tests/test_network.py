"""Nothing but ``fetch`` asks anybody for anything, and ``fetch`` asks only whom the register names."""

import ast
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

# the server on the loopback interface is the one of the tests of fetching
from test_datasets_fetch import at_source, big, layouts, source  # noqa: F401

import toolkit
from toolkit.datasets import fetching
from toolkit.errors import CorpusError

PACKAGE = Path(toolkit.__file__).parent


def test_a_test_that_tries_the_network_is_stopped_and_found_out(attempts):
    with pytest.raises(ConnectionRefusedError, match="no network but loopback"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(requests.ConnectionError):
        requests.get("https://data.example/", timeout=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out, pytest.raises(ConnectionRefusedError):
        out.sendto(b"?", ("192.0.2.1", 53))
    assert {line.rpartition(" ")[2] for line in attempts} == {"192.0.2.1", "data.example"}
    attempts.clear()


def test_a_python_that_a_test_starts_has_no_network_either():
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "tests have no network but loopback" in done.stderr


def test_loopback_stays_open():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=1).close()


NETWORK = {
    "requests",
    "pooch",
    "socket",
    "http",
    "urllib.request",
    "urllib3",
    "ftplib",
    "smtplib",
    "httpx",
    "aiohttp",
}


def test_only_the_module_of_fetch_can_reach_the_network():
    users = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [str(node.module), *(f"{node.module}.{a.name}" for a in node.names)]
            if any(name in NETWORK or name.split(".")[0] in NETWORK for name in names):
                users.add(path.relative_to(PACKAGE).as_posix())
    assert users == {"datasets/fetching.py"}


HOSTS = ["http://localhost:{port}/e.zip", "https://other.example/e.zip", "//other.example/e.zip"]


@pytest.mark.parametrize("location", HOSTS)
def test_a_redirect_to_another_host_is_refused_before_it_is_followed(location, at_source, source):  # noqa: F811
    path = at_source("aed", *layouts()["aed"][0])
    source.location = location.format(port=source.url.rpartition(":")[2])
    with pytest.raises(CorpusError, match=r"redirects to|not https") as caught:
        toolkit.datasets.fetch("aed")
    assert "\n" not in str(caught.value)
    assert len(source.asked) == 1
    assert not path.exists()


class Answer:
    is_redirect = True

    def __init__(self, url, location):
        self.url, self.headers = url, {"Location": location}


def test_a_redirect_within_the_house_is_followed_and_one_that_a_hash_vouches_for():
    within = Answer("https://github.com/a/b/archive/c.zip", "https://codeload.github.com/a/b/zip/c")
    away = Answer("https://github.com/a/b/archive/c.zip", "https://github.com.example/c.zip")
    fetching._followed(within, anywhere=False)
    fetching._followed(away, anywhere=True)
    with pytest.raises(CorpusError, match=r"redirects to github\.com\.example, another host"):
        fetching._followed(away, anywhere=False)
    for insecure in ("http://codeload.github.com/a", "file:///etc/passwd", "ftp://github.com/a"):
        with pytest.raises(CorpusError, match="not https"):
            fetching._followed(Answer(within.url, insecure), anywhere=True)


def test_a_redirect_without_end_ends(at_source, source):  # noqa: F811
    at_source("aed", *layouts()["aed"][0])
    source.location = "/e.zip"
    with pytest.raises(CorpusError, match="TooManyRedirects"):
        toolkit.datasets.fetch("aed")
    assert len(source.asked) < 50


def test_a_file_stated_too_large_is_refused_before_it_is_read(at_source, source):  # noqa: F811
    path = at_source("tagmynews", *big())
    with pytest.raises(CorpusError, match=r"more than 0\.009766 MiB; not kept; pass largest="):
        toolkit.datasets.fetch("tagmynews", largest=10_240)
    assert not path.exists()
    assert list((path.parent.parent / "downloads").rglob("*.part")) == []
    assert toolkit.datasets.fetch("tagmynews", largest=1 << 20) == path


def test_a_file_that_states_no_size_is_cut_at_the_limit(at_source, source, monkeypatch):  # noqa: F811
    path = at_source("tagmynews", *big())
    sizes = []
    bounded = fetching._Resuming._bounded

    def watched(self, url, size):
        sizes.append(size)
        bounded(self, url, 0 if len(sizes) == 1 else size)  # as if the header had not been there

    monkeypatch.setattr(fetching._Resuming, "_bounded", watched)
    with pytest.raises(CorpusError, match="not kept"):
        toolkit.datasets.fetch("tagmynews", largest=20_000)
    assert sizes[-1] <= 20_000 + fetching._CHUNK
    assert not path.exists()


def test_a_note_that_is_damaged_is_named(at_source, source):  # noqa: F811
    path = at_source("bbc", *layouts()["bbc"][0])
    toolkit.datasets.fetch("bbc")
    path.with_name(path.name + ".json").write_text("[]", encoding="utf-8")
    with pytest.raises(CorpusError, match="not what fetch wrote"):
        toolkit.datasets.fetch("bbc", again=True)
