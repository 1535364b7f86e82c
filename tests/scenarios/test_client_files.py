"""A browser that was opened before an update keeps working after it."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from apps import materialise
from browser import Browser
from sites import Site, say

from filae_ops.bundle.build import build
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine
from filae_ops.lab.machine_inventory import release_key

MANY = ("2.1.1", "2.1.2")
YEAR = "max-age=31536000, immutable"


@pytest.fixture(scope="module")
def site(template: Machine) -> Iterator[Site]:
    """A copy that this file's tests take through their updates, in order."""
    site = Site(fleet.up("browsed", source=template, say=say))
    yield site
    lifecycle.remove(site.machine)


@pytest.fixture(scope="module")
def name(site: Site) -> str:
    return str(json.loads(site.run("cat /etc/filae/agent.json").stdout)["public_name"])


@pytest.fixture(scope="module")
def browser(site: Site, name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser in which somebody has logged in."""
    authority = site.run("cat /etc/filae/tls/served-ca.pem").stdout
    browser = Browser(tmp_path_factory.mktemp("home"), site.machine, name, authority)
    try:
        log_in(browser, site, name)
        yield browser
    finally:
        browser.close()


@pytest.fixture
def both(site: Site, bundles: dict[str, Path]) -> None:
    """Both releases are on the machine: the first test's work, or done here when that one did not get so far."""
    if "2.1.0" not in site.run("ls /opt/filae/releases").stdout.split():
        done = site.ops("deploy", str(bundles["2.1.0"]))
        assert done.returncode == 0, done.stderr


def scripts(site: Site, version: str, word: str = "*") -> set[str]:
    """Return the addresses of a release's scripts and styles."""
    line = f"cd /opt/filae/releases/{version}/public && ls -d /$PWD/js/{word}-*.js 2>/dev/null"
    return {f"/js/{path.rpartition('/')[2]}" for path in site.run(line).stdout.split()}


def ask(site: Site, name: str, *paths: str) -> dict[str, tuple[int, str, str]]:
    """Ask the front door, on the machine: status, Cache-Control and the first word of the body."""
    script = """
import http.client, json, ssl, sys
name, paths = sys.argv[1], sys.argv[2:]
found = {}
for path in paths:
    link = http.client.HTTPSConnection(name, context=ssl.create_default_context(cafile="/etc/filae/tls/served-ca.pem"))
    link._create_connection = lambda address, *rest: __import__("socket").create_connection(("127.0.0.1", 443), 10)
    link.putrequest("GET", path)
    link.endheaders()
    answer = link.getresponse()
    found[path] = (answer.status, answer.headers.get("Cache-Control", ""), answer.read(15).decode(errors="replace"))
print(json.dumps(found))
"""
    done = site.run(shlex.join(["python3", "-c", script, name, *paths]))
    assert done.returncode == 0, done.stderr
    return {path: tuple(answer) for path, answer in json.loads(done.stdout).items()}


def log_in(browser: Browser, site: Site, name: str) -> None:
    browser.open(f"https://{name}/")
    browser.wait("h1", "Connexion")
    browser.fill(login="admin", password=site.run("cat /etc/filae/secrets/admin_password").stdout.strip())
    browser.click("form button")
    browser.wait("h1", "Dossiers")


def test_a_page_opened_before_an_update_goes_on_after_it(
    site: Site, browser: Browser, bundles: dict[str, Path]
) -> None:
    browser.wait("#version", "Version 2.0.0")
    late = scripts(site, "2.0.0", "creation")
    assert len(late) == 1
    assert not late & browser.loaded(), "this page is loaded when it is asked for"

    updated = site.ops("deploy", str(bundles["2.1.0"]))
    assert updated.returncode == 0, updated.stderr

    assert browser.text("#version") == "Version 2.0.0", "the page itself was not loaded again"
    browser.click('a[href="/dossiers/nouveau"]')
    browser.wait("h1", "Nouveau dossier")
    assert late <= browser.loaded(), "the old release's script, after the switch"
    browser.fill(nom="Essai", prenom="Navigateur", examen="2026-11-22", motif="Autre", requerant="Commissariat")
    assert "Urgence" not in browser.text("form")
    browser.click("form button")
    created = browser.wait("h1", "Dossier ").removeprefix("Dossier ")
    browser.click('main a[href="/"]')
    browser.wait("h1", "Dossiers")
    assert created in browser.text("table")
    assert browser.console() == []

    browser.reload()
    browser.wait("#version", "Version 2.1.0")
    assert created in browser.wait("table", created)
    browser.click('a[href="/dossiers/nouveau"]')
    browser.wait("form", "Urgence")
    assert scripts(site, "2.1.0", "creation") <= browser.loaded()
    assert browser.console() == []


@pytest.mark.usefixtures("both")
def test_what_is_cached_and_what_is_not(site: Site, name: str) -> None:
    for version in ("2.0.0", "2.1.0"):
        answers = ask(site, name, *scripts(site, version))
        assert len(answers) == 6
        assert {(status, cache) for status, cache, _ in answers.values()} == {(200, YEAR)}, version
    answers = ask(site, name, "/", "/index.html", "/dossiers/1", "/icon.svg")
    assert {(status, cache) for status, cache, _ in answers.values()} == {(200, "no-cache")}
    assert answers["/dossiers/1"][2] == "<!doctype html>"


@pytest.mark.usefixtures("both")
def test_an_absent_script_is_absent_and_nothing_outside_is_served(site: Site, name: str) -> None:
    site.run("echo secret > /opt/filae/releases/2.1.0/public/.secret; echo x > /opt/filae/releases/2.0.0/x-12345678.js")
    paths = ["/js/creation-00000000.js", "/style-00000000.css", "/.secret", "/js/.x-12345678.js", "/x-12345678.js",
             "/maintenance.html", "/js/..%2f..%2fVERSION", "/js/../../VERSION", "/..%2fx-12345678.js"]  # fmt: skip
    answers = ask(site, name, *paths)
    site.run("rm /opt/filae/releases/2.1.0/public/.secret /opt/filae/releases/2.0.0/x-12345678.js")
    assert {path: status for path, (status, _, _) in answers.items() if status not in (400, 404)} == {}
    assert all(cache in ("", "no-store") for _, cache, _ in answers.values()), "a browser asks again"


@pytest.mark.usefixtures("both")
def test_after_a_rollback_the_newer_page_goes_on(site: Site, name: str, browser: Browser) -> None:
    browser.open(f"https://{name}/")
    browser.wait("#version", "Version 2.1.0")
    newer = scripts(site, "2.1.0", "creation")
    back = site.run("filaectl rollback 2.0.0", timeout=300)
    assert back.returncode == 0, back.stderr
    browser.click('a[href="/dossiers/nouveau"]')
    browser.wait("form", "Urgence")
    assert newer <= browser.loaded()
    assert browser.console() == []
    browser.reload()
    browser.wait("#version", "Version 2.0.0")


@pytest.mark.usefixtures("both")
def test_releases_that_are_removed_are_no_longer_named(
    site: Site, name: str, bundles: dict[str, Path], tmp_path: Path
) -> None:
    """Three releases stay served; the fourth goes from the disk, and from nginx before."""
    oldest = scripts(site, "2.0.0") - scripts(site, "2.1.0")
    again = site.ops("deploy", str(bundles["2.1.0"]))
    assert again.returncode == 0, again.stderr
    for version in MANY:
        source = materialise("reference", version, tmp_path / version)
        bundle = build(source, tmp_path / "out", release_key(lifecycle.lab_id())).bundle
        done = site.ops("deploy", str(bundle))
        assert done.returncode == 0, done.stderr
    text = site.run("cat /etc/nginx/filae/live.conf").stdout
    assert re.findall(r"root \S+/([0-9.]+)/public", text) == ["2.1.2", "2.1.1", "2.1.0"]
    assert site.run("ls /opt/filae/releases").stdout.split() == ["2.1.0", "2.1.1", "2.1.2"]
    assert {status for status, _, _ in ask(site, name, *oldest).values()} == {404}
