"""The one error boundary: expected errors are said, bugs keep their traceback, nothing but results on stdout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

CLI = [sys.executable, "-m", "filae_ops"]


def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*CLI, *words], capture_output=True, text=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["provisoin"], "provisoin"),
        (["provision", "--nope"], "--nope"),
        (["deploy"], "Missing argument"),
        (["provision"], "no inventory was named"),
        (["-i", "a", "-i", "b", "provision"], "2 inventories were named; `provision` works on one site"),
        (["logs", "-n", "x"], "-n"),
        (["flows", "--lang", "de"], "Invalid value for '--lang': 'de' is not one of 'fr', 'en'."),
        (["requirements", "list", "--theme", "ZZ"], "next: name one of: RGPD, HDS"),
        (["requirements", "show", "NET-44"], "next: filae-ops requirements show NET-04, or `requirements list`"),
        (["lab", "down"], "lab down takes a NAME or --all"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_is_status_2_and_says_what_is_wrong(words: list[str], said: str) -> None:
    env = {key: value for key, value in os.environ.items() if key != "FILAE_INVENTORY"}
    done = run(*words, env=env)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        (["deploy"], "filae-ops deploy [OPTIONS] BUNDLE"),
        (["bundle", "build"], "filae-ops bundle build [OPTIONS] SRC"),
        (["lab", "ssh"], "filae-ops lab ssh [OPTIONS] NAME [COMMAND]..."),
        (["lab", "down"], "filae-ops lab down [OPTIONS] [NAME]"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_is_written_as_it_is_typed(words: list[str], usage: str) -> None:
    assert run(*words, "--help").stdout.startswith(f"Usage: {usage}\n")


def test_no_command_s_summary_is_cut_in_eighty_columns() -> None:
    assert "..." not in run("--help", env={**os.environ, "COLUMNS": "80"}).stdout.split("Commands:")[1]


def test_a_long_value_is_not_cut_into_lines() -> None:
    path = "/" + "x" * 200 + "/hosts.yml"
    done = run("-i", path, "provision")
    assert path in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("words", [["demo"], ["lab", "up"], ["test"]], ids=" ".join)
def test_without_root_the_lab_says_in_one_sentence_what_to_do(words: list[str]) -> None:
    code = "import os, sys; os.geteuid = lambda: 1000; from filae_ops.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 1
    assert "need root on this host" in done.stderr
    assert "who acts: " in done.stderr
    assert "next: run the same command with sudo; `init`, `doctor` and the unit tests work without root" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_a_run_as_ctrl_c_does(number: signal.Signals) -> None:
    code = (
        "import sys, time, filae_ops.cli as cli\n"
        "def work(**_): print('at work', flush=True); time.sleep(60)\n"
        "cli.app = work; sys.exit(cli.main())"
    )
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as run:  # type: ignore[call-overload]
        assert run.stdout is not None
        assert run.stdout.readline() == "at work\n"
        run.send_signal(number)
        _, stderr = run.communicate(timeout=30)
    assert run.returncode == 130
    assert stderr == "filae-ops: interrupted\n"
