from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fakes import CONTRACT, machine_at, make_live, put_release

from filae_ops.agent import (
    attach,
    deploy,
    health,
    lock,
    main,
    plan,
    proof,
    receive,
    recover,
    services,
    status,
    steps,
    transaction,
)
from filae_ops.agent.contract import Contract
from filae_ops.agent.errors import Refused
from filae_ops.agent.health import Response
from filae_ops.agent.journal import Journal
from filae_ops.agent.layout import Layout
from filae_ops.agent.machine import Machine
from filae_ops.agent.plan import Plan
from filae_ops.agent.run import Result

NEW = Contract(CONTRACT)
PLAN = Plan("t1", "deploy", "2.1.0", "blue", "/b", "0" * 64, "provider", "claire")


def framed(data: bytes, signed: bytes, **changes: object) -> io.BytesIO:
    head = {"bundle": len(data), "signature": len(signed), "sha256": hashlib.sha256(data).hexdigest()}
    return io.BytesIO(json.dumps({**head, **changes}).encode() + b"\n" + data + signed)


def test_what_comes_on_stdin_is_stored_under_a_name_of_its_own(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    path = receive.receive(machine, framed(b"bundle", b"signature"))
    assert path.parent == machine.layout.incoming
    assert path.name.startswith(hashlib.sha256(b"bundle").hexdigest()[:16])
    again = receive.receive(machine, framed(b"bundle", b"signature"))
    assert again != path, "two deliveries of one bundle do not share a file"
    receive.forget(machine, again)
    assert path.exists()
    assert path.read_bytes() == b"bundle"
    assert Path(f"{path}.sig").read_bytes() == b"signature"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        (io.BytesIO(b""), "does not begin"),
        (io.BytesIO(b"[]\n"), "does not begin"),
        (framed(b"b", b"s", bundle=0), "at most"),
        (framed(b"b", b"s", bundle=2**40), "at most"),
        (framed(b"b", b"s", signature=10**6), "at most"),
        (framed(b"b", b"s", bundle=True), "sizes"),
        (framed(b"b", b"s", sha256="../../x"), "sha256"),
        (framed(b"b", b"s", sha256="0" * 64), "altered"),
        (framed(b"b", b"s", signature=50), "too early"),
        (framed(b"", b"", bundle=9, signature=1), "too early"),
    ],
)
def test_bad_transfers_leave_nothing_half_done(tmp_path: Path, stream: io.BytesIO, words: str) -> None:
    machine, _ = machine_at(tmp_path)
    with pytest.raises(Refused, match=words):
        receive.receive(machine, stream)
    assert [p.name for p in machine.layout.incoming.iterdir() if "partial" in p.name] == []


def test_a_bundle_of_the_machine_is_copied_where_only_root_writes(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    bundle = tmp_path / "filae-2.1.0.tar.zst"
    bundle.write_bytes(b"bundle")
    with pytest.raises(Refused, match="signature"):
        receive.take_in(machine, bundle)
    Path(f"{bundle}.sig").write_bytes(b"s")
    path = receive.take_in(machine, bundle)
    assert path.parent == machine.layout.incoming
    assert receive.take_in(machine, path) == path


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Response(200, {}, b'{"version": "2.1.0"}'), ""),
        (Response(503, {}, b'{"version": "2.1.0"}'), "answers 503"),
        (Response(200, {}, b'{"version": "2.0.0"}'), "says version '2.0.0'"),
        (Response(200, {}, b"<html>"), "says version ''"),
        (Response(200, {}, b"[]"), "says version ''"),
    ],
)
def test_health_is_status_and_version(answer: Response, problem: str) -> None:
    found = health.judge(NEW, answer)
    assert problem in found
    assert bool(found) == bool(problem)


def test_health_may_say_its_version_in_a_header() -> None:
    contract = Contract({**CONTRACT, "health": {"path": "/up", "version": {"header": "X-App-Version"}}})
    assert health.judge(contract, Response(200, {"x-app-version": "2.1.0"})) == ""
    assert health.judge(contract, Response(200)) != ""
    assert health.judge(Contract({**CONTRACT, "health": {"path": "/up"}}), Response(200)) == ""


def test_health_must_hold_several_times_in_a_row() -> None:
    good, bad = Response(200, {}, b'{"version": "2.1.0"}'), Response(500)
    answers: Iterator[Response] = iter([bad, good, bad, good, good])
    assert health.wait(NEW, lambda path: next(answers), 5, times=2) == ""
    assert "500" in health.wait(NEW, lambda path: bad, 0)


def test_a_held_lock_is_refused_with_its_holder(tmp_path: Path) -> None:
    held = Result(0, "ActiveState=active\nDescription=provision from pc by luc\n")
    machine, _ = machine_at(tmp_path, {"systemctl show filae-transaction": held})
    with pytest.raises(Refused, match="provision from pc by luc"):
        deploy.deploy(machine, tmp_path / "b")
    assert lock.wait_free(machine, 0) == "provision from pc by luc"


