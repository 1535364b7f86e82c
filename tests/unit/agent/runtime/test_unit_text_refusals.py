"""What systemd would read as something else is refused, wherever it stands in a unit or on a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import CONTRACT

from filae_ops.agent.bundle.contract import Contract
from filae_ops.agent.runtime import unit_text
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.plain_text import one_line
from filae_ops.agent.system.process import Failed

LINE = "x\nExecStartPre=+/bin/touch /pwned"
UNFIT = [
    LINE,
    "x\r",
    "x\0",
    "x\x1b",
    "x\ty",
    "x\u2028y",
    "%n",
    "%%",
    "$HOME",
    "${x}",
    "a\\",
    '"a"',
    "'a'",
    "a;b",
    "`id`",
    "\ud800",
]


@pytest.mark.parametrize("value", [*UNFIT, "60%n", "60%%", "%60", "60% x", "600%"])
def test_a_setting_holds_one_value_and_nothing_that_systemd_expands(value: str) -> None:
    with pytest.raises(Failed, match="systemd cannot be given") as caught:
        unit_text.setting("OnCalendar", value)
    assert one_line(str(caught.value))
    for name in (value, "execStart", "", "A B", "A=", "A\n"):
        with pytest.raises(Failed):
            unit_text.setting(name, "x")


@pytest.mark.parametrize("value", [*UNFIT, "", "relative", "/a b", "/a/../b", "/a,b", "/", "/é", "/a*"])
def test_a_path_is_one_item_of_a_list(value: str) -> None:
    with pytest.raises(Failed, match="systemd cannot be given"):
        unit_text.path(Path(value))


CRAFTED: dict[str, dict[str, Any]] = {
    "secret": {"secrets": {LINE: {"generate": "hex64"}}},
    "secret of a path": {"secrets": {"../shadow": {}}},
    "files": {"files": [{"name": LINE, "path": "storage"}]},
    "files of two paths": {"files": [{"name": "a /etc", "path": "storage"}]},
    "files elsewhere": {"files": [{"name": "../../etc", "path": "storage"}]},
    "version": {"version": "2.1.0\nUser=root"},
    "version of two variables": {"version": "2.1.0 LD_PRELOAD=/x"},
}


@pytest.mark.parametrize("name", CRAFTED)
@pytest.mark.parametrize("process", ["web", "timer:prune"])
def test_a_crafted_contract_makes_no_drop_in(name: str, process: str) -> None:
    with pytest.raises(Failed, match="systemd cannot be given") as caught:
        unit_text.release_dropin(Layout(), Contract({**CONTRACT, **CRAFTED[name]}), process, pin=True)
    assert one_line(str(caught.value))
    assert "bundle build" in caught.value.next_step


@pytest.mark.parametrize(("name", "calendar"), [(LINE, "daily"), ("prune", LINE), ("prune", "%n"), ("a/b", "daily")])
def test_a_crafted_timer_is_not_written(name: str, calendar: str) -> None:
    with pytest.raises(Failed, match="systemd cannot be given"):
        unit_text.timer_unit(name, calendar)


@pytest.mark.parametrize("process", [LINE, "", "a b", "--instance", "-x", "timer:", "timer:a b", "a:b", "$x"])
def test_a_process_is_a_name_on_a_command_line(process: str) -> None:
    with pytest.raises(Failed, match="systemd cannot be given"):
        unit_text.exec_command(process)


@pytest.mark.parametrize(
    "options",
    [
        {"properties": [LINE]},
        {"properties": ["ReadWritePaths=/a\nExecStartPre=+/bin/x"]},
        {"properties": ["ReadWritePaths=/%n"]},
        {"user": "root\n"},
        {"env": {"A": "x\ny"}},
        {"env": {"A=B\n": "x"}},
        {"env": {"a": "x"}},
    ],
)
def test_a_command_line_of_a_release_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(Failed, match="systemd cannot be given"):
        unit_text.oneoff_argv("probe", ["/x"], **{"user": "filae", **options})
    with pytest.raises(Failed, match="systemd cannot be given"):
        unit_text.oneoff_argv(LINE, ["/x"], user="filae")


@pytest.mark.parametrize("text", [LINE, "x\0", "\x1b[2J"])
def test_what_starts_a_transaction_is_on_one_line(text: str) -> None:
    for call in (lambda: unit_text.transaction_argv("id", text), lambda: unit_text.transaction_argv(text, "x"),
                 lambda: unit_text.recovery_argv(text)):  # fmt: skip
        with pytest.raises(Failed, match="systemd cannot be given"):
            call()
