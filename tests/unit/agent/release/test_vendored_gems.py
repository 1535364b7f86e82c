from __future__ import annotations

from pathlib import Path

import pytest
from material.agent.fakes import CONTRACT, machine_at

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.release import vendored_gems
from filae_ops.agent.system.process import Failed, Result

OWN = Contract({**CONTRACT, "gems": "vendored"})


def test_bundler_is_asked_as_a_process_would_ask(tmp_path: Path) -> None:
    machine, runner = machine_at(tmp_path)
    (tmp_path / "Gemfile").write_text("")
    vendored_gems.check(machine, tmp_path, OWN)
    (argv,) = runner.argvs
    wanted = {"User=filae", f"WorkingDirectory={tmp_path}", "BindsTo=filae-transaction.service",
              f"--setenv=BUNDLE_PATH={tmp_path}/vendor/bundle", f"--setenv=BUNDLE_GEMFILE={tmp_path}/Gemfile",
              "--setenv=BUNDLE_FROZEN=true", "--setenv=BUNDLE_WITHOUT=development:test",
              "--setenv=BUNDLE_APP_CONFIG=/tmp/bundle"}  # fmt: skip
    assert wanted - set(argv) == set()
    assert argv[-3:-1] == ["/usr/bin/ruby", "-e"]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        (Result(1, "", "noise of Dupont\nfilaectl: Could not find small-1.0.0 in locally installed gems\n"),
         "loaded here: Could not find small-1.0.0 in locally installed gems"),
        (Result(1, "", "filaectl: extensions not built for this Ruby: pg-1.5.9\n"), "for this Ruby: pg-1.5.9"),
        (Result(124, "", "no answer"), "Ruby ended with status 124"),
    ],
)  # fmt: skip
def test_what_bundler_lacks_is_said_and_nothing_else_of_the_output(tmp_path: Path, result: Result, said: str) -> None:
    machine, _ = machine_at(tmp_path, {"systemd-run": result})
    with pytest.raises(Failed, match=said) as failed:
        vendored_gems.check(machine, tmp_path, OWN)
    assert "Dupont" not in f"{failed.value} {failed.value.evidence}"
