"""After an update of Debian's packages: what is noticed, what is done about it, and what a start does by itself."""

from __future__ import annotations

import fcntl
import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import machine_at, make_live, put_release

from filae_ops.agent import apt, ask, attach, gems, launch, one, refresh, relock, stale
from filae_ops.agent.errors import Refused
from filae_ops.agent.journal import Journal
from filae_ops.agent.machine import Live, Machine
from filae_ops.agent.run import Failed, Result

ROLES = Path(__file__).parents[3] / "roles"
LOCK = """PATH
  remote: engines/own
  specs:
    own (1.0)

GEM
  specs:
    rack (3.1.20)
    puma (6.6.0)
      nio4r (~> 2.0)
    rspec (9999)

DEPENDENCIES
  rack

BUNDLED WITH
   2.6.7
"""
LIVE = Live("2.1.0", "green")
STARTED = 1_800_000_000


def provisioned(root: Path, **config: Any) -> Machine:
    """Return a machine where 2.1.0 runs, locked from gems that are all there."""
    shown = Result(0, f"MainPID=7\nControlGroup=/filae\nExecMainStartTimestamp=@{STARTED}\n")
    machine, _ = machine_at(root, {"systemctl show filae-web@green": shown, "systemctl show filae-worker": Result(0)},
                            **config)  # fmt: skip
    tree = put_release(machine, "2.1.0")
    (tree / "Gemfile").write_text("")
    (tree / "Gemfile.lock").write_text(LOCK)
    make_live(machine, "2.1.0", "green")
    gem(root, "rack-3.1.20")
    gem(root, "puma-6.6.0", "usr/lib/x86_64-linux-gnu/rubygems-integration/3.3.0/specifications")
    stale.record(machine.layout, "2.1.0").parent.mkdir()
    stale.record(machine.layout, "2.1.0").write_text(json.dumps(["rspec-9999"]))
    (root / "sys/fs/cgroup/filae").mkdir(parents=True)
    (root / "sys/fs/cgroup/filae/cgroup.procs").write_text("7\n8\n")
    return machine


def gem(root: Path, name: str, place: str = "usr/share/rubygems-integration/all/specifications") -> Path:
    path = root / place / f"{name}.gemspec"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path


def package(root: Path, name: str, *files: str, age: int) -> None:
    path = root / "var/lib/dpkg/info" / f"{name}.list"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["/.", *files]) + "\n")
    os.utime(path, (STARTED + age, STARTED + age))


def test_a_lock_names_the_gems_of_the_machine_and_not_those_of_the_tree() -> None:
    assert stale.locked(LOCK) == {("rack", "3.1.20"), ("puma", "6.6.0"), ("rspec", "9999")}


