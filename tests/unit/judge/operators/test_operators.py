"""Each operator of the register: a value that does, one that does not, and its edges."""

from __future__ import annotations

import datetime as dt
from typing import Any, get_args

import pytest

from filae_ops.judge.case.case import Case
from filae_ops.judge.case.register import load_register
from filae_ops.judge.case.tree import Found, find
from filae_ops.judge.operators.table import OPERATORS
from filae_ops.register.model import Op

DAY = dt.date(2026, 11, 21)
YES, NO, PAST, ASK, ABSENT = "holds", "contrary", "expired", "unsure", "missing"
ROWS: list[tuple[str, Any, Any, str]] = [
    ("exists", "text", True, YES),
    ("exists", {"file": "a.pdf", "date": "2026-11-21"}, True, YES),
    ("exists", {"file": "a.pdf", "date": "2026-11-22"}, True, NO),
    ("exists", "2026-11-22", True, NO),
    ("exists", False, True, NO),
    ("exists", [], True, NO),
    ("exists", {}, True, NO),
    ("exists", {"rssi": None}, True, NO),
    ("exists", {"rssi": None, "dpo": "+33 1 99 00 12 34"}, True, YES),
    ("exists", 0, True, YES),
    ("claimed", {"version": "3.2"}, True, YES),
    ("claimed", None, True, NO),
    ("eq", True, True, YES),
    ("eq", False, True, NO),
    ("eq", 1, True, NO),
    ("eq", None, False, YES),
    ("eq", "dsi", "dsi", YES),
    ("in", "luks", ["luks", "hypervisor"], YES),
    ("in", "none", ["luks", "hypervisor"], NO),
    ("in", "NO", "EEA", YES),
    ("in", "NO", "EU", NO),
    ("subset_of", ["FR", "NO"], "EEA", YES),
    ("subset_of", ["FR", "CH"], "EEA", NO),
    ("subset_of", [], "EEA", NO),
    ("not_subset_of", ["FR", "US"], "EEA", YES),
    ("not_subset_of", ["FR"], "EEA", NO),
    ("not_subset_of", [], "EEA", NO),
    ("gte", 2, 2, YES),
    ("gte", 1, 2, NO),
    ("gte", "3.2", 3.2, YES),
    ("gte", "3.10", 3.2, YES),
    ("gte", "3.1", 3.2, NO),
    ("gte", "3.1 ou 3.2", 3.2, NO),
    ("gte", "enhanced", "intermediary", YES),
    ("gte", "minimal", "intermediary", NO),
    ("lte", 7, 7, YES),
    ("lte", 7.1, 7, NO),
    ("lte", True, 7, NO),
    ("lte", "seven", 7, NO),
    ("between", 180, [180, 365], YES),
    ("between", 365, [180, 365], YES),
    ("between", 366, [180, 365], NO),
    ("after", "2026-11-22", "as_of", YES),
    ("after", "2026-11-21", "as_of", YES),
    ("after", "2026-11-20", "as_of", PAST),
    ("after", "soon", "as_of", NO),
    ("within_days", "2025-11-21", 365, YES),
    ("within_days", "2025-11-20", 365, PAST),
    ("within_days", "2026-11-22", 365, NO),
    ("within_days", {"date": "2026-11-21"}, 365, YES),
    ("within_days", {"score": 3}, 365, ABSENT),
    ("not_empty", ["a"], True, YES),
    ("not_empty", [], True, NO),
    ("not_empty", {}, True, NO),
    ("contains", ["audit"], "audit", YES),
    ("contains", ["auditing"], "audit", NO),
    ("contains", ["Cloud Act (2018)"], "CLOUD Act", YES),
    ("contains", "postgresql-17", "postgresql", YES),
    ("contains", 3, "audit", NO),
    ("contains_all", ["files", "database"], ["files", "database"], YES),
    ("contains_all", ["files"], ["files", "database"], NO),
    ("lte_field", 240, "continuity.rto_minutes", YES),
    ("lte_field", 241, "continuity.rto_minutes", NO),
    ("lte_field", 1, "continuity.nothing", ABSENT),
    ("lte_field", 1, "continuity.none", NO),
    ("rpo_covers", 24, None, YES),
    ("rpo_covers", 25, None, NO),
    ("eq_or_certified", "dsi", "dsi", YES),
    ("eq_or_certified", "provider", "dsi", NO),
    ("eq_or_certified", "host", "dsi", NO),
    ("eq_or_certified", "hospital", "dsi", ASK),
    ("has_outbound", [{"id": "a", "direction": "out"}], True, YES),
    ("has_outbound", [{"id": "a", "direction": "in"}], True, NO),
    ("outbound_described", [{"id": "a", "direction": "out", "data": "x", "owner": "dsi"}], True, YES),
    ("outbound_described", [{"id": "a", "direction": "out", "data": "x"}], True, ABSENT),
    ("outbound_described", [{"id": "a", "direction": "out", "data": None, "owner": "dsi"}], True, NO),
    ("outbound_described", [{"id": "a", "direction": "in"}], True, YES),
    ("no_inbound_port", [{"id": "a", "direction": "in", "proto": "tcp", "port": [443]}], ["5432"], YES),
    ("no_inbound_port", [{"id": "a", "direction": "in", "proto": "tcp", "port": [5432]}], ["5432"], NO),
    ("no_inbound_port", [{"id": "a", "direction": "in", "proto": "tcp", "port": 5432}], ["5432"], NO),
    ("no_inbound_port", [{"id": "a", "direction": "out", "proto": "tcp", "port": [5432]}], ["5432"], YES),
    ("no_inbound_port", [{"id": "a", "direction": "in", "proto": "tcp"}], ["5432"], ABSENT),
    ("no_inbound_port", [{"id": "a", "direction": "in", "proto": "icmp"}], ["5432"], YES),
    ("certificate_days", "tls/long.pem", 21, YES),
    ("certificate_days", "tls/short.pem", 21, PAST),
    ("certificate_days", "tls/past.pem", 21, PAST),
    ("certificate_days", "tls/unreadable.pem", 21, NO),
    ("all_rows_owned", None, True, YES),
    ("confirm", "whatever", True, ASK),
]
CERTIFICATES = {
    "tls/long.pem": dt.date(2026, 12, 12),
    "tls/short.pem": dt.date(2026, 12, 11),
    "tls/past.pem": dt.date(2026, 11, 20),
}
TREE = {
    "continuity": {"rto_minutes": 240, "rpo_minutes": 1440, "none": None},
    "hosting": {"certificates": {"hds": None}},
}
# Tested through the requirements that they were made for: they look at the whole site.
ELSEWHERE = {"covers", "hds_covers", "in_catalogue", "supported_at", "supported_for_days"}


