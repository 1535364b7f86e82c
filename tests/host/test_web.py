"""The front door's manners."""

from __future__ import annotations

import re

from filae_ops.verification.check import Target, broken, check, not_run

HALF_A_YEAR = 15_552_000
WANTED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "(?i)deny|sameorigin",
    "referrer-policy": ".+",
}


@check("web-hsts", "TLS-06")
def test_hsts(on: Target) -> None:
    """HSTS holds for six months at least."""
    value = on.answer("tls1.2")["headers"].get("strict-transport-security", "")
    age = re.search(r"max-age=(\d+)", value)
    if not age or int(age[1]) < HALF_A_YEAR:
        broken("short", value=value or "-")


@check("web-redirect", "TLS-06")
def test_http_leads_to_https(on: Target) -> None:
    """Plain HTTP answers only with the way to HTTPS."""
    answer = on.answer("plain")
    target = answer["headers"].get("location", "")
    if answer["status"] not in (301, 308) or not target.startswith("https://"):
        broken("elsewhere", status=answer["status"], target=target or "-")


@check("web-headers", "WEB-01")
def test_headers(on: Target) -> None:
    """The protective headers are sent, and no version is told."""
    headers = on.answer("tls1.2")["headers"]
    if missing := [name for name in WANTED if not headers.get(name)]:
        broken("missing", headers=missing)
    # nginx lets pass what the release says of these.
    if weak := [f"{name}: {headers[name]}" for name, form in WANTED.items() if not re.fullmatch(form, headers[name])]:
        broken("weak", headers=weak)
    if re.search(r"\d", headers.get("server", "")):
        broken("version", value=headers["server"])


@check("web-hidden", "WEB-01")
def test_dotfiles_are_not_served(on: Target) -> None:
    """Hidden files are not served."""
    answers = on.answer("hidden")
    if set(answers.values()) == {503} and on.facts["agent"]["status"].get("maintenance"):
        not_run("in_maintenance")
    if shown := [f"{path} ({status})" for path, status in answers.items() if status != 404]:
        broken("served", paths=shown)
