"""A real JupyterLab and a real browser; tests skip with one line where there is none."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from itertools import product
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
SETTINGS = {  # no news over the page, every cell in the page, saving only when asked
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}
HOSTILE = (
    '<script>window.hit=1</script><img src=x onerror="window.hit=1"> '
    '[m](javascript:window.hit=1) **b** \x1b[31mred \u202egnp.exe $\\frac{1}{2}$ $x$ "\' onmouseover="window.hit=1"'
)

HIT = "window.hit=1"
PAYLOADS = [
    f"<ScRiPt>{HIT}</sCrIpT>", f"</script><script>{HIT}</script>", f"</style><script>{HIT}</script>",
    f"</textarea></title><script>{HIT}</script>", f"--><script>{HIT}</script>", f"]]><script>{HIT}</script>",
    f"<svg onload={HIT}>", f"<svg><script>{HIT}</script></svg>", f"<svg><animate onbegin={HIT} attributeName=x dur=1s>",
    f"<img/src=x onerror={HIT}>", f"<img src=x:x onerror\n={HIT}>", f"'><img src=x onerror={HIT}>",
    f'"><img src=x onerror={HIT}>', f"`><img src=x onerror={HIT}>", f"<!--><img src=x onerror={HIT}>-->",
    f'<noscript><p title="</noscript><img src=x onerror={HIT}>">', f"<iframe srcdoc='<script>parent.{HIT}</script>'>",
    f"<iframe src=javascript:parent.{HIT}>", f"<object data=javascript:{HIT}>", f"<embed src=javascript:{HIT}>",
    f"<details open ontoggle={HIT}>", f"<input autofocus onfocus={HIT}>", f"<video><source onerror={HIT}></video>",
    f"<audio src=x onerror={HIT}>", f"<body onload={HIT}>", f"<marquee onstart={HIT}>",
    f"<form><button formaction=javascript:{HIT}>go", f"<a href=javascript:{HIT} autofocus onfocus={HIT}>",
    f"<math><mtext><style><img src=x onerror={HIT}></style>", f"<scr\0ipt>{HIT}</script>",
    "<link rel=stylesheet href=https://data.example/x.css>", "<base href=https://data.example/>",
    "<meta http-equiv=refresh content='0;url=https://data.example/'>", "<style>@import 'https://data.example/x';</style>",
    "<img srcset=https://data.example/x.png>", "![x](https://data.example/x.png)", "<https://data.example/x>",
    f"&lt;script&gt;{HIT}&lt;/script&gt;", f"\\u003cscript\\u003e{HIT}\\u003c/script\\u003e",
    f"$$\\href{{javascript:{HIT}}}{{x}}$$ {{{{constructor.constructor('{HIT}')()}}}} ${{{HIT}}}",
]  # fmt: skip
"""Forty ways to make a page run a script of the text's own, or ask another machine for something."""


