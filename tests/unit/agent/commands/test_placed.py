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
from material.agent.fakes import FakeRunner, machine_at
from material.agent.placed_machine import COLOUR, deployed, differences, machine_of_two_releases

from filae_ops.agent.commands import placed, refresh, submit
from filae_ops.agent.frontdoor import maintenance_page
from filae_ops.agent.system import durable
from filae_ops.agent.system.machine import Live, Machine
from filae_ops.agent.system.process import Result
from filae_ops.agent.transaction.plan import Plan


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return machine_of_two_releases(tmp_path)


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


def test_the_command_prints_it(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    (machine.layout.release("2.1.0") / "\x1b[2K\udcff").touch()
    assert placed.print_placed(machine) == 0
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert list(differences(json.loads(printed)["releases"][0])["added"]) == ["\x1b[2K\udcff"]


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
