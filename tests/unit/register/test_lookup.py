"""The register: what it holds."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from filae_ops.errors import OpsError
from filae_ops.register.lookup import lifecycle, lifecycles, requirement, requirements

WANTED = """
OS-01 OS-02 SW-01 SW-02 SW-04 PATCH-01 PATCH-03 PATCH-05 BCK-01 BCK-08
NET-01 NET-02 NET-03 NET-04 NET-07 NET-09
TLS-01 TLS-02 TLS-03 TLS-04 TLS-05 TLS-06
SSH-01 SSH-02 SSH-03 ADM-03 LOG-04 LOG-05 LOG-07 HRD-01 HRD-02 CTR-02
"""


def test_the_register_holds_what_the_checks_name():
    own = [f"DSI-{number:02}" for number in range(1, 11)] + [f"OPS-{number:02}" for number in range(1, 7)]
    assert {*WANTED.split(), *own} <= set(requirements())


def test_at_least_ten_duties_of_the_dsi_are_observed():
    owners = Counter(entry.owner for entry in requirements().values() if entry.theme in ("DSI", "OPS"))
    assert owners["dsi"] >= 10
    assert owners["provider"] >= 6


def test_each_entry_is_whole():
    for name, entry in requirements().items():
        assert entry.id == name
        assert entry.statement_fr.endswith("."), name
        assert entry.statement_en.endswith("."), name
        assert len(entry.statement_fr) > 20, name


def test_entries_do_not_change():
    with pytest.raises(TypeError):
        requirements()["X-01"] = None  # type: ignore[index]
    assert requirements() is requirements()


def test_an_unknown_requirement():
    with pytest.raises(OpsError, match="no requirement 'XX-99'"):
        requirement("XX-99")
    assert requirement("NET-01").owner == "dsi"


@pytest.mark.parametrize(
    ("product", "version", "day", "support"),
    [
        ("debian", "13", "2026-11-21", "standard"),
        ("debian", "13", "2028-08-09", "standard"),
        ("debian", "13", "2028-08-10", "extended"),
        ("debian", "12", "2026-11-21", "extended"),
        ("debian", "11", "2026-11-21", "subscription"),
        ("debian", "10", "2030-01-01", "ended"),
        ("ubuntu", "20.04", "2026-11-21", "subscription"),
        ("postgresql", "17.6", "2026-11-21", "standard"),
        ("postgresql", "13", "2026-11-21", "ended"),
        ("ruby", "3.3.8", "2026-11-21", "standard"),
        ("ruby", "3.2", "2026-11-21", "ended"),
    ],
)
def test_support_at_a_date(product, version, day, support):
    found = lifecycle(product, version)
    assert found is not None
    assert found.support(dt.date.fromisoformat(day)) == support


@pytest.mark.parametrize(("product", "version"), [("debian", "14"), ("arch", "1"), ("ruby", "3"), ("ubuntu", "24")])
def test_an_unknown_version_is_not_guessed(product, version):
    assert lifecycle(product, version) is None


def test_calendars_are_in_order():
    for row in lifecycles().values():
        assert all(row.standard_until < each.until for each in row.extended)
        assert row.released is None or row.released < row.standard_until
