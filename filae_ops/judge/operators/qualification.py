"""A SecNumCloud qualification that is claimed for a service, against what the register knows of that service."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from filae_ops.judge.case.case import Case, as_day, lacks
from filae_ops.judge.case.proof_files import file_findings
from filae_ops.judge.case.tree import MISSING, declared, find, first
from filae_ops.judge.case.verdict import Finding
from filae_ops.judge.operators.comparisons import SOON, rank
from filae_ops.register.hosts import SecNumCloud

SNC = "hosting.certificates.snc"
LEAST = "3.2"
"""First version that asks for immunity to extra-European law (chapter 19.6)."""
Part = Literal["service", "version", "period", "attestation"]


def claimed(case: Case) -> bool | None:
    """Tell whether a qualification is claimed; None when the inventory does not say."""
    value = first(case.tree, SNC)
    return None if value is MISSING else isinstance(value, Mapping)


def qualification(case: Case, *parts: Part) -> tuple[Finding, ...]:
    """Return what speaks for or against the claim, part by part; every part unless some are named."""
    steps: Mapping[Part, Callable[[Case, SecNumCloud], Iterator[Finding]]] = {
        "service": _service,
        "version": _version,
        "period": _period,
        "attestation": _attestation,
    }
    known, found = _known(case)
    if known is None:
        return found
    return tuple(each for name in parts or tuple(steps) for each in steps[name](case, known))


def _known(case: Case) -> tuple[SecNumCloud | None, tuple[Finding, ...]]:
    """Return the register's row of the service, or why there is none."""
    if absent := lacks(case, "hosting.host_id", "hosting.service_id"):
        return None, absent
    service = case.service
    name = declared(case.tree, "hosting.service_id")
    if service is None:
        return None, (Finding("unsure", "service_unknown", "hosting.service_id", name),)
    known = service.secnumcloud
    if known.status == "to_evaluate":
        return None, (Finding("unsure", "service_unknown", "hosting.service_id", name),)
    if known.status != "qualified":
        return None, (Finding("contrary", f"snc.{known.status}", "hosting.service_id", name),)
    if known.confidence == "from-memory":
        return None, (Finding("unsure", "snc.from_memory", "hosting.service_id", name, words=_note(known)),)
    return known, ()


def _note(known: SecNumCloud) -> Mapping[str, Any] | None:
    return {"note": known.note} if known.note else None


def _service(case: Case, known: SecNumCloud) -> Iterator[Finding]:
    yield from _same(case, "service", known.service, lambda text: re.sub(r"[\W_]+", " ", text).strip().casefold())
    yield from _same(case, "decision", known.decision, lambda text: re.sub(r"\D", "", text))


def _same(case: Case, key: str, wanted: str | None, plain: Any) -> Iterator[Finding]:
    field = f"{SNC}.{key}"
    value = first(case.tree, field)
    if value is MISSING:
        yield Finding("missing", "missing", field, None, wanted)
    elif value is None:
        yield Finding("contrary", "none", field, None, wanted)
    elif wanted is None:
        yield Finding("unsure", "snc.not_known", field, value)
    else:
        same = plain(str(value)) == plain(wanted)
        outcome, code = ("holds", "snc.same") if same else ("contrary", "snc.differs")
        yield Finding(outcome, code, field, value, wanted)  # type: ignore[arg-type]


def _version(case: Case, known: SecNumCloud) -> Iterator[Finding]:
    field = f"{SNC}.version"
    value = first(case.tree, field)
    if value is MISSING:
        yield Finding("missing", "missing", field, None, LEAST)
    elif (rank(value) or (0.0,)) < (rank(LEAST) or ()):
        yield Finding("contrary", "snc.old", field, value, LEAST)
    elif known.version is None:
        yield Finding("unsure", "snc.version_unknown", field, value, LEAST, _note(known))
    elif known.version != value:
        yield Finding("contrary", "snc.differs", field, value, known.version)
    else:
        yield Finding("holds", "snc.same", field, value, known.version)


def _period(case: Case, known: SecNumCloud) -> Iterator[Finding]:
    field, day = f"{SNC}.to", case.day
    value = first(case.tree, field)
    end, begin = as_day(None if value is MISSING else value), as_day(declared(case.tree, f"{SNC}.from"))
    starts = [each for each in (begin, _start(known)) if each]
    if value is MISSING:
        yield Finding("missing", "missing", field)
    elif end is None:
        yield Finding("contrary", "none", field)
    elif starts and max(starts) > day:
        yield Finding("contrary", "not_begun", field, value, day.isoformat(), {"begins": max(starts).isoformat()})
    elif end < day:
        yield Finding("expired", "after.expired", field, value, day.isoformat(), {"days": (day - end).days})
    elif known.to is None or _start(known) is None:
        yield Finding("unsure", "snc.dates_unknown", field, value, None, _note(known))
    elif known.to != end:
        yield Finding("unsure", "snc.end_differs", field, value, known.to.isoformat())
    else:
        code = "after.soon" if end - day <= SOON else "after.holds"
        yield Finding("holds", code, field, value, day.isoformat(), {"days": (end - day).days})


def _start(known: SecNumCloud) -> Any:
    return as_day(known.start) if known.start and len(known.start) == len("2026-11-30") else None


def _attestation(case: Case, known: SecNumCloud) -> Iterator[Finding]:
    found = find(case.tree, f"{SNC}.attestation")[0]
    if found.missing:
        yield Finding("missing", "missing", found.name)
    elif found.value is None:
        yield Finding("contrary", "none", found.name)
    else:
        yield from file_findings(case, found.name, found.value) or (
            Finding("holds", "file.read", found.name, found.value),
        )
