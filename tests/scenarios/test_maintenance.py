"""The ward's page instead of the application: put up by the DSI, kept by an update, ended by itself."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import time
from pathlib import Path

from sites import LONG, Site

from filae_ops.lab import lifecycle
from filae_ops.lab.machine_inventory import DSI_ACCOUNT, dsi_key

MESSAGE = "Utilisez la fiche <rouge> n° 12.\n\nUrgence : 15"
LOOK = """
import http.client, json, socket, ssl
name = json.load(open("/etc/filae/agent.json"))["public_name"]
found = {}
for method, path in (("GET", "/"), ("GET", "/api/health"), ("POST", "/api/session"), ("GET", "/js/x-12345678.js")):
    link = http.client.HTTPSConnection(name, context=ssl.create_default_context(cafile="/etc/filae/tls/served-ca.pem"))
    link._create_connection = lambda *rest: socket.create_connection(("127.0.0.1", 443), 10)
    link.request(method, path)
    answer = link.getresponse()
    retry = answer.headers.get("Retry-After")
    found[method + " " + path] = [answer.status, retry, answer.read().decode(errors="replace")]
print(json.dumps(found))
"""


def as_dsi(site: Site, command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    argv = lifecycle.ssh_argv(site.machine, [command], user=DSI_ACCOUNT)
    argv[argv.index("-i") + 1] = str(dsi_key(site.machine.lab))
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, input=text)


def seen(site: Site) -> dict[str, tuple[int, str | None, str]]:
    done = site.run("python3", "-c", LOOK)
    assert done.returncode == 0, done.stderr
    return {what: tuple(answer) for what, answer in json.loads(done.stdout).items()}


def closed(site: Site) -> bool:
    """Tell whether people are kept out; half of it is a failure."""
    found = seen(site)
    assert found["GET /api/health"][0] == 200
    others = [answer for what, answer in found.items() if what != "GET /api/health"]
    if others[0][0] == 200:
        return False
    assert {(status, retry, text) for status, retry, text in others} == {(503, "120", others[0][2])}
    return True


def maintenance(site: Site) -> dict[str, str] | None:
    status = json.loads(site.ops("status", "--json").stdout)
    assert status["healthy"] is True
    found: dict[str, str] | None = status["maintenance"]
    return found


def soon(seconds: int) -> str:
    return (dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)).isoformat(timespec="seconds")


def test_closed_by_the_dsi_updated_meanwhile_and_ended_by_itself(copy: Site, bundles: dict[str, Path]) -> None:
    assert not closed(copy)
    for refused in ("on --message /etc/shadow", "on --until /etc/shadow", "off --ended"):
        done = as_dsi(copy, f"sudo -n filaectl maintenance {refused}")
        assert "password is required" in done.stderr or "mot de passe" in done.stderr, refused
    assert as_dsi(copy, "sudo -n filaectl maintenance").stdout == "maintenance off\n"
    on = as_dsi(copy, f"sudo -n filaectl maintenance on --message - --until {soon(3600)}", MESSAGE)
    assert on.returncode == 0, on.stderr
    assert closed(copy)
    page = seen(copy)["GET /"][2]
    assert "<p>Utilisez la fiche &lt;rouge&gt; n° 12.</p>\n<p>Urgence : 15</p>" in page
    assert (maintenance(copy) or {})["by"] == DSI_ACCOUNT

    updated = copy.ops("deploy", str(bundles["2.1.0"]), "--json")
    assert updated.returncode == 0, updated.stderr
    assert closed(copy), "an update does not open"
    checks = {check["id"]: check for check in json.loads(copy.ops("verify", "--json").stdout)["checks"]}
    assert {checks[name]["status"] for name in ("app-health", "app-version", "app-probe", "app-schema")} == {"pass"}
    assert checks["app-page"]["status"] == "not_run"
    assert "on purpose" in checks["app-page"]["message"]

    # Off while its end comes: it has ended at the next boot.
    ends = time.monotonic() + 20
    moved = as_dsi(copy, f"sudo -n filaectl maintenance on --until {soon(20)}")
    assert moved.returncode == 0, moved.stderr
    lifecycle.stop(copy.machine, cut=True)
    time.sleep(max(0.0, ends + 2 - time.monotonic()))
    lifecycle.start(copy.machine)
    limit = time.monotonic() + LONG
    while copy.run("systemctl is-system-running --wait; filaectl maintenance").stdout.split()[-1] != "off":
        assert time.monotonic() < limit, copy.run("systemctl list-timers --all; journalctl -b -n 30").stdout
        time.sleep(1)
    assert not closed(copy)
    assert "maintenance off by its end" in copy.run("filaectl journal -n 3").stdout
    assert maintenance(copy) is None
    assert copy.run("ls /etc/systemd/system/filae-maintenance.timer").returncode != 0
