"""The maintenance page: in the application's place until it is taken back or its time has come.

The page is the switch: nginx answers everything but the health page with it while the file is there. So nothing that
happens meanwhile (an update, its undoing, a reboot) has to know, and going in or out reloads nothing.
"""

from __future__ import annotations

import fcntl
import html
import http.client
import json
import os
import re
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO, Any

from filae_ops.agent.frontdoor import site_include
from filae_ops.agent.runtime import health, unit_control, unit_text
from filae_ops.agent.system import durable
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed
from filae_ops.agent.transaction import journal as journals
from filae_ops.agent.transaction import lock

MAX_MESSAGE = 64 * 1024
LONGEST = timedelta(days=366)
TIMER = "filae-maintenance"
PATIENCE = 60.0  # seconds for another `maintenance` to end
_BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
           "novembre", "décembre")  # fmt: skip
_PAGE = """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Filaé : maintenance en cours</title>
<style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:12vh auto;padding:0 1rem;color:#1b2733;\
background:#fff}}a{{color:#1d4e6b}}</style>
</head>
<body>
<main>
<h1>Filaé est en maintenance</h1>
{body}
<p><a href="/">Réessayer</a></p>
<p lang="en">Filaé is closed for maintenance.{english}</p>
</main>
</body>
</html>
"""
_DEFAULT = "En attendant, utilisez la procédure papier de votre unité."


def current(machine: Machine) -> dict[str, Any] | None:
    """Return the maintenance that is on: since, until, by, message; None when the application is open."""
    if not machine.layout.closed_page.is_file():
        return None
    try:
        state = json.loads(machine.layout.maintenance.read_text())
        return {"since": None, "until": None, "by": None, "message": "", **state}
    except (OSError, ValueError, TypeError):
        return {"since": None, "until": None, "by": None, "message": ""}


def describe(found: dict[str, Any] | None) -> str:
    """Say in words whether maintenance is on."""
    if found is None:
        return "off"
    end = f"ends by itself at {found['until']}" if found["until"] else "until `maintenance off`"
    return f"on since {found['since'] or '?'} by {found['by'] or '?'}; {end}"


def close(machine: Machine, message: str | None, until: datetime | None, by: str) -> None:
    """Put the page up, see it from outside, and have its end come by itself; None keeps the message."""
    state = {
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "until": until.astimezone(UTC).isoformat(timespec="seconds") if until else None,
        "by": by,
        "message": message or "",
    }
    with _alone(machine, by):
        _health_exempt(machine)
        if before := current(machine):
            state["since"] = before["since"] or state["since"]
            state["message"] = str(before["message"] or "") if message is None else message
        _set_timer(machine, until)
        durable.write(machine.layout.maintenance, json.dumps(state, ensure_ascii=False) + "\n", 0o600)
        durable.directory(machine.layout.closed_page.parent, 0o755)
        durable.write(machine.layout.closed_page, page(str(state["message"]), until))
        journals.of_machine(machine.layout.journal).write("maintenance-on", by=state["by"], until=state["until"])
    if problem := shown_problem(machine):
        raise Refused(f"the page is in place, and the front door does not show it: {problem}",
                      next_step="filae-ops provision, then filaectl maintenance on")  # fmt: skip


def reopen(machine: Machine, by: str, *, only_ended: bool = False) -> None:
    """Take the page down; `only_ended`: unless its time was moved (what the timer asks)."""
    with _alone(machine, by):
        found = current(machine)
        if only_ended and found and not _over(found["until"]):
            return
        durable.remove(machine.layout.closed_page)
        durable.remove(machine.layout.maintenance)
        _set_timer(machine, None)
        if found is not None:
            journals.of_machine(machine.layout.journal).write("maintenance-off", by="its end" if only_ended else by)


def shown_problem(machine: Machine) -> str:
    """Return why the front door does not show the page to people, or nothing."""
    try:
        answer = health.at_front_door(machine.config)("/")
        same = answer.status == 503 and answer.body == machine.layout.closed_page.read_bytes()
    except (OSError, http.client.HTTPException) as exc:
        return f"{type(exc).__name__}: {exc}"
    return "" if same else f"/ answers {answer.status} with another page"