def test_an_open_transaction_is_refused(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    Journal(machine.layout.journal).write("begin", tx="t0", kind="deploy", version="2.0.0")
    with pytest.raises(Refused, match=r"t0 .* has not ended"):
        deploy.deploy(machine, tmp_path / "b")


def test_two_at_once_the_second_is_told_who(tmp_path: Path) -> None:
    shown = iter([Result(0, "ActiveState=active\nDescription=filaectl deploy 2.1.0 by luc\n")])
    answers = {
        "systemd-run": Result(1, "", "already loaded"),
        "systemctl show": lambda argv, stdin: next(shown),
    }
    machine, _ = machine_at(tmp_path, answers)
    with pytest.raises(Refused, match="by luc"):
        deploy.start(machine, PLAN)


@pytest.mark.parametrize("name", ["a b", "x" * 65, "$(id)", "é\n"])
def test_an_operator_has_a_plain_name(tmp_path: Path, name: str) -> None:
    machine, _ = machine_at(tmp_path)
    with pytest.raises(Refused, match="not a name"):
        deploy.deploy(machine, tmp_path / "b", operator=name)


def test_a_plan_survives_the_journal(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    plan.save(machine, PLAN)
    assert plan.load(machine, "t1") == PLAN
    event = Journal(machine.layout.journal).write("begin", tx="t1", **plan.as_fields(PLAN))
    assert plan.from_mapping(event) == PLAN


def test_a_request_that_is_no_longer_true_is_refused_under_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(transaction, "_die_on_stop", lambda: None)
    plan.save(machine, PLAN)
    make_live(machine, "2.0.5", "green")
    assert transaction.perform(machine, "t1") == 0
    (event,) = Journal(machine.layout.journal).read()
    assert event["event"] == "refused"
    assert "2.0.5" in event["reason"]


def test_the_steps_have_names_and_the_pivot_is_one_of_them() -> None:
    names = [step.name for step in steps.DEPLOY]
    assert len(set(names)) == len(names)
    assert steps.PIVOT in names
    assert names.index("migrate") < names.index("setup") < names.index("start") < names.index("switch")


def test_after_three_tries_it_gives_up_and_leaves_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(transaction, "_die_on_stop", lambda: None)
    monkeypatch.setattr(proof, "front_door", lambda *a, **k: "down")
    write = partial(Journal(machine.layout.journal).write, tx="t1")
    write("begin", **plan.as_fields(PLAN))
    for attempt in (1, 2, 3):
        write("recover", attempt=attempt)
    (machine.layout.nginx / "live.conf").write_text("before")
    assert transaction.recover(machine, "t1") == 0
    assert Journal(machine.layout.journal).read()[-1]["event"] == "gave-up"
    assert "return 503" in (machine.layout.nginx / "live.conf").read_text()
    found = status.status(machine)
    assert found["healthy"] is False
    assert found["last_transaction"]["outcome"] == "gave-up"
    with pytest.raises(Refused, match="neither finished nor undone"):
        recover.recover(machine)


def test_recover_has_nothing_to_do_after_an_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, runner = machine_at(tmp_path)
    assert recover.recover(machine) == 0
    assert "nothing to recover" in capsys.readouterr().out
    assert not any(line.startswith("systemd-run") for line in runner.lines())


def test_status_of_a_machine_without_a_release(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    found = status.status(machine)
    assert (found["version"], found["healthy"], found["releases"]) == (None, False, [])
    assert found["last_transaction"] is None


def test_status_tells_the_live_release_and_the_last_transaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(proof, "front_door", lambda *a, **k: "")
    put_release(machine, "2.0.0")
    put_release(machine, "2.1.0")
    make_live(machine, "2.1.0", "blue")
    write = partial(Journal(machine.layout.journal).write, tx="t1")
    write("begin", **plan.as_fields(PLAN))
    write("committed")
    found = status.status(machine)
    assert (found["version"], found["colour"], found["healthy"]) == ("2.1.0", "blue", True)
    assert found["releases"] == [{"version": "2.0.0", "live": False}, {"version": "2.1.0", "live": True}]
    assert found["last_transaction"]["outcome"] == "committed"


def test_attach_prints_until_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    machine, _ = machine_at(tmp_path)
    write = partial(Journal(machine.layout.journal).write, tx="t1")
    write("begin", **plan.as_fields(PLAN))
    write("step", step="stage")
    write("done", step="stage", seconds=1.25)
    write("failed", step="start", reason="the new release is not healthy", evidence={"exception": "LoadError"})
    write("undone", step="stage")
    write("rolled-back")
    assert attach.attach(machine, as_json=False) == 1
    text = capsys.readouterr().out
    assert "deploy nothing -> 2.1.0 (blue)" in text
    assert "stage      done in 1.2 s" in text
    assert "FAILED: the new release is not healthy [exception LoadError]" in text
    assert attach.attach(machine, as_json=True) == 1
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events == ["begin", "step", "done", "failed", "undone", "rolled-back"]


def test_a_cut_transaction_that_nobody_recovers_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine, _ = machine_at(tmp_path)
    monkeypatch.setattr(attach, "SILENCE", 0.2)
    Journal(machine.layout.journal).write("begin", tx="t1", **plan.as_fields(PLAN))
    with pytest.raises(Refused, match="nothing recovers it"):
        attach.follow(machine, "t1", as_json=True)


@pytest.mark.parametrize(
    ("at", "words"),
    [("yesterday", "not a date"), ("2999-01-01", "in the future"), ("2026-01-01T22:00:00+02:00", "")],
)
def test_receipts(tmp_path: Path, at: str, words: str) -> None:
    machine, _ = machine_at(tmp_path)
    if words:
        with pytest.raises(Refused, match=words):
            status.receipt(machine, "backup", at, as_json=True)
        return
    assert status.receipt(machine, "backup", at, as_json=True) == 0
    assert json.loads((machine.layout.receipts / "backup.json").read_text())["at"] == "2026-01-01T20:00:00+00:00"


@pytest.mark.parametrize(
    ("environment", "writes", "ran"),
    [("production", False, False), ("production", True, True), ("demo", False, True)],
)
def test_on_production_a_probe_runs_only_where_it_declares_that_it_writes(
    tmp_path: Path, environment: str, writes: bool, ran: bool
) -> None:
    machine, runner = machine_at(tmp_path, environment=environment)
    contract = Contract({**CONTRACT, "probe": {"command": ["bin/probe"], "writes": writes}})
    verdict = proof.probe(machine, contract, {"PROBE_URL": "https://filae.test/"})
    assert verdict.status == ("pass" if ran else "not_run")
    assert bool(runner.argvs) == ran


def test_what_a_contract_does_not_state_is_not_run(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    empty = Contract({"version": "1.0.0", "health": {"path": "/up"}})
    for verdict in (
        proof.schema(machine, empty), proof.store(machine, empty), proof.probe(machine, empty, {}),
        proof.files_check(machine, empty), proof.version(empty, ""),
    ):  # fmt: skip
        assert verdict.status == "not_run"
        assert "states no" in verdict.message


def test_attachments_are_compared_and_never_named(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path)
    release = put_release(machine, "2.1.0")
    (machine.layout.files / "attachments").mkdir()
    (release / "storage").symlink_to(machine.layout.files / "attachments")
    (release / "storage/a").write_bytes(b"a")
    contract = Contract({**CONTRACT, "files_check": {"command": ["bin/files"]}})
    good = hashlib.sha256(b"a").hexdigest()
    for printed, status_, words in (
        (f"storage/a {good}\n", "pass", "1 attachments"),
        (f"storage/a {'0' * 64}\n", "fail", "1 of 1"),
        (f"storage/b {good}\n", "fail", "1 of 1"),
        (f"MANIFEST.json {good}\n", "fail", "1 of 1"),
        (f"Marie Dupont\nstorage/a {good}\n", "fail", "1 of the 2 lines that files_check prints"),
        (f"storage/a {'z' * 64}\n", "fail", "logs belong on standard error"),
        ("", "pass", "0 attachments"),
    ):
        runner.answers = {"systemd-run": Result(0, printed)}
        verdict = proof.files_check(machine, contract)
        assert (verdict.status, words in verdict.message) == (status_, True)
        assert "storage" not in verdict.message
        assert "Dupont" not in verdict.message


def test_the_store_is_written_and_read(tmp_path: Path) -> None:
    proof.write_and_read([str(tmp_path)])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="absent"):
        proof.write_and_read([str(tmp_path / "absent")])


def test_timers_are_exactly_those_of_the_release(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path)
    old = machine.layout.units / "filae-timer@old.timer"
    old.write_text("")
    assert services.set_timers(machine, NEW) == ["prune"]
    assert not old.exists()
    assert "systemctl disable --now --quiet filae-timer@old.timer" in runner.lines()
    assert "OnCalendar=daily" in (machine.layout.units / "filae-timer@prune.timer").read_text()
    assert services.set_timers(machine, None) == []
    assert not list(machine.layout.units.glob("filae-timer*"))


def test_a_stopped_colour_cannot_be_woken(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path, {"systemctl show": Result(0, "ActiveState=inactive\n")})
    services.stop_web(machine, "green")
    assert not any(line.startswith("systemctl kill") for line in runner.lines())
    assert "systemctl stop filae-web@green.socket filae-web@green.service" in runner.lines()
    assert "systemctl disable --quiet filae-web@green.socket filae-web@green.service" in runner.lines()


def test_a_colour_that_does_not_stop_is_killed(tmp_path: Path) -> None:
    answers = {"systemctl show": Result(0, "ActiveState=deactivating\n")}
    machine, runner = machine_at(tmp_path, answers, timings={"stop": 0.1})
    services.stop_web(machine, "green")
    assert "systemctl kill --signal=KILL filae-web@green.service" in runner.lines()


def test_changing_commands_need_root(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert main.main(["status", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["event"], said["next_step"]) == ("refused", "sudo filaectl status")


def test_a_machine_that_is_not_provisioned_is_told(tmp_path: Path) -> None:
    machine = Machine(Layout(tmp_path))
    with pytest.raises(Refused, match="not provisioned"):
        _ = machine.config
