"""Operators on the two matrices of a site: its flows, and who answers for what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.judge.case.case import Case
from filae_ops.judge.case.raci import unowned
from filae_ops.judge.case.tree import Found
from filae_ops.judge.case.verdict import Finding
from filae_ops.judge.operators.comparisons import finding


def has_outbound(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """At least one flow goes out of the machine."""
    names = [str(flow.get("id")) for flow in _flows(found, "out")]
    if not names:
        return finding(found, "contrary", "outbound.none")
    return finding(found, "holds", "outbound.listed", names=names)


def outbound_described(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Each flow out of the machine says which data pass and who answers for it."""
    findings = tuple(_undescribed(_flows(found, "out")))
    return findings or finding(found, "holds", "outbound.described")


def _undescribed(flows: Iterator[Mapping[str, Any]]) -> Iterator[Finding]:
    for flow in flows:
        for key in ("data", "owner"):
            if key not in flow:
                yield Finding("missing", "missing", f"flows[{flow.get('id')}].{key}")
            elif not flow[key]:
                yield Finding("contrary", "none", f"flows[{flow.get('id')}].{key}")


def no_inbound_port(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """No flow opens one of these ports to the machine."""
    closed = sorted(int(port) for port in expected)
    open_ = tuple(each for flow in _flows(found, "in") for each in _opened(flow, closed))
    return open_ or finding(found, "holds", "port.closed", closed)


def _opened(flow: Mapping[str, Any], closed: list[int]) -> Iterator[Finding]:
    name, port = f"flows[{flow.get('id')}].port", flow.get("port")
    if not port and flow.get("proto") != "icmp":
        yield Finding("missing", "missing", name)
    for each in (port,) if isinstance(port, int) else port or ():
        if each in closed:
            yield Finding("contrary", "port.open", name, each, closed, {"peer": flow.get("from")})


def _flows(found: Found, direction: str) -> Iterator[Mapping[str, Any]]:
    flows = found.value if isinstance(found.value, list | tuple) else ()
    return (flow for flow in flows if isinstance(flow, Mapping) and flow.get("direction") == direction)


def all_rows_owned(case: Case, found: Found, expected: Any) -> tuple[Finding, ...]:
    """Each row of the responsibility matrix has one who is accountable."""
    to_agree, orphans = unowned(case.rows)
    lost = tuple(Finding("contrary", "row.orphan", f"responsibilities.{row.id}", row.letters) for row in orphans)
    open_ = tuple(Finding("missing", "row.to_agree", f"responsibilities.{row.id}") for row in to_agree)
    return (*lost, *open_) or finding(found, "holds", "row.owned")
