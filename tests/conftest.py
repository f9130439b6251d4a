"""The built site, served, and a browser to look at it with."""

import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
SITE_FILES = ("test_built.py", "test_versions.py")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def report(problems):
    """Fail with a line for each problem, if there is one."""
    if problems := list(problems):
        pytest.fail("\n".join(["", *problems]), pytrace=False)


def pytest_addoption(parser):
    """Take `--every-page`."""
    parser.addoption(
        "--every-page",
        action="store_true",
        help="ask axe about every page of the site, not about one of each tab",
    )


class ByFile(LoadScopeScheduling):
    """Keeps a file's tests in one process, and most of the built site in the same.

    The search is asked in another one, for which the site is built again: all of them
    after one another would take longer than the rest of the tests.
    """

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return "site" if Path(file).name in SITE_FILES else file


def pytest_xdist_make_scheduler(config, log):
    """Take `--dist loadfile` with one exception, so that the site is built twice."""
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


class Site(NamedTuple):
    """The built site: its folder and the address it is served from."""

    path: Path
    url: str


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line in the terminal for each."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site as readers get it: built strictly, served from its own root."""
    folder = tmp_path_factory.mktemp("site")
    handler = functools.partial(QuietHandler, directory=folder)
    # The port is taken before the build: instant navigation is only active when
    # site_url is the origin that the pages are served from.
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        # Not --quiet: it would hide the warnings from --strict as well.
        command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
        build = subprocess.run(
            [*command, "--site-dir", folder],
            cwd=ROOT,
            env={**os.environ, "SITE_URL": url, "NO_MKDOCS_2_WARNING": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if build.returncode:
            pytest.fail(f"mkdocs build --strict failed:\n{build.stdout}", pytrace=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Site(folder, url)
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    """Chromium, from the machine or from Playwright."""
    from playwright.sync_api import Error, sync_playwright

    installed = (shutil.which(name) for name in BROWSERS)
    executable = os.environ.get("CHROMIUM") or next(filter(None, installed), None)
    with sync_playwright() as driver:
        try:
            chromium = driver.chromium.launch(
                executable_path=executable,
                # Containers run as root and share little memory.
                args=["--no-sandbox", "--disable-dev-shm-usage"],
            )
        except Error as error:
            chromium, reason = None, error.message.splitlines()[0]
        if chromium is None:
            required = os.environ.get("CI") or os.environ.get("BROWSER_REQUIRED")
            message = (
                f"cannot start {executable or 'a browser'}: {reason}\n"
                "Get one with 'apt-get install chromium' or 'playwright install "
                "chromium', or set CHROMIUM to an executable."
            )
            if required:
                pytest.fail(message, pytrace=False)
            pytest.skip(message)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """A page for the tests that act as a reader does."""
    # Here, as the environments of other sessions have no browser.
    from tests.visits import DESKTOP

    context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    # With three workers on two cores, a first search took more than ten seconds.
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()
