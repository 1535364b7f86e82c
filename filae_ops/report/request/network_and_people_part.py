"""What is asked of the network, the services around the machine, and the people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from filae_ops.inventory.reading.draft import at
from filae_ops.report.document.blocks import Block, Bullets, Facts, Section, Table, Text
from filae_ops.report.flows.matrix import WIDTHS, Line, cells, headers, lines
from filae_ops.report.request.draft_values import Asking

DUTIES = (
    "D-POWER", "D-HYPERVISOR", "D-HARDWARE-CAP", "D-OS-INSTALL", "D-OS-PATCH", "D-DNS", "D-TLS", "D-FW", "D-LOCAL-FW",
    "D-SNAPSHOT", "D-FILE-BACKUP", "D-RESTORE-TEST", "D-ACCESS-RIGHTS", "D-ACCESS-PATH", "D-ACCESS-TRACES",
    "D-ACCESS-APPROVAL", "D-INFRA-SUPERVISION", "D-APP-SUPERVISION",
)  # fmt: skip
"""Duties of the register that a delivery touches."""


def network(asking: Asking) -> Section:
    """Return addresses, names and ways out."""
    say, draft = asking.say["network"], asking.draft
    hosts = draft.get("hosts", {})
    rows = [
        (say["address"] if len(hosts) == 1 else f"{say['address']} {name}",
         asking.value(at(variables, "ansible_host"), f"hosts.{name}.ansible_host"))
        for name, variables in hosts.items()
    ]  # fmt: skip
    rows += [
        (say["mask"], str(say["mask_note"])),
        (say["public_name"], asking.text("network.public_name")),
        (say["dns"], asking.text("network.dns_servers")),
        (say["inbound"], asking.text("network.inbound_internet")),
        (say["outbound"], asking.text("network.outbound_internet", lambda kind: str(say_out(asking).get(kind, kind)))),
    ]
    if draft.get("network.outbound_internet") in ("proxy", None):
        rows.append((say["proxy"], asking.text("network.proxy")))
    rows += [
        (say["mirror"], _mirror(asking)),
        (say["administration"], asking.text("access.administration_networks")),
        (say["path"], asking.value(draft.get("admin.access_path"), "network.access_path")),
    ]
    return Section("network", say["title"], (Facts(tuple(rows)), Text(say["fixed"], "note")))


def _mirror(asking: Asking) -> str:
    mirror = asking.draft.get("patching.mirror")
    if mirror is None and "patching.mirror" not in asking.draft.waiting:
        return str(asking.say["network"]["mirror_none"])
    return asking.value([at(mirror, name) for name in ("url", "security_url")] if mirror else None, "network.mirror")


def say_out(asking: Asking) -> Mapping[str, str]:
    """Return the words of the ways out."""
    found: Mapping[str, str] = asking.say["outbounds"]
    return found


def flows(asking: Asking) -> Section:
    """Return the flow matrix, as far as it is known."""
    say = asking.say["flows"]
    found = flow_lines(asking)
    asking.asked.update(f"flows.{line.id}" for line in found if not line.always and not line.peer.known)
    rows = tuple(cells(line, asking.lang, missing=str(asking.say["blank"]["dsi"])) for line in found)
    table = Table(say["caption"], headers(asking.lang), rows, WIDTHS, "dense wide")
    return Section("flows", say["title"], (Text(say["intro"]), table))


def flow_lines(asking: Asking) -> list[Line]:
    """Return the lines of the draft's flows."""
    draft = asking.draft
    machines = [at(variables, "ansible_host") for variables in draft.get("hosts", {}).values()]
    networks = [each for each in draft.get("access.administration_networks", []) if each]
    flows_ = [each for each in draft.get("flows", []) if isinstance(each, Mapping)]
    return lines(flows_, networks, [each for each in machines if each])


def services(asking: Asking) -> Section:
    """Return where the time comes from, and where mail goes."""
    say, draft = asking.say["services"], asking.draft
    rows = [(say["time"], asking.text("network.time_sources"))]
    relay = draft.get("network.mail_relay")
    if relay is None and ("network.mail_relay" in draft.waiting or not draft.get("network")):
        rows.append((say["mail"], asking.blank("network.mail_relay")))
    elif relay is None:
        rows.append((say["mail"], str(say["mail_none"])))
    else:
        host = asking.value(at(relay, "host"), "network.mail_relay.host")
        rows.append((say["mail"], str(say["mail_value"]).format(host=host, port=at(relay, "port", 25))))
        rows.append((say["sender"], asking.blank("network.sender")))
    return Section("services", say["title"], (Facts(tuple(rows)), Text(say["note"], "note")))


