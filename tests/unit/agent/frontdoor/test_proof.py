"""What proves a release: its health, its probe, its attachments, its store; what it does not state is not run."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from material.agent.databases import Server, machine_with
from material.agent.fakes import CONTRACT, machine_at, put_release

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.frontdoor import proof
from filae_ops.agent.runtime import health
from filae_ops.agent.runtime.health import Response
from filae_ops.agent.system.process import Result

NEW = Contract(CONTRACT)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Response(200, {}, b'{"version": "2.1.0"}'), ""),
        (Response(503, {}, b'{"version": "2.1.0"}'), "answers 503"),
        (Response(200, {}, b'{"version": "2.0.0"}'), "says version '2.0.0'"),
        (Response(200, {}, b"<html>"), "says version ''"),
        (Response(200, {}, b"[]"), "says version ''"),
        (Response(200, {}, b"[" * 200_000), "says version ''"),
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


def test_a_list_of_attachments_that_is_not_whole_is_no_proof(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path, {"systemd-run": Result(0, "", cut=True)})
    put_release(machine, "2.1.0")
    verdict = proof.files_check(machine, Contract({**CONTRACT, "files_check": {"command": ["bin/files"]}}))
    assert (verdict.status, "prints more than 128 MiB" in verdict.message) == ("fail", True)


def test_attachments_that_are_no_files_of_the_store_are_missing_and_keep_nobody_waiting(tmp_path: Path) -> None:
    """The application names them, and owns the directory that they are in."""
    machine, runner = machine_at(tmp_path)
    release = put_release(machine, "2.1.0")
    store = machine.layout.files / "attachments"
    store.mkdir()
    (release / "storage").symlink_to(store)
    secret = tmp_path / "etc/filae/secrets/key"
    secret.write_bytes(b"a")
    os.mkfifo(store / "pipe")
    (store / "link").symlink_to(secret)
    (store / "directory").mkdir()
    names = ["storage/pipe", "storage/link", "storage/directory", "storage", "storage/\0", str(secret),
             "../../../../etc/filae/secrets/key"]  # fmt: skip
    digest = hashlib.sha256(b"a").hexdigest()
    runner.answers = {"systemd-run": Result(0, "".join(f"{name} {digest}\n" for name in names))}
    verdict = proof.files_check(machine, Contract({**CONTRACT, "files_check": {"command": ["bin/files"]}}))
    assert verdict.status == "fail"
    assert verdict.message == "7 of 7 attachments are missing or altered"


def test_an_attachment_that_becomes_a_link_while_root_looks_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine, runner = machine_at(tmp_path)
    release, store = put_release(machine, "2.1.0"), machine.layout.files / "attachments"
    store.mkdir()
    (release / "storage").symlink_to(store)
    (store / "a").write_bytes(b"its own")
    secret = tmp_path / "etc/filae/secrets/key"
    secret.write_bytes(b"a")
    resolve = Path.resolve

    def replaced(path: Path, strict: bool = False) -> Path:
        real = resolve(path, strict)
        if strict:
            (store / "a").unlink()
            (store / "a").symlink_to(secret)
        return real

    monkeypatch.setattr(Path, "resolve", replaced)
    runner.answers = {"systemd-run": Result(0, f"storage/a {hashlib.sha256(b'a').hexdigest()}\n")}
    verdict = proof.files_check(machine, Contract({**CONTRACT, "files_check": {"command": ["bin/files"]}}))
    assert verdict.message == "1 of 1 attachments are missing or altered"


def test_the_first_page_is_read_in_the_release_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its directory may lead, by a link of the release, to where the application writes."""
    machine, _ = machine_at(tmp_path)
    release = put_release(machine, "2.1.0")
    (release / "public").mkdir()
    (release / "public/index.fr.html").write_text("<h1>")
    (release / "public/index.html").symlink_to("index.fr.html")
    monkeypatch.setattr(health, "at_front_door", lambda config: lambda path: Response(200, {}, b"<h1>"))
    assert proof.page(machine, NEW).status == "pass"
    scratch = machine.layout.scratch / "2.1.0/tmp"
    scratch.mkdir(parents=True)
    os.mkfifo(scratch / "index.html")
    (release / "tmp").symlink_to(scratch)
    (release / "public/index.html").unlink()
    (release / "public/index.html").symlink_to("../tmp/index.html")
    verdict = proof.page(machine, NEW)
    assert verdict.status == "fail"
    assert "leads out of" in verdict.message


def test_the_store_is_written_and_read(tmp_path: Path) -> None:
    proof.write_and_read([str(tmp_path)])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="absent"):
        proof.write_and_read([str(tmp_path / "absent")])


def test_what_the_application_does_to_the_name_of_the_written_file_fails_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def open_and_remove(path: Path, *how: int) -> int:
        handle = real(path, *how)
        path.unlink()
        return handle

    monkeypatch.setattr(os, "open", open_and_remove)
    proof.write_and_read([str(tmp_path)])
    assert list(tmp_path.iterdir()) == []


def test_a_schema_ahead_passes_where_the_release_serves_and_not_before_a_switch(tmp_path: Path) -> None:
    machine, _ = machine_with(tmp_path, Server("20270101000000"))
    assert proof.schema(machine, NEW).status == "fail"
    assert proof.schema(machine, NEW, ahead=True).status == "pass"