def case(tree: dict[str, Any] = TREE) -> Case:
    return Case(tree, load_register(), DAY, (), {}, CERTIFICATES)


@pytest.mark.parametrize(("op", "value", "expected", "wanted"), ROWS)
def test_operator(op, value, expected, wanted):
    assert OPERATORS[op](case(), Found("some.field", value), expected)[0].outcome == wanted


def test_each_operator_of_the_register_is_known_and_tested():
    assert set(OPERATORS) == set(get_args(Op))
    assert {op for op, *_ in ROWS} | ELSEWHERE == set(OPERATORS)


@pytest.mark.parametrize("field", ["hosting.remote_access_countries", "hosting.extra_eu.declared_laws"])
@pytest.mark.parametrize("op", ["subset_of", "exists"])
def test_a_list_that_may_be_empty(op, field):
    assert OPERATORS[op](case(), Found(field, []), "EEA")[0].outcome == "holds"


def test_a_period_that_has_not_begun():
    tree = {"contract": {"from": "2026-11-22", "to": "2027-11-22"}}
    found = find(tree, "contract.to")[0]
    assert OPERATORS["after"](case(tree), found, "as_of")[0].code == "not_begun"


# Ends of support: before the last day, on it, after it.
SUPPORT = [
    ("debian", "13", "2028-08-09", "holds"),
    ("debian", "13", "2028-08-10", "expired"),
    ("debian", "13.1", "2026-11-21", "holds"),
    ("debian", "12", "2026-07-11", "holds"),
    ("debian", "12", "2026-07-12", "expired"),
    ("debian", "12", "2028-06-30", "expired"),
    ("debian", "12", "2028-07-01", "contrary"),
    ("debian", "11", "2026-08-31", "expired"),
    ("debian", "11", "2026-09-01", "contrary"),
    ("ubuntu", "22.04", "2027-04-02", "contrary"),
    ("debian", "99", "2026-11-21", "unsure"),
    ("debian", "9", "2026-11-21", "contrary"),
    ("debian", "9", "2020-01-01", "unsure"),
    ("ubuntu", "18.04.6", "2026-11-21", "contrary"),
    ("ubuntu", "20.10", "2026-11-21", "unsure"),
    ("rhel", "9.4", "2026-11-21", "holds"),
    ("rhel", "7", "2026-11-21", "unsure"),
    ("rocky", "8.10", "2029-06-01", "contrary"),
    ("almalinux", "10", "2035-05-31", "holds"),
]


@pytest.mark.parametrize(("system", "version", "day", "wanted"), SUPPORT)
def test_support_of_a_system(system, version, day, wanted):
    tree = {"machines": [{"name": "m", "os": {"id": system, "version": version}}]}
    on = Case(tree, load_register(), dt.date.fromisoformat(day), (), {}, {})
    found = find(tree, "machines[].os.version")[0]
    assert OPERATORS["supported_at"](on, found, "as_of")[0].outcome == wanted


@pytest.mark.parametrize(
    ("until", "wanted"), [("2029-06-30", "expired"), ("2026-11-20", "contrary"), (None, "contrary")]
)
def test_a_subscription_maintains_a_system_as_long_as_it_lasts(until, wanted):
    extended = {"name": "ELTS", "contract": "evidence/elts.pdf", "until": until} if until else None
    tree = {"machines": [{"name": "m", "os": {"id": "debian", "version": "11", "extended_support": extended}}]}
    assert OPERATORS["supported_at"](case(tree), find(tree, "machines[].os.version")[0], "as_of")[0].outcome == wanted


@pytest.mark.parametrize(
    ("day", "wanted"), [("2028-02-11", "holds"), ("2028-02-12", "expired"), ("2028-08-10", "expired")]
)
def test_an_upgrade_is_planned_in_time(day, wanted):
    tree = {"machines": [{"name": "m", "os": {"id": "debian", "version": "13"}}]}
    on = Case(tree, load_register(), dt.date.fromisoformat(day), (), {}, {})
    found = find(tree, "machines[].os.version")[0]
    assert OPERATORS["supported_for_days"](on, found, 180)[0].outcome == wanted