def certificate(asking: Asking) -> Section:
    """Return the certificate that the hospital supplies."""
    say, draft = asking.say["certificate"], asking.draft
    mode = draft.get("tls.mode")
    rows = [(say["mode"], asking.text("tls.mode", lambda kind: str(say.get(kind, kind))))]
    if mode != "local-ca":
        files = [
            str(say["file"]).format(what=say[name], path=asking.text(f"tls.{name}"))
            for name in ("certificate", "chain", "root")
        ]
        rows += [
            (say["name"], asking.text("network.public_name")), (say["files"], " ; ".join(files)),
            (say["key"], str(say["key_value"])), (say["renewal"], str(say["renewal_value"])),
        ]  # fmt: skip
    return Section("certificate", say["title"], (Facts(tuple(rows)),))


def backup(asking: Asking) -> Section:
    """Return what the DSI saves, how often, and what to run around it."""
    say, draft = asking.say["backup"], asking.draft
    place = draft.get("backup.offsite.place")
    rows = (
        (say["kinds"], asking.text("backup.kinds", lambda kind: str(say["names"].get(kind, kind)))),
        (say["interval"], asking.text("backup.interval_hours", lambda n: str(say["interval_value"]).format(hours=n))),
        (say["retention"], asking.text("backup.retention_days", lambda n: str(say["retention_value"]).format(days=n))),
        (say["alert"], asking.text("backup.monitoring.alert_to")),
        (say["offsite"], asking.value(place, "backup.offsite")),
        (say["immutable"], asking.text("backup.offline_or_immutable")),
        (say["restore"], str(say["restore_value"])),
    )
    return Section("backup", say["title"], (Facts(rows), Bullets(tuple(say["bullets"]))))


def accounts(asking: Asking, account: str, day: dt.date) -> Section:
    """Return the first account, the named ones, and their keys that still work."""
    say = asking.say["accounts"]
    facts = Facts((
        (say["first"], str(say["first_value"]).format(name=account)), (say["root"], str(say["root_value"])),
        (say["group"], str(say["group_value"])),
    ))  # fmt: skip
    tables: list[Block] = []
    for group, caption in (("operators", say["operators"]), ("dsi", say["dsi"])):
        rows = tuple(_people(asking, f"access.{group}", day))
        tables.append(Table(caption, tuple(say["headers"]), rows, (20, 62, 18), empty=str(say["empty"])))
    return Section("accounts", say["title"], (facts, *tables))


def _people(asking: Asking, place: str, day: dt.date) -> list[tuple[str, str, str]]:
    found = []
    for person in asking.draft.get(place, []):
        if at(person, "state", "present") != "present":
            continue
        for key in at(person, "keys", None) or [{}]:
            until = at(key, "until")
            if isinstance(until, dt.date) and until < day:
                continue
            values = (at(person, "name"), at(key, "key"), until)
            found.append(tuple(asking.value(value, f"{place}.{at(person, 'name', '?')}") for value in values))
    return [(name, key, until) for name, key, until in found]


def raci(asking: Asking) -> Section:
    """Return who does what around the machine; a model without duties is to be agreed, never inferred."""
    from filae_ops.judge.case.raci import rows as judged
    from filae_ops.register.lookup import duties

    say = asking.say["raci"]
    found = {row.id: row for row in judged(asking.draft.tree, duties())}
    rows = tuple(
        (row.fr if asking.lang == "fr" else row.en, _letters(asking, row.letters))
        for row in (found[name] for name in DUTIES if name in found)
    )
    table = Table(say["caption"], tuple(say["headers"]), rows, (60, 40))
    return Section("raci", say["title"], (Text(say["intro"]), table))


def _letters(asking: Asking, letters: Mapping[str, str] | None) -> str:
    if letters is None:
        return str(asking.say["to_agree"])
    colon = " : " if asking.lang == "fr" else ": "
    named = [f"{asking.say['parties'].get(party, party)}{colon}{letter}" for party, letter in letters.items()]
    return " · ".join(named) or str(asking.say["no_object"])


def calendar(asking: Asking) -> Section:
    """Return the steps, with dates to write."""
    say = asking.say["calendar"]
    rows = tuple((step, who, "", "") for step, who in say["steps"])
    return Section("calendar", say["title"], (Table(say["caption"], tuple(say["headers"]), rows, (46, 18, 18, 18)),))
