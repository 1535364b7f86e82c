"""Command lines and environments of a run, and what its events add up to."""

from __future__ import annotations

import json
import os
import signal
import stat
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from filae_ops.playbook.run import STOP, Outcome, control_dir, playbook_argv, playbook_env, run_playbook

SITE = Path("/site/hosts.yml")


@pytest.mark.parametrize(
    ("extra", "options", "expected"),
    [
        ({}, {}, []),
        ({"ansible_user": "a b"}, {}, ["-e", '{"ansible_user": "a b"}']),
        ({}, {"check": True}, ["--check", "--diff"]),
        ({}, {"vault": ["--vault-password-file", "f"]}, ["--vault-password-file", "f"]),
        ({}, {"verbose": True}, ["-vv"]),
    ],
)
def test_the_exact_command_line(extra: dict[str, object], options: dict[str, Any], expected: list[str]) -> None:
    argv = playbook_argv("provision", SITE, extra, **options)
    assert argv[:3] == [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(SITE)]
    assert Path(argv[3]).name == "provision.yml"
    assert Path(argv[3]).is_file()
    assert argv[4:] == expected


def test_a_hostile_value_stays_one_word() -> None:
    argv = playbook_argv("provision", SITE, {"ansible_user": "x'; touch /tmp/evil; {{ 1 }}"})
    assert json.loads(argv[-1]) == {"ansible_user": "x'; touch /tmp/evil; {{ 1 }}"}


def test_the_callers_ansible_settings_do_not_reach_a_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {
        "ANSIBLE_HOST_KEY_CHECKING": "False", "ANSIBLE_CONFIG": "/elsewhere", "ANSIBLE_STDOUT_CALLBACK": "minimal",
        "ANSIBLE_VAULT_PASSWORD_FILE": "/password", "LANG": "C", "LC_ALL": "",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    env = playbook_env(tmp_path)
    assert "ANSIBLE_HOST_KEY_CHECKING" not in env
    assert env["ANSIBLE_VAULT_PASSWORD_FILE"] == "/password"
    assert env["ANSIBLE_STDOUT_CALLBACK"] == "filae_events"
    assert Path(env["ANSIBLE_CONFIG"]).is_file()
    assert env["ANSIBLE_CONFIG"] != "/elsewhere"
    assert env["LC_ALL"] == "C.UTF-8"
    assert env["FILAE_CONTROL_DIR"] == str(tmp_path)


def test_shared_connections_live_in_a_private_directory_that_goes() -> None:
    with control_dir() as directory:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        (directory / "dead-socket").touch()
    assert not directory.exists()


def program(tmp_path: Path, text: str) -> list[str]:
    """Return a command line that stands for ansible-playbook."""
    path = tmp_path / "playbook.py"
    say = "def say(**event): print(json.dumps(event), flush=True)"
    path.write_text(f"import json, os, signal, sys, time\n{say}\n{text}")
    return [sys.executable, str(path)]


FIELDS = "host='m', task='t', counted={counted}, status='{status}', changed={changed}, message='why'"
RESULT = f"say(event='result', {FIELDS})\n"
STATS = "say(event='stats', hosts={'m': {'changed': 2, 'failures': 1, 'unreachable': 0}})\n"


def run(argv: list[str]) -> tuple[Outcome, list[dict[str, Any]]]:
    seen: list[dict[str, Any]] = []
    return run_playbook(argv, seen.append), seen


def test_events_add_up(tmp_path: Path) -> None:
    text = (
        RESULT.format(counted=False, status="ok", changed=False)
        + RESULT.format(counted=True, status="ok", changed=True)
        + RESULT.format(counted=True, status="skipped", changed=False)
        + RESULT.format(counted=True, status="failed", changed=False)
        + "print('noise that is no event')\nprint('why', file=sys.stderr)\n" + STATS + "sys.exit(2)\n"
    )  # fmt: skip
    outcome, seen = run(program(tmp_path, text))
    assert (outcome.tasks, outcome.changed, outcome.failed, outcome.status, outcome.ok) == (2, 2, 1, 2, False)
    assert outcome.stderr == "why"
    assert [failure["message"] for failure in outcome.failures] == ["why"]
    assert len(outcome.changes) == 1
    assert len(seen) == 5
    assert set(outcome.document()) == {"ok", "changed", "tasks", "failed", "unreachable", "seconds"}


def test_a_run_that_says_nothing_and_fails_is_not_ok(tmp_path: Path) -> None:
    outcome, _ = run(program(tmp_path, "sys.exit(1)\n"))
    assert outcome.document()["ok"] is False


IGNORED = "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
DROPPED = "signal.signal(signal.SIGINT, lambda *_: signal.signal(signal.SIGINT, signal.SIG_DFL))\n"


@pytest.mark.parametrize("behaviour", ["", DROPPED, IGNORED], ids=["obeys", "drops the first", "insists"])
def test_an_interrupt_ends_the_run_and_is_told(behaviour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("filae_ops.playbook.run.STOP", [(number, 1) for number, _ in STOP])
    changed = RESULT.format(counted=True, status="ok", changed=True)
    argv = program(tmp_path, f"{behaviour}say(event='pid', pid=os.getpid())\n{changed}time.sleep(60)\n")
    pids: list[int] = []

    def take(event: dict[str, Any]) -> None:
        if event["event"] == "pid":
            pids.append(event["pid"])
        else:
            threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()

    outcome = run_playbook(argv, take)
    assert (outcome.interrupted, outcome.ok, outcome.changed, outcome.status) == (True, False, 1, 130)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_an_error_while_showing_progress_leaves_no_run_behind(tmp_path: Path) -> None:
    def take(event: dict[str, Any]) -> None:
        raise RuntimeError(event["pid"])

    with pytest.raises(RuntimeError) as caught:
        run_playbook(program(tmp_path, "say(event='pid', pid=os.getpid())\ntime.sleep(60)\n"), take)
    with pytest.raises(ProcessLookupError):
        os.kill(caught.value.args[0], 0)
