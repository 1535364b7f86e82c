"""Two controllers at once, and Ctrl-C in the middle: one works, nothing is half done, the next run works."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sites import CLI, Site, run_ops, say
from untouched import assert_refused, edited, untouched

from filae_ops.lab import fleet
from filae_ops.lab import machine as machines
from filae_ops.lab.machine import Machine

INTERRUPTED = 130
BUSY = "systemctl is-active filae-transaction.service"


@pytest.fixture(scope="module")
def site(template: Machine) -> Iterator[Site]:
    """A copy of the deployed machine, for all of this file."""
    made = Site(fleet.up("crowd", source=template, say=say))
    yield made
    machines.remove(made.machine)


class Run:
    """A command that runs while the test goes on."""

    def __init__(self, *words: str) -> None:
        self.process = subprocess.Popen(
            [*CLI, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []

    def wait_for(self, text: str) -> None:
        """Read its messages up to one that holds this text."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if text in line:
                return
        raise AssertionError(f"{text!r} never came:\n{''.join(self.lines)}")

    def end(self, number: int | None = None) -> subprocess.CompletedProcess[str]:
        """Send it a signal, if any, and return what it answered."""
        if number is not None:
            self.process.send_signal(number)
        stdout, stderr = self.process.communicate(timeout=120)
        return subprocess.CompletedProcess(
            self.process.args, self.process.returncode, stdout, "".join(self.lines) + stderr
        )


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it never came true"
        time.sleep(0.1)


def busy(site: Site) -> bool:
    return site.run(BUSY).returncode == 0


def changed(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["changed"])


def test_a_second_controller_is_refused_and_the_first_goes_on(site: Site, bundles: dict[str, Path]) -> None:
    first = Run("-i", str(site.inventory), "provision", "--json")
    until(lambda: busy(site))
    others = [
        Run("-i", str(site.inventory), *words)
        for words in (("provision", "--json"), ("deploy", "--json", str(bundles["2.1.0"])))
    ]
    for other in others:
        assert_refused(other.end(), "site: ", "being changed by: provision from", "by lab")
    changed(first.end())
    until(lambda: not busy(site), 5)
    assert json.loads(site.ops("status", "--json").stdout)["version"] == "2.0.0"
    assert changed(site.ops("provision", "--json")) == 0


def test_ctrl_c_before_the_handlers_leaves_work_that_the_next_run_takes_up(site: Site, tmp_path: Path) -> None:
    """Files are placed, the locale is not generated: the next run must not say that nothing is to be done."""
    inventory = str(edited(site, tmp_path, {"site.yml": ("locale: .*", "locale: en_GB.UTF-8")}))
    run = Run("-i", inventory, "provision", "--json")
    run.wait_for("Place the settings of the system")
    assert_refused(run.end(signal.SIGINT), "interrupted", status=INTERRUPTED)
    assert "en_GB" in site.run("cat /etc/locale.gen").stdout
    assert "en_GB" not in site.run("locale -a").stdout
    assert changed(run_ops("-i", inventory, "provision", "--json")) > 0
    assert "en_GB" in site.run("locale -a").stdout
    assert changed(run_ops("-i", inventory, "provision", "--json")) == 0
    left = site.run("find /etc /usr/local /var/lib/filae-ops -name '.place-*' -o -name '*.new' -o -name unfinished")
    assert left.stdout == ""


def test_ctrl_c_in_the_middle_of_apt_lets_it_end_and_the_next_run_waits_for_it(site: Site) -> None:
    slow = "/etc/apt/apt.conf.d/99slow"
    site.run(f"echo 'DPkg::Pre-Install-Pkgs {{\"sleep 6\";}};' > {slow} && dpkg --purge unattended-upgrades")
    run = Run("-i", str(site.inventory), "provision", "--json")
    until(lambda: site.run("pgrep -f 'sleep [6]'").returncode == 0)
    assert_refused(run.end(signal.SIGINT), "interrupted", status=INTERRUPTED)
    again = site.ops("provision", "--json")
    assert again.returncode == 0, again.stderr
    assert "Install every role's packages" not in again.stderr
    assert site.run(f"rm {slow}; dpkg --audit").stdout == ""
    assert site.run("dpkg-query -W -f '${db:Status-Status}' unattended-upgrades").stdout == "installed"


def test_ctrl_c_in_the_middle_of_a_deploy_lets_the_transaction_go_on(site: Site, bundles: dict[str, Path]) -> None:
    run = Run("-i", str(site.inventory), "deploy", "--json", str(bundles["2.1.0"]))
    run.wait_for("deploy 2.0.0 -> 2.1.0")
    assert_refused(run.end(signal.SIGINT), "goes on without you", "journal", status=INTERRUPTED)
    others = [
        Run("-i", str(site.inventory), *words)
        for words in (("provision", "--json"), ("deploy", "--json", str(bundles["2.1.0"])))
    ]
    for other in others:
        assert_refused(other.end(), "site: ", "being changed by: ")
    until(lambda: not busy(site))
    status = json.loads(site.ops("status", "--json").stdout)
    assert (status["version"], status["healthy"]) == ("2.1.0", True)
    assert status["last_transaction"]["outcome"] == "committed"


def test_ctrl_c_while_the_bundle_is_sent_starts_nothing(site: Site, tmp_path: Path) -> None:
    bundle = tmp_path / "filae-9.9.9.tar.zst"
    with bundle.open("wb") as stream:
        stream.truncate(2 * 1024**3)
    Path(f"{bundle}.sig").write_text("never looked at")
    with untouched(site):
        run = Run("-i", str(site.inventory), "deploy", "--json", str(bundle))
        until(lambda: sending(site))
        done = run.end(signal.SIGINT)
        assert done.returncode == INTERRUPTED
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        until(lambda: not sending(site))


def sending(site: Site) -> bool:
    return "partial" in site.run("ls -A /var/lib/filae-ops/incoming").stdout