class Watched:
    """A page that remembers what it asked of the network and what went wrong."""

    def __init__(self, page, artifacts):
        self.page, self.artifacts = page, artifacts
        self.errors, self.foreign = [], []
        page.set_default_timeout(240_000)  # other work may hold the machine
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("console", self._said)
        page.on("request", self._asked)

    def _said(self, message):
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location}")

    def _asked(self, request):
        if not request.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:", "file:")):
            self.foreign.append(request.url)

    def shot(self, name, target=None, **options):
        (target or self.page).screenshot(path=self.artifacts / f"{name}.png", **options)

    def is_quiet(self):
        """No script of the text ran, nothing failed, and nothing was asked of the network."""
        assert self.page.evaluate("window.hit") is None
        held = "img[src^=x], a[href*='javascript'], [onerror], [onload], [onfocus], iframe[srcdoc], base[href*=example]"
        assert self.page.locator(held).count() == 0
        assert self.errors == []
        assert self.foreign == []


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory):
    """Where screenshots go: $NEWS_TOOLKIT_ARTIFACTS, else pytest's own temporary folder."""
    folder = Path(os.environ.get("NEWS_TOOLKIT_ARTIFACTS") or tmp_path_factory.mktemp("artifacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="module")
def browser():
    """Chromium for the tests of a module: playwright's event loop must not outlive them."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs the extra dev (playwright)")
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def watched(browser, artifacts, request):
    """A fresh page; how it looked when the test ended is among the artefacts."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000}, color_scheme="light")
    made = Watched(page, artifacts)
    yield made
    made.shot(f"end-{request.node.name}")
    page.close()


@pytest.fixture(scope="session")
def hostile():
    """Records of articles that attack whoever shows them: each payload stands in every field."""
    assert len(set(PAYLOADS)) == 40
    things = "harbour bridge school clinic market theatre library station museum reservoir".split()
    verbs = "opened closed moved burned flooded reopened".split()
    return [
        {
            "id": f"{HOSTILE}{number} {more}", "title": f"The {thing} {verb} {HOSTILE} {more}",
            "url": f"https://a.example/{more}" if number % 2 else "javascript:window.hit=1",
            "authors": [HOSTILE, more], "publisher": f"{HOSTILE}{more if number % 3 else ''}", "section": more,
            "text": f"The {thing} of Lorve {verb} on day {number}, its keeper said.\n\n"
            f"Nobody had seen a {thing} that {verb} before. {HOSTILE} {more}\n\n"
            f"Sign up for our daily newsletter and follow us on Twitter. {HOSTILE}\n\n"
            "© 2031 Lorve Press. All rights reserved.\n\nBy Ada Berg",
        }
        for number, (thing, verb) in enumerate(product(things, verbs))
        for more in [PAYLOADS[number % len(PAYLOADS)]]
    ]  # fmt: skip


@pytest.fixture(scope="session", autouse=True)
def report(tmp_path_factory, hostile, request):
    """``news-toolkit report`` on the sample and hostile articles, begun before it is needed."""
    wanted = any(item.path.name == "test_report_page.py" for item in request.session.items)
    if CHROMIUM is None or not wanted:
        yield None
        return
    folder = tmp_path_factory.mktemp("report")
    (folder / "in").mkdir()
    shutil.copy(ROOT / "data" / "sample" / "articles.jsonl.gz", folder / "in")
    name = (
        f"{PAYLOADS[9].replace('/', ' ')}.jsonl"  # a name of a file is shown too, and that of a broken line
    )
    (folder / "in" / name).write_text("\n".join([*map(json.dumps, hostile), *PAYLOADS]), "utf-8")
    command = [
        sys.executable,
        "-m",
        "toolkit.cli",
        "report",
        str(folder / "in"),
        "-o",
        str(folder / "report.html"),
    ]
    with (folder / "log").open("w") as log:
        job = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    yield folder, job
    job.kill()
    job.wait()


class Lab:
    """A running JupyterLab on a folder of notebooks."""

    def __init__(self, folder, port, token):
        self.folder, self.port, self.token = folder, port, token
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path, body=None):
        request = urllib.request.Request(
            f"{self.url}/api/{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def begin(self, name):
        """Start the kernel of a notebook, so that the page attaches to it and never asks which."""
        kernel = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
        return self.ask("sessions", kernel)["kernel"]["id"]

    def write(self, name, *cells):
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(source) for source in cells],
            metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        )
        nbformat.write(book, self.folder / name)
        return self.begin(name)

    def open(self, watched, name):
        """Open a notebook and wait until its kernel is idle."""
        page = watched.page
        page.goto(f"{self.url}/lab/tree/{name}?reset&token={self.token}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()

    def choose(self, watched, menu, entry):
        """Choose an entry of a menu."""
        watched.page.get_by_role("menuitem", name=menu, exact=True).click()
        watched.page.get_by_text(entry, exact=True).click()

    def clear(self, watched):
        """Clear the outputs of all cells."""
        self.choose(watched, "Edit", "Clear Outputs of All Cells")

    def run_all(self, watched):
        """Clear the outputs, run all cells, and wait until each has its number."""
        page = watched.page
        self.clear(watched)
        self.choose(watched, "Run", "Run All Cells")
        page.wait_for_function(
            """() => {
                const prompts = [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')];
                return document.querySelector('[data-mime-type="application/vnd.jupyter.stderr"]')
                    || (prompts.length && prompts.every(e => /\\[\\d+\\]/.test(e.textContent)));
            }"""
        )
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        failed = page.locator('[data-mime-type="application/vnd.jupyter.stderr"]')
        assert failed.count() == 0, failed.first.inner_text()


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    """JupyterLab on a free loopback port, with a token, on a copy of the notebooks, with no other state."""
    if CHROMIUM is None:
        pytest.skip("needs a browser: apt-get install chromium")
    scratch = tmp_path_factory.mktemp("lab")
    folder = scratch / "notebooks"
    shutil.copytree(ROOT / "notebooks", folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    for name, values in SETTINGS.items():
        path = scratch / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), "utf-8")
    own = {
        "JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings", "JUPYTERLAB_WORKSPACES_DIR": "workspaces", "IPYTHONDIR": "ipython",
    }  # fmt: skip
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [
        sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", "--ip=127.0.0.1", f"--port={port}",
        "--ServerApp.port_retries=0", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    environment = os.environ | {name: str(scratch / value) for name, value in own.items()}
    log = (scratch / "log").open("w")
    server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    running = Lab(folder, port, token)
    try:
        deadline = time.monotonic() + 240
        while True:
            try:
                running.ask("status")
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail((scratch / "log").read_text("utf-8")[-2000:])
                time.sleep(0.2)
        yield running
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        log.close()