def test_nothing_changed_is_quick_silent_and_starts_no_ruby(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine = provisioned(tmp_path)
    assert refresh.refresh(machine) == 0
    assert capsys.readouterr().out == "unchanged: all runs with what is installed\n"
    assert {argv[0] for argv in machine.runner.argvs} == {"systemctl"}  # type: ignore[attr-defined]
    assert refresh.refresh(machine, as_json=True) == 0
    assert json.loads(capsys.readouterr().out) == {"event": "unchanged", "version": "2.1.0"}
    assert not machine.layout.journal.exists()


def test_a_gem_that_went_is_noticed_and_one_that_never_was_is_not(tmp_path: Path) -> None:
    machine = provisioned(tmp_path)
    assert stale.gone(machine.layout, "2.1.0") == []
    gem(tmp_path, "rack-3.1.20").rename(gem(tmp_path, "rack-3.1.21"))
    assert stale.gone(machine.layout, "2.1.0") == ["rack-3.1.20"]
    assert stale.reasons(machine, LIVE) == ["gems of its lock are gone: rack-3.1.20"]
    stale.record(machine.layout, "2.1.0").unlink()
    assert stale.gone(machine.layout, "2.1.0") == ["rack-3.1.20", "rspec-9999"]


def test_a_release_that_brings_its_gems_has_no_lock_of_ours(tmp_path: Path) -> None:
    machine = provisioned(tmp_path)
    tree = put_release(machine, "2.2.0", gems="vendored")
    (tree / "Gemfile").write_text("")
    (tree / "Gemfile.lock").write_text(LOCK.replace("3.1.20", "1.0"))
    assert stale.gone(machine.layout, "2.2.0") == []


@pytest.mark.parametrize(
    ("line", "noticed"),
    [
        ("7f00-7f01 r-xp 00000000 fe:00 12 /usr/lib/x86_64-linux-gnu/libssl.so.3 (deleted)", True),
        ("7f00-7f01 r-xp 00000000 fe:00 12 /usr/lib/x86_64-linux-gnu/libssl.so.3.dpkg-tmp (deleted)", True),
        ("7f00-7f01 r-xp 00000000 fe:00 12 /usr/lib/x86_64-linux-gnu/libssl.so.3", False),
        ("7f00-7f01 rw-s 00000000 00:01 12 /memfd:ruby (deleted)", False),
        ("7f00-7f01 rw-s 00000000 00:01 12 /tmp/x (deleted)", False),
        ("7f00-7f01 rw-p 00000000 00:00 0", False),
    ],
)
def test_a_library_that_was_replaced_under_a_process(tmp_path: Path, line: str, noticed: bool) -> None:
    machine = provisioned(tmp_path)
    (tmp_path / "proc/8").mkdir(parents=True)
    (tmp_path / "proc/8/maps").write_text(f"{line}\n")
    wanted = ["it runs on libraries that were replaced: libssl.so.3"] if noticed else []
    assert stale.reasons(machine, LIVE) == wanted


SPECS = "/usr/share/rubygems-integration/all/specifications"


@pytest.mark.parametrize(
    ("name", "files", "age", "noticed"),
    [
        ("ruby-rack", [f"{SPECS}/rack-3.1.20.gemspec"], 5, True),
        ("ruby-rack", [f"{SPECS}/rack-3.1.20.gemspec"], -5, False),
        ("libruby3.3:amd64", ["/usr/lib/ruby/3.3.0/set.rb"], 5, True),
        ("ruby-sinatra", [f"{SPECS}/sinatra-4.1.1.gemspec"], 5, False),
        ("ruby-rack-session", [f"{SPECS}/rack-session-2.1.1.gemspec"], 5, False),
        ("tzdata", ["/usr/share/zoneinfo/UTC"], 5, False),
    ],
)
def test_a_security_update_that_keeps_the_gem_s_version_is_noticed_by_its_time(
    tmp_path: Path, name: str, files: list[str], age: int, noticed: bool
) -> None:
    machine = provisioned(tmp_path)
    package(tmp_path, name, *files, age=age)
    said = f"Ruby packages were updated after its start: {name.partition(':')[0]}"
    assert stale.reasons(machine, LIVE) == ([said] if noticed else [])


def test_a_refresh_is_asked_for_with_its_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = provisioned(tmp_path)
    package(tmp_path, "ruby-rack", f"{SPECS}/rack-3.1.20.gemspec", age=5)
    asked: list[Any] = []
    monkeypatch.setattr(ask, "carry_out", lambda machine, wanted, **how: asked.append(wanted) or 0)
    assert refresh.refresh(machine, operator="claire") == 0
    (wanted,) = asked
    assert (wanted.kind, wanted.version, wanted.from_version) == ("refresh", "2.1.0", "2.1.0")
    assert (wanted.colour, wanted.from_colour, wanted.mode) == ("blue", "green", "two")
    assert "ruby-rack" in wanted.why


def test_the_machine_s_own_unit_waits_for_dpkg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = provisioned(tmp_path)
    monkeypatch.setattr(refresh, "POLL", 0)
    answers = iter(["another program installs packages", "", "another program installs packages", "", ""])
    monkeypatch.setattr(apt, "busy", lambda machine: next(answers))
    refresh.wait_for_others(machine)
    assert next(answers, "all asked") == "all asked"
    monkeypatch.setattr(apt, "busy", lambda machine: "busy for ever")
    monkeypatch.setattr(refresh, "PATIENCE", -1)
    with pytest.raises(Refused, match="busy for ever"):
        refresh.wait_for_others(machine)


@pytest.mark.parametrize(
    ("outcome", "changed_since", "how"),
    [
        (None, False, ""),
        ("committed", False, "did not help"),
        ("committed", True, ""),
        ("rolled-back", False, "failed"),
        ("rolled-back", True, ""),
    ],
)
def test_a_refresh_that_changed_nothing_is_not_repeated_by_itself_until_packages_change(
    tmp_path: Path, outcome: str | None, changed_since: bool, how: str
) -> None:
    machine = provisioned(tmp_path)
    status = tmp_path / "var/lib/dpkg/status"
    status.parent.mkdir(parents=True, exist_ok=True)
    status.write_text("")
    moment = time.time() + (60 if changed_since else -60)
    os.utime(status, (moment, moment))
    if outcome:
        write = partial(Journal(machine.layout.journal).write, tx="t1")
        write("begin", kind="refresh", version="2.1.0")
        write(outcome)
    assert refresh.tried_already(machine) == how


def test_a_start_locks_anew_only_where_gems_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = provisioned(tmp_path)
    locked: list[dict[str, Any]] = []
    monkeypatch.setattr(gems, "lock", lambda machine, tree, contract, **how: locked.append(how))
    assert stale.before_start(machine.layout, "green", {}) == 0
    assert locked == []
    gem(tmp_path, "rack-3.1.20").unlink()
    assert stale.before_start(machine.layout, "worker-green", {}) == 0
    assert stale.before_start(machine.layout, "prune", {"RELEASE": "2.1.0"}) == 0
    # Not bound to a transaction: there may be none.
    assert locked == [{"bound": False}, {"bound": False}]
    assert "rack-3.1.20" in capsys.readouterr().err

    def broken(*a: object, **k: object) -> None:
        raise Failed("no such gem")

    monkeypatch.setattr(gems, "lock", broken)
    assert stale.before_start(machine.layout, "green", {}) == 1
    assert launch.version_of(machine.layout, "worker-green", {}) == "2.1.0"


def test_two_that_lock_at_once_do_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = provisioned(tmp_path)
    gem(tmp_path, "rack-3.1.20").unlink()
    machine.layout.private.mkdir(parents=True)
    seen: list[bool] = []

    def lock(machine: Machine, tree: Path, contract: object, **how: object) -> None:
        with (machine.layout.private / "relock").open("r+") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        seen.append(True)
        (tree / "Gemfile.lock").write_text(LOCK.replace("    rack (3.1.20)\n", ""))

    monkeypatch.setattr(gems, "lock", lock)
    relock.again(machine, "2.1.0")
    relock.again(machine, "2.1.0")
    assert seen == [True]


@pytest.mark.parametrize(("stall", "limit"), [(None, 30.0), (4.0, 30.0), (20.0, 40.0), (50.0, 90.0)])
def test_a_start_that_hangs_ends_while_those_who_wait_can_still_be_answered(stall: float | None, limit: float) -> None:
    assert one.start_limit(90.0, stall) == limit


def test_one_colour_is_said_with_its_stall() -> None:
    assert "about 4 s" in one.words(4.2)
    assert "none is known yet" in one.words(None)


@pytest.mark.parametrize("name", ["web", "worker", "timer"])
def test_each_unit_locks_anew_as_root_before_it_starts(name: str) -> None:
    text = (ROLES / f"app/templates/filae-{name}@.service.j2").read_text()
    assert "ExecStartPre=+-/usr/local/sbin/filaectl _relock %i\n" in text


def test_the_socket_holds_those_who_wait() -> None:
    text = (ROLES / "app/templates/filae-web@.socket.j2").read_text()
    assert {"Backlog=4096", "TriggerLimitIntervalSec=0"} <= set(text.splitlines())
    assert f"proxy_read_timeout {one.HELD:.0f}s;" in (ROLES / "proxy/templates/proxy-headers.conf.j2").read_text()


def test_updates_of_packages_start_the_refresh() -> None:
    place = ROLES / "agent/templates"
    assert "PathChanged=/var/lib/dpkg/status" in (place / "filae-refresh.path.j2").read_text()
    assert "filaectl refresh --patient" in (place / "filae-refresh.service.j2").read_text()


@pytest.mark.parametrize(
    ("events", "at_work", "revived"),
    [
        ((), False, False),
        (("begin", "committed"), False, False),
        (("begin", "gave-up"), False, False),
        (("begin",), True, False),
        (("begin",), False, True),
    ],
)
def test_a_cut_transaction_that_nobody_recovers_is_taken_up_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: tuple[str, ...], at_work: bool, revived: bool
) -> None:
    machine, runner = machine_at(tmp_path)
    monkeypatch.setattr(attach, "at_work", lambda machine: at_work)
    for event in events:
        Journal(machine.layout.journal).write(event, tx="t1")
    refresh.revive(machine)
    assert ("systemctl start --no-block filae-recover.service" in runner.lines()) is revived
