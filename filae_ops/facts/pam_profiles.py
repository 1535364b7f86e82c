"""The common-* files of PAM as pam-auth-update(8) makes them, from the templates and profiles of packages."""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH207

from __future__ import annotations

import glob
import re

from filae_ops.facts.gathering import read

TEMPLATES, PROFILES = "/usr/share/pam", "/usr/share/pam-configs"
KINDS = {
    "common-account": "account", "common-auth": "auth", "common-password": "password", "common-session": "session",
    "common-session-noninteractive": "session",
}  # fmt: skip
NOBODY = "[default=1] pam_permit.so"


def effective(text: str) -> list[str]:
    """Return the lines that are no comments, each with single spaces.

    None is joined with the next: a comment that ends in a backslash hides nothing, pam.conf(5), environment(7).
    """
    rows = (" ".join(row.partition("#")[0].split()) for row in text.splitlines())
    return [row for row in rows if row]


def common(name: str) -> list[str]:
    """Return the lines of /etc/pam.d/NAME with the profiles that packages switch on, and no other."""
    kind = KINDS[name]
    chosen = [profile for profile in _profiles() if not (name.endswith("-noninteractive") and _interactive(profile))]
    made = []
    for row in effective(read(f"{TEMPLATES}/{name}")):
        block = re.fullmatch(r"\$\w+_(primary|additional)", row)
        made += _block(chosen, kind, block[1]) if block else [row]
    return made


def _interactive(profile: dict[str, list[str]]) -> bool:
    return profile.get("session-interactive-only", [""])[0].lower() == "yes"


def _block(profiles: list[dict[str, list[str]]], kind: str, block: str) -> list[str]:
    """Return a block's lines: the first profile's are its initial ones; `end` is a jump over those that follow."""
    rows: list[str] = []
    for profile in profiles:
        if profile.get(f"{kind}-type", [""])[0].lower() == block and profile.get(kind):
            rows += (profile.get(f"{kind}-initial") if not rows else None) or profile[kind]
    if not rows and block == "primary":
        rows = [NOBODY]
    last = len(rows)
    return [f"{kind} " + re.sub(r"\bend\b", str(last - number), row) for number, row in enumerate(rows)]


def _profiles() -> list[dict[str, list[str]]]:
    """Return the profiles that are on by default, in pam-auth-update's order."""
    found = [(path.rpartition("/")[2], _fields(read(path))) for path in glob.glob(f"{PROFILES}/*")]
    on = [(name, fields) for name, fields in found if fields.get("default", [""])[0].lower() == "yes"]
    return [fields for _, fields in sorted(on, key=lambda each: (-int(each[1].get("priority", ["0"])[0]), each[0]))]


def _fields(text: str) -> dict[str, list[str]]:
    """Return the fields of a profile; a field's lines follow it, indented."""
    fields: dict[str, list[str]] = {}
    name = ""
    for row in text.splitlines():
        if row[:1].isspace():
            fields.setdefault(name, []).append(" ".join(row.split()))
        elif match := re.match(r"([\w-]+):\s*(.*)", row):
            name = match[1].lower()
            fields[name] = [match[2]] if match[2] else []
    return fields
