"""The files that a declaration rests on: a document is a file that was read, not a word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from filae_ops.judge.case.case import Case
from filae_ops.judge.case.tree import MISSING, Found, generic
from filae_ops.judge.case.verdict import Finding

KEYS = ("file", "copy", "attestation", "sheet", "certificate", "contract")
"""Keys whose value is the path of a file in the inventory."""
_OWN: Mapping[str, str] = {
    "hosting.certificates.hds": "copy",
    "hosting.certificates.snc": "attestation",
}
"""Asked for where the mapping itself is the evidence."""
_ALWAYS: Mapping[str, str] = {
    "hosting.certificates.iso27001": "copy",
    "contracts.hosting": "file",
    "contracts.maintenance": "file",
    "backup.last_restore_test": "sheet",
    "machines[].os.extended_support": "contract",
    "machines[].hardening_report": "file",
    "documents.security_audit": "file",
    "documents.acceptance[]": "file",
}
"""Asked for wherever something of the mapping is the evidence."""
_DOCUMENT = {"file", "date"}


def proofs(case: Case, found: Found) -> tuple[Finding, ...]:
    """Return what is wrong with the files that a declared value rests on; nothing when they are there."""
    asked = tuple(each for name, value, key in _asked(found) for each in _proof(case, name, value, key))
    own = found.name.rpartition(".")[2] in KEYS and isinstance(found.value, str)
    return asked or (file_findings(case, found.name, found.value) if own else ())


def _asked(found: Found) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Yield the mappings that must name a file, each with its field and the key of the file."""
    for name, value in found.above:
        if key := _ALWAYS.get(generic(name)):
            yield name, value, key
    every = found.value if isinstance(found.value, list | tuple) else (found.value,)
    for index, value in enumerate(every):
        if not isinstance(value, Mapping):
            continue
        name = f"{found.name}[{index}]" if value is not found.value else found.name
        own = _OWN.get(generic(name)) or _ALWAYS.get(generic(name))
        if key := own or ("file" if (value and set(value) <= _DOCUMENT) or "file" in value else None):
            yield name, value, key


def _proof(case: Case, name: str, value: Mapping[str, Any], key: str) -> tuple[Finding, ...]:
    path = value.get(key, MISSING)
    if path is MISSING:
        return (Finding("missing", "missing", f"{name}.{key}"),)
    if path is None:
        return (Finding("contrary", "none", f"{name}.{key}"),)
    return file_findings(case, f"{name}.{key}", path)


def file_findings(case: Case, field: str, path: str) -> tuple[Finding, ...]:
    """Return what is wrong with one file; nothing when it was read and is not empty."""
    read = case.evidence.get(path)
    if read is None:
        return (Finding("unsure", "file.unread", field, path),)
    return (Finding("contrary", f"file.{read.problem}", field, path),) if read.problem else ()
