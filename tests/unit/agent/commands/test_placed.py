"""What the agent says that it placed: what its own writers wrote, whatever became of the files."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import FakeRunner, machine_at, put_release

from filae_ops.agent.bundle.contract import of_release
from filae_ops.agent.commands import placed, refresh, submit
from filae_ops.agent.frontdoor import maintenance_page, nginx, site_include
from filae_ops.agent.release import compared_tree, store
from filae_ops.agent.runtime import credentials, unit_control
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Live, Machine
from filae_ops.agent.system.process import Result
from filae_ops.agent.transaction import plan as plans
from filae_ops.agent.transaction.journal import Journal
from filae_ops.agent.transaction.plan import Plan

RUNS = Result(0, "ActiveState=active\nNRestarts=0\n")
COLOUR = "green"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """2.1.0 is live on green, 2.0.0 is kept, as the steps leave a machine."""
    machine, _ = machine_at(tmp_path, {"systemctl show filae-worker": RUNS}, timings={"settle": 0.001})
    for version in ("2.0.0", "2.1.0"):
        tree = put_release(machine, version)
        (tree / "public").mkdir()
        store.bind(machine, tree, of_release(tree))
    contract = of_release(machine.layout.release("2.1.0"))
    durable.write(machine.layout.secrets / "mail_password", "x", 0o600)
    credentials.ensure(machine, contract)
    deployed(machine, "2.1.0", COLOUR)
    unit_control.prepare_web(machine, contract, COLOUR, start=42.5)
    nginx.put(machine, site_include.pair(machine, contract, COLOUR))
    unit_control.start_workers(machine, contract, COLOUR)
    unit_control.set_timers(machine, contract)
    durable.link(machine.layout.current, machine.layout.release("2.1.0"))
    return machine


def deployed(machine: Machine, version: str, colour: str, end: str = "committed", **stage: str) -> None:
    write = Journal(machine.layout.journal).write
    plan = Plan(f"t{version}{end}", "deploy", version, colour, "/b", "0" * 64, "provider", "claire")
    write("begin", tx=plan.id, **plans.as_fields(plan))
    write("done", tx=plan.id, step="stage", **stage)
    if end:
        write(end, tx=plan.id)


def rows(machine: Machine) -> dict[str, dict[str, Any]]:
    found = placed.placed(machine)
    assert (found["busy"], found["problem"]) == ("", "")
    return {row["path"]: row for row in found["placed"]}


def as_it_is(path: Path) -> tuple[str, str, str | None]:
    """Return kind, mode, and digest or target."""
    state = path.lstat()
    mode = f"{stat.S_IMODE(state.st_mode):04o}"
    if path.is_symlink():
        return "link", mode, str(path.readlink())
    if path.is_dir():
        return "directory", mode, None
    return "file", mode, hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_is_what_the_writers_wrote_path_by_path(machine: Machine) -> None:
    layout, expected = machine.layout, rows(machine)
    written = {path for top in (layout.units, layout.nginx, layout.colours, layout.secrets) for path in top.rglob("*")}
    assert {str(path) for path in written | {layout.current, layout.journal}} <= expected.keys()
    for path, row in expected.items():
        if "*" in path or row["optional"] or ".wants" in path:  # the links are systemd's: the scenarios compare these
            continue
        there = as_it_is(Path(path))
        known = row["sha256"] or row["target"] or (there[2] if row["kind"] == "file" else None)
        assert (row["kind"], row["mode"], known) == there, path


def test_the_units_that_start_with_the_machine(machine: Machine) -> None:
    units = machine.layout.units
    links = {path: row["target"] for path, row in rows(machine).items() if ".wants/" in path}
    assert links == {
        f"{units}/filae.target.wants/filae-web@green.socket": f"{units}/filae-web@.socket",
        f"{units}/filae.target.wants/filae-web@green.service": f"{units}/filae-web@.service",
        f"{units}/filae.target.wants/filae-worker@worker-green.service": f"{units}/filae-worker@.service",
        f"{units}/timers.target.wants/filae-timer@prune.timer": f"{units}/filae-timer@prune.timer",
    }


SABOTAGES: dict[str, Callable[[Machine], Path]] = {
    "nginx leads elsewhere": lambda machine: machine.layout.nginx / "upstream.conf",
    "nginx serves something else": lambda machine: machine.layout.nginx / "live.conf",
    "a drop-in is edited": lambda machine: machine.layout.units / "filae-web@green.service.d/release.conf",
    "a colour runs another version": lambda machine: machine.layout.colour_file(COLOUR),
    "a timer is edited": lambda machine: machine.layout.units / "filae-timer@prune.timer",
}


@pytest.mark.parametrize("sabotage", SABOTAGES.values(), ids=list(SABOTAGES))
def test_an_edited_file_changes_nothing_of_what_is_expected(
    machine: Machine, sabotage: Callable[[Machine], Path]
) -> None:
    before, path = rows(machine), sabotage(machine)
    path.write_text(path.read_text() + "# by hand\nExecStartPost=+/bin/sh\n")
    assert rows(machine) == before
    path.write_text("")
    after = rows(machine)
    assert after.keys() == before.keys()
    assert after[str(path)]["sha256"] not in (None, as_it_is(path)[2])


def test_of_a_drop_in_nothing_but_one_number_is_read_back(machine: Machine) -> None:
    path = machine.layout.units / "filae-web@green.service.d/release.conf"
    text = path.read_text()
    assert "TimeoutStartSec=42.5\n" in text
    for wrong in ("TimeoutStartSec=infinity", "TimeoutStartSec=0", "TimeoutStartSec=99999", "TimeoutStartSec=1\\\n2"):
        path.write_text(text.replace("TimeoutStartSec=42.5", wrong))
        assert rows(machine)[str(path)]["sha256"] != as_it_is(path)[2]


def test_no_secret_is_told(machine: Machine) -> None:
    secrets = {Path(path).name: row for path, row in rows(machine).items() if "/secrets/" in path}
    assert secrets.keys() == {"secret_key_base", "admin_password", "mail_password"}
    assert {(row["user"], row["mode"], row["sha256"]) for row in secrets.values()} == {("root", "0600", None)}


def test_what_maintenance_placed_is_expected_while_it_is_on(machine: Machine) -> None:
    before = rows(machine)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    state = {"since": "2026-01-01T00:00:00+00:00", "until": until.isoformat(), "by": "claire", "message": "à bientôt"}
    durable.write(machine.layout.maintenance, json.dumps(state), 0o600)
    machine.layout.closed_page.parent.mkdir(parents=True)
    durable.write(machine.layout.closed_page, maintenance_page.page("à bientôt", until))
    maintenance_page._set_timer(machine, until)
    after = rows(machine)
    new = after.keys() - before.keys()
    names = {"filae-maintenance.service", "filae-maintenance.timer", "page.html", "maintenance.json"}
    assert {Path(path).name for path in new} == names
    for path in new:
        if after[path]["sha256"]:
            assert after[path]["sha256"] == as_it_is(Path(path))[2]
    machine.layout.maintenance.write_text(json.dumps({**state, "until": "soon"}))
    assert rows(machine)[str(machine.layout.closed_page)]["sha256"] != as_it_is(machine.layout.closed_page)[2]


def test_nothing_is_judged_while_somebody_changes_the_machine(tmp_path: Path, machine: Machine) -> None:
    assert isinstance(machine.runner, FakeRunner)
    held = Result(0, "ActiveState=active\nDescription=provision from here\n")
    machine.runner.answers["systemctl show filae-transaction"] = held
    found = placed.placed(machine)
    assert (found["busy"], found["placed"], found["releases"]) == ("provision from here", [], [])
    del machine.runner.answers["systemctl show filae-transaction"]
    deployed(machine, "2.2.0", "blue", end="")
    assert placed.placed(machine)["busy"] == "deploy 2.2.0, not ended"


def test_an_update_that_was_undone_changes_nothing(machine: Machine) -> None:
    before = rows(machine)
    deployed(machine, "2.2.0", "blue", end="rolled-back")
    assert rows(machine) == before


def test_a_machine_without_a_release_has_the_agent_s_own_state_alone(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    found = placed.placed(machine)
    assert (found["live"], found["releases"]) == (None, [])
    assert all(row["optional"] for row in found["placed"])


# Releases


def compared(machine: Machine, version: str = "2.1.0") -> dict[str, Any]:
    return next(each for each in placed.placed(machine)["releases"] if each["version"] == version)


def named(found: dict[str, Any]) -> dict[str, dict[str, str]]:
    kinds = ("changed", "missing", "added")
    return {kind: {each["path"]: each["problem"] for each in found[kind]["first"]} for kind in kinds}


def test_the_live_release_comes_first_and_is_as_it_was_deployed(machine: Machine) -> None:
    found = placed.placed(machine)["releases"]
    assert [each["version"] for each in found] == ["2.1.0", "2.0.0"]
    for each in found:
        assert (each["complete"], each["problem"]) == (True, "")
        assert named(each) == {"changed": {}, "missing": {}, "added": {}}


def test_each_thing_that_is_not_as_deployed_is_told(machine: Machine) -> None:
    tree = machine.layout.release("2.1.0")
    (tree / "public").rmdir()
    (tree / "more").mkdir()
    (tree / "more/inner.rb").write_text("")
    (tree / "storage").unlink()
    (tree / "log").unlink()
    (tree / "log").symlink_to("/etc")
    tree.chmod(0o777)
    assert named(compared(machine)) == {
        "changed": {".": "has mode 0777 instead of 0755", "log": "is not the link that the agent makes"},
        "missing": {"public": "is missing", "storage": "is missing"},
        "added": {"more": "is not in the manifest"},
    }


def test_a_lock_and_a_manifest_are_those_that_the_agent_recorded(machine: Machine) -> None:
    tree, layout = machine.layout.release("2.1.0"), machine.layout
    (tree / "Gemfile.lock").write_text("GEM")
    durable.directory(layout.state / "locks", 0o700)
    recorded = {"absent": [], "sha256": hashlib.sha256(b"GEM").hexdigest()}
    durable.write(layout.state / "locks/2.1.0.json", json.dumps(recorded))
    deployed(machine, "2.1.0", COLOUR, manifest=hashlib.sha256((tree / "MANIFEST.json").read_bytes()).hexdigest())
    assert named(compared(machine)) == {"changed": {}, "missing": {}, "added": {}}
    for name in ("Gemfile.lock", "MANIFEST.json"):
        (tree / name).write_text((tree / name).read_text() + "\n")
    other = "has other content"
    assert named(compared(machine))["changed"] == {"Gemfile.lock": other, "MANIFEST.json": other}
    (tree / "Gemfile.lock").unlink()
    assert named(compared(machine))["missing"] == {"Gemfile.lock": "is missing"}


def test_lists_are_bounded_and_counted(machine: Machine) -> None:
    tree = machine.layout.release("2.1.0")
    for number in range(compared_tree.LISTED + 50):
        (tree / f"{number}-{'x' * 200}").touch()
    found = compared(machine)["added"]
    assert (found["count"], len(found["first"])) == (compared_tree.LISTED + 50, compared_tree.LISTED)


def test_what_there_was_no_time_for_is_not_called_good(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placed, "SECONDS", -1)
    assert {each["complete"] for each in placed.placed(machine)["releases"]} == {False}


def test_a_release_that_cannot_be_read_is_told(machine: Machine) -> None:
    (machine.layout.release("2.1.0") / "MANIFEST.json").write_text("{}")
    found = placed.placed(machine)
    assert "MANIFEST.json" in found["problem"]
    assert "MANIFEST.json" in found["releases"][0]["problem"]
    assert found["releases"][1]["problem"] == ""


def test_the_command_prints_it(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    (machine.layout.release("2.1.0") / "\x1b[2K\udcff").touch()
    assert placed.print_placed(machine) == 0
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert list(named(json.loads(printed)["releases"][0])["added"]) == ["\x1b[2K\udcff"]


@pytest.mark.parametrize("damage", ["edited", "removed", "opened", "replaced by a link"])
def test_what_was_altered_is_put_right_by_a_refresh_that_a_person_asks_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    path, live = machine.layout.nginx / "upstream.conf", Live("2.1.0", COLOUR)
    before = placed.altered(machine, live)  # systemctl, which enables units, is not the real one here
    if damage == "edited":
        path.write_text(path.read_text() + "server { listen 127.0.0.1:8099; root /etc; }\n")
    if damage == "opened":
        path.chmod(0o666)
    if damage in ("removed", "replaced by a link"):
        path.unlink()
    if damage == "replaced by a link":
        path.symlink_to("/tmp/x")
    asked: list[Plan] = []
    monkeypatch.setattr(submit, "carry_out", lambda machine, wanted, **how: asked.append(wanted) or 0)
    monkeypatch.setattr(refresh.outdated, "reasons", lambda machine, live: [])
    assert set(placed.altered(machine, live)) - set(before) == {str(path)}
    assert refresh.refresh(machine, operator="claire") == 0
    (wanted,) = asked
    assert (wanted.kind, wanted.version, wanted.from_colour, wanted.colour) == ("refresh", "2.1.0", "green", "blue")
    assert "not as the agent placed them" in wanted.why


def test_the_machine_s_own_refresh_undoes_no_alteration_before_somebody_saw_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (machine.layout.nginx / "upstream.conf").write_text("altered")
    monkeypatch.setattr(refresh, "wait_for_others", lambda machine: None)
    monkeypatch.setattr(refresh.outdated, "reasons", lambda machine, live: [])
    assert refresh.refresh(machine, patient=True) == 0
    assert capsys.readouterr().out.startswith("unchanged")
