"""What is read of nginx's log of outcomes: each whole line once, and no more than a bound of anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from filae_ops.agent.frontdoor import access_log
from filae_ops.agent.frontdoor.access_log import Log, Outcome, parse

GREEN = "unix:/run/filae/web-green.sock"


def line(at: float) -> str:
    return f"{at:.3f}\t7\t200\t200\t0.010\t{GREEN}\n"


def logged(*fields: str) -> bytes:
    return "\t".join(fields).encode()


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        (logged("1795304350.074", "412", "502", "502", "-", GREEN), Outcome(1795304350.074, 412, 502, None, GREEN)),
        # The client asked for a part, and nginx gave it; the release had answered.
        (logged("1.000", "0", "416", "200", "0.007", GREEN), Outcome(1.0, 0, 200, 0.007, GREEN)),
        # It never came to a status of the release.
        (logged("1.000", "0", "504", "-", "-", GREEN), Outcome(1.0, 0, 504, None, GREEN)),
        # The release sent nginx to another of its addresses, or nginx went from one socket to the other.
        (
            logged("1.000", "0", "500", "200 : 500", "0.003 : 0.006", f"{GREEN} : {GREEN}"),
            Outcome(1.0, 0, 500, 0.006, GREEN),
        ),
        (
            logged("1.000", "0", "200", "502, 200", "-, 0.006", f"unix:/run/x.sock, {GREEN}"),
            Outcome(1.0, 0, 200, 0.006, GREEN),
        ),
        (logged("1.000", "0", "500", "-", "-", "-"), None),
        (logged("1.000", "0", "200", "200", "0.007"), None),
        (logged("now", "0", "200", "200", "0.007", GREEN), None),
        (logged("nan", "0", "200", "200", "0.007", GREEN), None),
        (logged("1.000", "-", "200", "200", "0.007", GREEN), None),
        (logged("1.000", "1000000", "200", "200", "0.007", GREEN), None),
        (logged("1.000", "0", "200", "200", "1e9", GREEN), None),
        (logged("1.000", "0", "200", "200", "0.007", "unix:/é"), None),
        (logged("1.000", "0", "200", ", " * 10_000 + "200", "0.007", GREEN), None),
        (b"1795304350.074 502 0.007 unix:/run/filae/web-green.sock", None),
        (b"", None),
    ],
)
def test_a_line_is_read_or_left(text: bytes, outcome: Outcome | None) -> None:
    assert parse(text) == outcome


@pytest.mark.parametrize("name", ["outcome.log", "outcome.log.1"])
def test_a_pipe_in_the_log_s_place_keeps_nobody_waiting(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(OSError, match="is not a regular file"):
        Log(tmp_path / "outcome.log").history()


def test_a_rotation_loses_no_line(tmp_path: Path) -> None:
    path, moved = tmp_path / "outcome.log", tmp_path / "outcome.log.1"
    path.write_text(line(1) + line(2))
    log = Log(path)
    assert [outcome.at for outcome in log.history()] == [1, 2]
    with path.open("a") as still_open:
        still_open.write(line(3) + "4.0")
        still_open.flush()
        assert [outcome.at for outcome in log.new()] == [3]
        path.rename(moved)  # logrotate; nginx writes on until it is told
        assert log.new() == []
        path.touch()
        still_open.write(line(4).removeprefix("4.0"))
        still_open.flush()
        assert [outcome.at for outcome in log.new()] == [4]
        still_open.write(line(5))
    path.write_text(line(6))
    assert [outcome.at for outcome in log.new()] == [5, 6]
    path.write_text(line(7)[:8])
    assert log.new() == []
    path.write_text(line(7))
    assert [outcome.at for outcome in log.new()] == [7]


def test_the_history_reaches_into_the_file_before(tmp_path: Path) -> None:
    (tmp_path / "outcome.log.1").write_text(line(1))
    log = Log(tmp_path / "outcome.log")
    assert [outcome.at for outcome in log.history()] == [1]
    (tmp_path / "outcome.log").write_text(line(2))
    assert [outcome.at for outcome in log.new()] == [2]


def test_of_more_than_a_bound_the_latest_whole_lines_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "ROUND", 5 * len(line(100)) + 3)
    path = tmp_path / "outcome.log"
    for name in ("outcome.log", "outcome.log.1"):
        (tmp_path / name).write_text("".join(map(line, range(100, 199))))
    log = Log(path)
    assert [outcome.at for outcome in log.history()] == [194, 195, 196, 197, 198] * 2
    with path.open("a") as stream:
        stream.write("".join(map(line, range(200, 300))))
    assert [outcome.at for outcome in log.new()] == [295, 296, 297, 298, 299]


def test_a_line_without_an_end_is_none_and_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "outcome.log"
    path.write_text("9" * 100_000)
    log = Log(path)
    assert log.history() == []
    assert len(log._rest) <= access_log.LONGEST + 1
    with path.open("a") as stream:
        stream.write(line(1) + line(2))
    assert [outcome.at for outcome in log.new()] == [2]
