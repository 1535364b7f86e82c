"""`filaectl maintenance [on|off]`: close the application behind a page, open it again, or say which it is."""

from __future__ import annotations

import json
import sys
from datetime import datetime

from filae_ops.agent.frontdoor.maintenance_page import close, current, describe, parse_until, read_message, reopen
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.machine import Machine


def command(machine: Machine, word: str, by: str, *, until: str, message: bool, ended: bool, as_json: bool) -> int:
    """Carry out `maintenance`, `maintenance on` or `maintenance off`."""
    if word != "on" and (until or message):
        raise Refused("--until and --message go with `on`", "dsi", "filaectl maintenance on --until 18:00")
    if word == "on":
        text = read_message(sys.stdin.buffer) if message else None
        close(machine, text, parse_until(until, datetime.now().astimezone()) if until else None, by)
    elif word == "off":
        reopen(machine, by, only_ended=ended)
    found = current(machine)
    print(json.dumps({"maintenance": found}, ensure_ascii=False) if as_json else f"maintenance {describe(found)}")
    return 0
