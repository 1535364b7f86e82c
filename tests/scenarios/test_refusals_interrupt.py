"""Two controllers at once, and Ctrl-C in the middle: one works, nothing is half done, the next run works."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from minimal_site import QUICK, set_agent
from sites import CLI, LONG, Site, run_ops, say
from untouched import assert_refused, edited, untouched
from waiting import until

from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine

INTERRUPTED = 130
BEFORE_LOCKS, INSTALLING = "APT::Update::Pre-Invoke", "DPkg::Pre-Install-Pkgs"
BUSY = "systemctl is-active filae-transaction.service"


@pytest.fixture(scope="module")
def site(template: Machine) -> Iterator[Site]:
    """A copy of the deployed machine, for all of this file."""
    made = Site(fleet.up("crowd", source=template, say=say))
    # The machine's own look at what runs comes when these tests have it come.
    place = "/run/systemd/system/filae-refresh.timer.d"
    do(made, f"mkdir -p {place}; printf '[Timer]\\nOnBootSec=\\nOnActiveSec=1d\\n' > {place}/tests.conf")
    do(made, "systemctl daemon-reload; systemctl restart filae-refresh.timer")
    yield made
    lifecycle.remove(made.machine)


@pytest.fixture(autouse=True)
def settled(site: Site) -> None:
    """Nobody is at work, nor about to be: once packages change, the machine itself takes the lock to start again what
    runs with files that are gone, and the locale's are such a file."""
    do(site, "systemctl start filae-refresh.service")
    until(lambda: not busy(site))


class Run:
    """A command that runs while the test goes on."""

    def __init__(self, *words: str) -> None:
        self.stdout, self.stderr = os.memfd_create("stdout"), os.memfd_create("stderr")
        self.process = subprocess.Popen(
            [*CLI, *words], stdin=subprocess.DEVNULL, stdout=self.stdout, stderr=self.stderr
        )

    def told(self) -> str:
        """Return its messages so far."""
        return content(self.stderr)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for something that it does; it does not end before."""
        until(true, ended=lambda: self.process.poll() is not None, told=lambda: self.told() + content(self.stdout))

    def wait_for(self, text: str) -> None:
        """Wait for a message that holds this text."""
        self.until(lambda: text in self.told())

    def end(self, number: int | None = None) -> subprocess.CompletedProcess[str]:
        """Send it a signal, if any, and return what it answered."""
        if number is not None:
            self.process.send_signal(number)
        status = self.process.wait(LONG)
        return subprocess.CompletedProcess(self.process.args, status, content(self.stdout), self.told())


def content(file: int) -> str:
    """Return all of a file, without moving where the next word goes."""
    return os.pread(file, 2**24, 0).decode()


def do(site: Site, line: str) -> str:
    """Run a shell line on the machine, that must succeed; return what it prints."""
    done = site.run(line, timeout=LONG)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def busy(site: Site) -> bool:
    return site.run(BUSY).returncode == 0


def changed(done: subprocess.CompletedProcess[str]) -> int:
    assert done.returncode == 0, done.stderr
    return int(json.loads(done.stdout)["changed"])


@contextlib.contextmanager
def held_apt(site: Site, moment: str) -> Iterator[Run]:
    """A provisioning that has come to this moment of apt's; it goes on 6 s after /run/apt-seen is there.

    By itself it goes on after five minutes: a test that fails leaves nothing that waits.
    """
    script = "touch /run/apt-began; timeout 300 sh -c 'until test -e /run/apt-seen; do sleep 0.1; done'; sleep 6"
    hook = "/etc/apt/apt.conf.d/99held"
    do(site, f"rm -f /run/apt-*; echo {shlex.quote(script)} > /run/hold; dpkg --purge unattended-upgrades")
    do(site, f"""echo '{moment} {{"sh /run/hold";}};' > {hook}""")
    try:
        run = Run("-i", str(site.inventory), "provision", "--json")
        run.until(lambda: site.run("test -e /run/apt-began").returncode == 0)
        yield run
    finally:
        do(site, f"rm {hook}; touch /run/apt-seen")


def test_a_second_controller_is_refused_and_the_first_goes_on(site: Site, bundles: dict[str, Path]) -> None:
    with held_apt(site, BEFORE_LOCKS) as first:
        others = [
            Run("-i", str(site.inventory), *words)
            for words in (("provision", "--json"), ("deploy", "--json", str(bundles["2.1.0"])))
        ]
        for other in others:
            assert_refused(other.end(), "site: ", "being changed by: provision from", "by lab")
    changed(first.end())
    assert not busy(site)
    assert json.loads(site.ops("status", "--json").stdout)["version"] == "2.0.0"
    assert changed(site.ops("provision", "--json")) == 0


def test_ctrl_c_before_the_handlers_leaves_work_that_the_next_run_takes_up(site: Site, tmp_path: Path) -> None:
    """Files are placed, the locale is not generated: the next run must not say that nothing is to be done."""
    do(site, "mount --bind /bin/true /usr/sbin/locale-gen")  # however late the interrupt comes on a busy host
    inventory = str(edited(site, tmp_path, {"site.yml": ("locale: .*", "locale: en_GB.UTF-8")}))
    run = Run("-i", inventory, "provision", "--json")
    run.wait_for("Place the settings of the system")
    assert_refused(run.end(signal.SIGINT), "interrupted", status=INTERRUPTED)
    assert "en_GB" in site.run("cat /etc/locale.gen").stdout
    assert "en_GB" not in site.run("locale -a").stdout
    do(site, "umount /usr/sbin/locale-gen")
    assert changed(run_ops("-i", inventory, "provision", "--json")) > 0
    assert "en_GB" in site.run("locale -a").stdout
    assert changed(run_ops("-i", inventory, "provision", "--json")) == 0
    left = site.run("find /etc /usr/local /var/lib/filae-ops -name '.place-*' -o -name '*.new' -o -name unfinished")
    assert left.stdout == ""


def test_ctrl_c_in_the_middle_of_apt_lets_it_end_and_the_next_run_waits_for_it(site: Site) -> None:
    with held_apt(site, INSTALLING) as run:
        assert_refused(run.end(signal.SIGINT), "interrupted", status=INTERRUPTED)
        do(site, "touch /run/apt-seen")
        again = site.ops("provision", "--json")
    assert again.returncode == 0, again.stderr
    assert "Install every role's packages" not in again.stderr
    assert do(site, "dpkg --audit") == ""
    assert do(site, "dpkg-query -W -f '${db:Status-Status}' unattended-upgrades") == "installed"


def test_ctrl_c_in_the_middle_of_a_deploy_lets_the_transaction_go_on(site: Site, bundles: dict[str, Path]) -> None:
    set_agent(site, timings={"soak": 30})  # the others come while it is watched, also on a busy host
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
    set_agent(site, timings=QUICK)
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
        run.until(lambda: sending(site))
        done = run.end(signal.SIGINT)
        assert done.returncode == INTERRUPTED
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        until(lambda: not sending(site))


def sending(site: Site) -> bool:
    return "partial" in site.run("ls -A /var/lib/filae-ops/incoming").stdout
