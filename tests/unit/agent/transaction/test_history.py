"""What past transactions teach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from material.agent.fakes import machine_at
from material.agent.past_transactions import past

from filae_ops.agent.transaction import history
from filae_ops.agent.transaction.journal import Journal


@pytest.mark.parametrize(
    ("took", "expected"),
    [
        ((), {"seconds": None, "of": 0}),
        ((30.0,), {"seconds": 30.0, "of": 1}),
        ((10, 20, 50), {"seconds": 20.0, "of": 3}),
        ((1, 1, 1, 9, 9, 9, 9, 9), {"seconds": 9.0, "of": 5}),
    ],
)
def test_the_expected_duration_is_the_median_of_the_last(
    tmp_path: Path, took: tuple[float, ...], expected: dict[str, Any]
) -> None:
    machine, _ = machine_at(tmp_path)
    past(machine, *took)
    past(machine, 59.0, before="")
    past(machine, 58.0, kind="rollback")
    assert history.duration(machine, "deploy") == expected


def test_a_recovered_transaction_teaches_no_duration(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    past(machine, 30.0, recover=True)
    assert history.duration(machine, "deploy") == {"seconds": None, "of": 0}


def test_who_put_a_version_into_service(tmp_path: Path) -> None:
    machine, _ = machine_at(tmp_path)
    past(machine, 30.0)
    events = Journal(machine.layout.journal).read()
    found = history.put_into_service(events, "2.0.1")
    assert found is not None
    assert (found["operator"], found["ended"]) == ("claire", "2026-01-01T00:00:30.000+00:00")
    assert history.put_into_service(events, "9.9.9") is None