def read_message(stream: IO[bytes]) -> str:
    """Read the text of the page; refuse what is too long or not plain text."""
    data = stream.read(MAX_MESSAGE + 1)
    if len(data) > MAX_MESSAGE:
        raise Refused(f"the message is longer than {MAX_MESSAGE // 1024} KiB", "dsi", "shorten it")
    try:
        text = data.decode().removeprefix("\ufeff").replace("\r\n", "\n")
    except UnicodeDecodeError as exc:
        raise Refused(f"the message is not UTF-8 (byte {exc.start})", "dsi", "save it as UTF-8 text") from None
    for place, each in enumerate(text):
        control = unicodedata.category(each) == "Cc" and each not in "\n\t"
        if control or unicodedata.bidirectional(each) in _BIDI:
            raise Refused(f"the message holds a control character (U+{ord(each):04X}, character {place + 1})",
                          "dsi", "save it as plain text")  # fmt: skip
    return text.strip()


def parse_until(text: str, now: datetime) -> datetime:
    """Read a time: ISO 8601 (the machine's zone where none is given), or HH:MM, the next one."""
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}", text):
            hours, minutes = map(int, text.split(":"))
            when = now.replace(hour=hours, minute=minutes, second=0, microsecond=0)
            when += timedelta(days=when <= now)
        else:
            when = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        step = "write 2026-09-01T22:00:00+02:00, or 22:00"
        raise Refused(f"--until {text[:40]!r} is not a time", "dsi", step) from None
    if when <= now:
        raise Refused(f"--until {text[:40]} is in the past", "dsi", "give the time at which it is to end")
    if when > now + LONGEST:
        raise Refused(f"--until {text[:40]} is more than a year away", "dsi", "give a nearer time, or none")
    return when


def page(message: str, until: datetime | None) -> str:
    """Return the page: plain text of people, escaped, in French, readable alone."""
    english = ""
    parts = [f"<p>{html.escape(part).replace(chr(10), '<br>')}</p>"
             for part in re.split(r"\n\s*\n", message or _DEFAULT) if part.strip()]  # fmt: skip
    if until:
        local = until.astimezone()
        day = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]} {local.year}"
        when = f'<time datetime="{local.isoformat(timespec="minutes")}">{day} à {local:%H:%M}</time>'
        parts.insert(0, f"<p>Reprise prévue : {when}.</p>")
        english = f" It is expected back at {local:%H:%M on %Y-%m-%d}."
    return _PAGE.format(body="\n".join(parts), english=english)


def ending_units(until: datetime) -> tuple[str, str]:
    """Return the service and the timer that end maintenance a second later: the end has passed when they run."""
    return unit_text.maintenance_units((until.astimezone(UTC) + timedelta(seconds=1)).strftime("%Y-%m-%d %H:%M:%S UTC"))


def _over(until: str | None) -> bool:
    return until is not None and datetime.fromisoformat(until) <= datetime.now(UTC)


@contextmanager
def _alone(machine: Machine, by: str) -> Iterator[None]:
    """Have one `maintenance` at a time; transactions need not wait for it, nor it for them."""
    handle = os.open(machine.layout.maintenance.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(handle)
        os.truncate(handle, 0)
        os.pwrite(handle, f"{by} {os.getpid()}".encode(), 0)
        yield
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    """Wait for the lock, and refuse with who holds it."""
    limit = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > limit:
                by, _, process = os.pread(handle, 200, 0).decode(errors="replace").partition(" ")
                raise Refused(
                    f"another `filaectl maintenance` has not ended: {by}, process {process}",
                    next_step=f"ps -p {process} shows it; kill -CONT {process} where it is stopped; run this again",
                ) from None
            time.sleep(0.1)
        else:
            return


def _health_exempt(machine: Machine) -> None:
    """Let the health page through where an older agent wrote nginx's include."""
    include = machine.layout.nginx / "live.conf"
    text = include.read_text() if include.is_file() else ""
    if "written by filaectl for release" in text and "$filae_closed" not in text:
        if held := lock.holder(machine):
            raise lock.refused(held)
        try:
            site_include.refresh(machine)
        except Failed as exc:
            raise Refused(str(exc), next_step="nginx -t") from exc


def _set_timer(machine: Machine, until: datetime | None) -> None:
    """Have systemd end maintenance at this time, at the next boot if the machine is off then; or never."""
    units = machine.layout.units
    timer, service = units / f"{TIMER}.timer", units / f"{TIMER}.service"
    if until is None:
        if timer.exists():
            unit_control.systemctl(machine, "disable", "--now", "--quiet", timer.name)
        if timer.exists() or service.exists():
            durable.remove(timer)
            durable.remove(service)
            unit_control.systemctl(machine, "daemon-reload")
        return
    for path, text in zip((service, timer), ending_units(until), strict=True):
        durable.write(path, text)
    unit_control.systemctl(machine, "daemon-reload")
    unit_control.systemctl(machine, "enable", "--quiet", timer.name)
    # The former end holds until this one does: cut in between, the page would stay for ever.
    unit_control.systemctl(machine, "restart", timer.name)
