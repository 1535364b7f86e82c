"""A maintenance: how it closes the door and opens it again, how it ends by itself, and what is proved meanwhile."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at, make_live, put_release

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.frontdoor import maintenance_page, nginx, proof, site_include
from filae_ops.agent.runtime import health
from filae_ops.agent.runtime.health import Response
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.transaction.journal import Journal

ROLES = Path(__file__).parents[4] / "roles"
SOON = datetime.now(UTC) + timedelta(hours=2)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with a live release, behind a front door that does what nginx is told."""
    machine, _ = machine_at(tmp_path)
    release = put_release(machine, "2.1.0")
    (release / "public").mkdir()
    (release / "public/index.html").write_text("the client")
    make_live(machine, "2.1.0", "blue")
    (machine.layout.nginx / "live.conf").write_text(site_include.server(machine.layout, Contract(CONTRACT)))
    machine.layout.closed_page.parent.parent.mkdir(parents=True)
    monkeypatch.setattr(health, "at_front_door", lambda config, timeout=10: lambda path: door(machine, path))
    return machine


def door(machine: Machine, path: str) -> Response:
    if path == CONTRACT["health"]["path"]:
        return Response(200, {}, b'{"version": "2.1.0"}')
    page = machine.layout.closed_page
    return Response(503, {}, page.read_bytes()) if page.exists() else Response(200, {}, b"the client")


def test_on_then_off(machine: Machine) -> None:
    assert maintenance_page.current(machine) is None
    maintenance_page.close(machine, "Fiche 12", SOON, "luc")
    found = maintenance_page.current(machine)
    assert found is not None
    assert (found["by"], found["message"]) == ("luc", "Fiche 12")
    assert "Fiche 12" in machine.layout.closed_page.read_text()
    assert machine.layout.closed_page.stat().st_mode & 0o777 == 0o644
    assert machine.layout.maintenance.stat().st_mode & 0o777 == 0o600
    maintenance_page.reopen(machine, "luc")
    assert maintenance_page.current(machine) is None
    assert not machine.layout.maintenance.exists()
    assert [e["event"] for e in Journal(machine.layout.journal).read()] == ["maintenance-on", "maintenance-off"]


def test_nothing_of_nginx_is_touched(machine: Machine) -> None:
    before = {path: path.read_bytes() for path in machine.layout.nginx.iterdir()}
    maintenance_page.close(machine, "", SOON, "luc")
    maintenance_page.reopen(machine, "luc")
    assert {path: path.read_bytes() for path in machine.layout.nginx.iterdir()} == before
    assert not [line for line in machine.runner.lines() if "nginx" in line]  # type: ignore[attr-defined]


def test_it_ends_by_itself_also_after_a_time_without_power(machine: Machine) -> None:
    maintenance_page.close(machine, "", SOON, "luc")
    timer = (machine.layout.units / "filae-maintenance.timer").read_text()
    assert f"OnCalendar={SOON + timedelta(seconds=1):%Y-%m-%d %H:%M:%S} UTC" in timer
    assert "Persistent=true" in timer
    assert "maintenance off --ended" in (machine.layout.units / "filae-maintenance.service").read_text()
    lines = machine.runner.lines()  # type: ignore[attr-defined]
    assert lines[-2:] == [
        "systemctl enable --quiet filae-maintenance.timer",
        "systemctl restart filae-maintenance.timer",
    ]
    maintenance_page.reopen(machine, "luc")
    assert not list(machine.layout.units.glob("filae-maintenance*"))


@pytest.mark.parametrize(("until", "closed"), [(-1, False), (1, True), (None, True)])
def test_the_timer_ends_only_what_has_ended(machine: Machine, until: int | None, closed: bool) -> None:
    maintenance_page.close(machine, "", SOON, "luc")
    state = json.loads(machine.layout.maintenance.read_text())
    end = (datetime.now(UTC) + timedelta(hours=until)).isoformat() if until else None
    machine.layout.maintenance.write_text(json.dumps(state | {"until": end}))
    maintenance_page.reopen(machine, "root", only_ended=True)
    assert (maintenance_page.current(machine) is not None) == closed


def test_on_again_moves_the_end_and_keeps_the_beginning(machine: Machine) -> None:
    maintenance_page.close(machine, "one", SOON, "luc")
    state = json.loads(machine.layout.maintenance.read_text())
    machine.layout.maintenance.write_text(json.dumps(state | {"since": "2026-01-01T00:00:00+00:00"}))
    maintenance_page.close(machine, None, SOON, "claire")
    assert "<p>one</p>" in machine.layout.closed_page.read_text(), "moving the end keeps the text"
    maintenance_page.close(machine, "two", None, "claire")
    found = maintenance_page.current(machine)
    assert found == {"since": "2026-01-01T00:00:00+00:00", "until": None, "by": "claire", "message": "two"}
    assert not (machine.layout.units / "filae-maintenance.timer").exists()


