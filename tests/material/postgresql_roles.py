"""What PostgreSQL says of its roles on a machine as provisioned, with changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from filae_ops.agent.database.declared_roles import ATTRIBUTES, CONNECTIONS, DATABASE, OWNER, SETTINGS

ALL = dict.fromkeys(ATTRIBUTES, True)
Setting = tuple[str | None, str | None, Sequence[str]]


def known(
    *,
    roles: Mapping[str, Mapping[str, Any]] | None = None,
    settings: Sequence[Setting] = (),
    memberships: Sequence[tuple[str, str, str]] = (),
    database: Mapping[str, Any] | None = None,
    databases: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the answer; each change is added to what is declared: attributes, settings of (role, database)."""
    own = {name: {**ATTRIBUTES, "connections": CONNECTIONS, "password": False} for name in ("filae", "filae_migrate")}
    own["postgres"] = {**ALL, "connections": -1, "password": False}
    for name, changes in (roles or {}).items():
        own[name] = {**own.get(name, own["filae"]), **changes}
    declared = {(r, None): [f"{name}={value}" for name, value in has.items()] for r, has in SETTINGS.items() if has}
    for role, where, items in settings:
        declared[role, where] = [*declared.get((role, where), []), *items]
    plain = {"owner": "postgres", "connections": -1, "open": True, "template": False}
    return {
        "roles": own,
        "settings": [{"role": r, "database": d, "settings": items} for (r, d), items in declared.items()],
        "memberships": [dict(zip(("role", "member", "grantor"), row, strict=True)) for row in memberships],
        "databases": {"postgres": plain, DATABASE: {**plain, "owner": OWNER, **(database or {})}, **(databases or {})},
    }
