"""The register: what it holds, and what its loader refuses."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from filae_ops.errors import OpsError
from filae_ops.register.load import (
    HERE,
    lifecycle,
    lifecycles,
    read_lifecycles,
    read_requirements,
    requirement,
    requirements,
)

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


REGISTER = (HERE / "requirements.yml").read_text()
BAD = [
    ("  owner: provider\n", "  owner: nobody\n", "owner: "),
    ("  owner: provider\n", "", "owner: Field required"),
    ("  owner: provider\n", "  owner: provider\n  colour: red\n", "colour: Extra inputs"),
    ("  owner: provider\n", "  owner: provider\n  owner: dsi\n", "duplicate key 'owner'"),
    ("- id: OS-02", "- id: OS-01", "'OS-01' is already line"),
    ("- id: OS-02", "- id: os-2", "id: "),
    ("- id: OS-02", "- id: SW-09", "is not the first part"),
    ("  source_date: \"2021-05-06\"\n", "  source_date: 6 mai\n", "source_date: "),
    ("  source_date: \"2021-05-06\"\n", "", "source_date: Field required"),
    ("  source_url: https:", "  source_url: ftp:", "source_url: "),
    ("  confidence: seen-official", "  confidence: sure", "confidence: "),
    ("requirements:", "rules:", "are wanted, and no other"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"), BAD, ids=[f"{row[1].strip() or 'without'} {row[2]}" for row in BAD]
)
def test_a_bad_register_is_refused_with_its_line(tmp_path, old, new, said):
    path = tmp_path / "requirements.yml"
    assert old in REGISTER
    path.write_text(REGISTER.replace(old, new, 1))
    with pytest.raises(OpsError) as caught:
        read_requirements(path)
    assert f"{path}:" in str(caught.value)
    assert said in str(caught.value)


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


@pytest.mark.parametrize(
    ("product", "version"), [("debian", "14"), ("arch", "1"), ("ruby", "3"), ("ubuntu", "24")]
)
def test_an_unknown_version_is_not_guessed(product, version):
    assert lifecycle(product, version) is None


def test_calendars_are_in_order():
    for row in lifecycles().values():
        assert all(row.standard_until < each.until for each in row.extended)
        assert row.released is None or row.released < row.standard_until


CALENDARS = (HERE / "lifecycles.yml").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  - EOL\n", "  - XXX\n", "unknown source 'XXX'"),
        ("version: '12'", "version: '11'", "is already line"),
        ("standard_until: 2024-08-14", "standard_until: 2024-02-30", "is not a date that exists"),
        ("standard_until: 2024-08-14", "standard_until: soon", "standard_until: "),
        ("subscription: false", "subscription: 'no'", "subscription: "),
        ("    url: https:", "    url: file:", "url: "),
        ("  EOL:", "  LOE:", "unknown source 'EOL'"),
    ],
)
def test_bad_calendars_are_refused_with_their_line(tmp_path, old, new, said):
    path = tmp_path / "lifecycles.yml"
    assert old in CALENDARS
    path.write_text(CALENDARS.replace(old, new, 1))
    with pytest.raises(OpsError) as caught:
        read_lifecycles(path)
    assert f"{path}:" in str(caught.value)
    assert said in str(caught.value)