def test_an_end_that_moves_is_never_without_a_timer(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    maintenance_page.close(machine, "", SOON, "luc")
    former = len(machine.runner.lines())  # type: ignore[attr-defined]
    maintenance_page.close(machine, "", SOON + timedelta(hours=1), "luc")
    assert not [line for line in machine.runner.lines()[former:] if "disable" in line or "stop" in line]  # type: ignore[attr-defined]


def test_who_holds_a_maintenance_up_is_told_after_a_time(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance_page, "PATIENCE", 0.2, raising=False)
    with maintenance_page._alone(machine, "luc"), pytest.raises(Refused) as caught:
        maintenance_page.close(machine, "", None, "claire")
    assert caught.value.message == f"another `filaectl maintenance` has not ended: luc, process {os.getpid()}"
    assert caught.value.owner == "provider"
    assert str(os.getpid()) in caught.value.next_step
    maintenance_page.close(machine, "", None, "claire")


def test_a_front_door_that_does_not_show_it_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "at_front_door", lambda config, timeout=10: lambda path: Response(200))
    with pytest.raises(Refused, match="does not show it"):
        maintenance_page.close(machine, "", None, "luc")


def test_a_damaged_state_is_still_a_closed_door(machine: Machine) -> None:
    maintenance_page.close(machine, "", None, "luc")
    machine.layout.maintenance.write_text("[")
    found = maintenance_page.current(machine)
    assert found is not None
    assert maintenance_page.describe(found).startswith("on since ? by ?")
    maintenance_page.reopen(machine, "luc")
    assert maintenance_page.current(machine) is None


def test_an_include_of_an_older_agent_is_written_again(machine: Machine) -> None:
    (machine.layout.nginx / "live.conf").write_text("# written by filaectl for release 2.1.0\n")
    maintenance_page.close(machine, "", None, "luc")
    assert "$filae_closed" in (machine.layout.nginx / "live.conf").read_text()


def test_the_page_of_an_update_that_could_not_be_undone_stays(machine: Machine) -> None:
    (machine.layout.nginx / "live.conf").write_text(nginx.MAINTENANCE)
    maintenance_page.close(machine, "", None, "luc")
    assert (machine.layout.nginx / "live.conf").read_text() == nginx.MAINTENANCE


def test_what_is_proved_meanwhile(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Health is proved, the probe goes round the page, and the page is not run, with the reason."""
    contract = Contract({**CONTRACT, "files_check": None, "files": []})
    asked: list[dict[str, str]] = []

    def probed(*_: object, env: dict[str, str] | None = None, **__: object) -> object:
        asked.append(env or {})
        return proof.Result(0)

    monkeypatch.setattr("filae_ops.agent.runtime.unit_control.once", probed)
    monkeypatch.setattr("filae_ops.agent.database.schema_table.version", lambda machine: 20260901120000)
    opened = proof.observed(machine, contract)
    assert (opened["health"].status, opened["page"].status) == ("pass", "pass")
    maintenance_page.close(machine, "", None, "luc")
    closed = proof.observed(machine, contract)
    assert (closed["health"].status, closed["page"].status, closed["probe"].status) == ("pass", "not_run", "pass")
    assert "on purpose: on since" in closed["page"].message
    assert [sorted(env) for env in asked] == [["PROBE_URL", "SSL_CERT_FILE"], ["PROBE_SOCKET"]]
    assert proof.front_door(machine, contract, seconds=0, times=1) == ""


def test_a_page_that_is_not_shown_while_it_should_is_a_failure(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    maintenance_page.close(machine, "", None, "luc")
    answers = {CONTRACT["health"]["path"]: Response(200, {}, b'{"version": "2.1.0"}'), "/": Response(200, {}, b"x")}
    monkeypatch.setattr(health, "at_front_door", lambda config, timeout=10: answers.__getitem__)
    assert "does not show its page" in proof.front_door(machine, Contract(CONTRACT), seconds=0, times=1)


def test_nginx_closes_but_for_health_and_its_own_page() -> None:
    server = (ROLES / "proxy/templates/server.conf.j2").read_text()
    order = ['set $filae_closed "";', f"if (-f {Layout().closed_page})", "include /etc/nginx/filae/live.conf;",
             "if ($uri = /maintenance.html)", "if ($filae_closed) { return 503; }"]  # fmt: skip
    places = [server.index(each) for each in order]
    assert places == sorted(places)
    assert 'if ($uri = "/api/health") { set $filae_closed ""; }' in site_include.server(Layout(), Contract(CONTRACT))
