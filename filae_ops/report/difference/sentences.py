"""Each change in one sentence that a DSI reads, in French or English."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from filae_ops.language import Lang
from filae_ops.report.difference.change import Change, generic, is_document
from filae_ops.report.difference.compare_flows import Way
from filae_ops.report.document.rendering import words
from filae_ops.report.document.values import MISSING, day, shown

SHORT = 16
_CODED = frozenset((
    "model", "environment", "kinds", "owner", "hypervisor", "reboot", "days", "activities", "hds_activities", "id",
    "rights_process_owner", "access_path_owner", "traces_owner", "approval_owner", "state", "kind",
))  # fmt: skip
"""Last parts of fields whose values are words of the schema."""
_NAMES = re.compile(r"\[([^\]]*)\]")


def sentence(change: Change, lang: Lang) -> str:
    """Return what changed, in words."""
    text = _SAID.get(change.code, _value)(change, lang)
    return text[:1].upper() + text[1:]


def label(name: str, lang: Lang) -> str:
    """Return a field in words, with the names of the items it lies in: the register's words, else this document's."""
    inner = ", ".join(_NAMES.findall(name))
    text = _field(generic(name), lang)
    return f"{text} ({inner})" if inner else text


def _field(name: str, lang: Lang) -> str:
    from filae_ops.register.lookup import fields

    say = words("difference", lang)
    if name in say["fields"]:
        return str(say["fields"][name])
    if name in fields():
        return fields()[name].fr if lang == "fr" else fields()[name].en
    above, _, last = name.rpartition(".")
    last = last.removesuffix("[]")
    if not above:
        return str(say["fields"].get(last, say["parts"].get(last, last)))
    return f"{_field(above.removesuffix('[]') if above not in say['fields'] else above, lang)}, {part(last, lang)}"


def part(key: str, lang: Lang) -> str:
    """Return the last part of a field in words; a name that people chose stays as it is."""
    return str(words("difference", lang)["parts"].get(key, key))


def _say(code: str, lang: Lang, **values: Any) -> str:
    return str(words("difference", lang)["sentences"][code]).format(**values)


def _value(change: Change, lang: Lang) -> str:
    before, after = (_shown(value, lang, generic(change.field)) for value in (change.before, change.after))
    if before == after:
        before, after = repr(change.before), repr(change.after)
    return _say(change.code, lang, label=label(change.field, lang), before=before, after=after)


def _shown(value: Any, lang: Lang, name: str) -> str:
    """Return a value as the reviews show it, the keys of a whole in words; `name`: its field."""
    if isinstance(value, Mapping) and value and not is_document(value):
        inner = ((f"{name}.{key}", each) for key, each in value.items())
        return ", ".join(f"{_last(key, lang)} {_shown(each, lang, key)}" for key, each in inner)
    if isinstance(value, list) and any(isinstance(each, Mapping) for each in value):
        return " | ".join(_shown(each, lang, f"{name}[]") for each in value)
    return shown(value, lang, coded=name.rpartition(".")[2] in _CODED)


def _last(name: str, lang: Lang) -> str:
    """Return a field in words inside of the whole that holds it."""
    from filae_ops.register.lookup import fields

    say, last = words("difference", lang)["parts"], name.rpartition(".")[2]
    if last in say or name not in fields():
        return str(say.get(last, last))
    return _field(name, lang)


def _host(change: Change, lang: Lang) -> str:
    """Return the change of a host or service, under its name in the register."""
    from filae_ops.register.lookup import hosts

    names: dict[str, str] = {host.id: host.name for host in hosts().values()}
    names |= {each.id: each.name for host in hosts().values() for each in host.services if each.name}
    before, after = (f"{names.get(value, value)} ({value})" for value in (change.before, change.after))
    return _say(change.code, lang, before=before, after=after)


def _host_key(change: Change, lang: Lang) -> str:
    from filae_ops.report.difference.compare_access import mark

    before, after = mark(str(change.before)), mark(str(change.after))
    return _value(change, lang) if before == after else _say(
        change.code, lang, name=", ".join(_NAMES.findall(change.field)), before=before, after=after
    )  # fmt: skip


def _list(change: Change, lang: Lang) -> str:
    parts = [
        _say(code, lang, values=", ".join(_shown(each, lang, generic(change.field)) for each in rows))
        for code, rows in (
            ("added", [each for each in change.after if each not in change.before]),
            ("removed", [each for each in change.before if each not in change.after]),
        )
        if rows
    ]
    return _say("list", lang, label=label(change.field, lang), changes=_joined(parts, lang))


def _item(change: Change, lang: Lang) -> str:
    row = change.after if change.code == "item_added" else change.before
    return _say(change.code, lang, label=label(change.field, lang), summary=_shown(row, lang, generic(change.field)))


def _person(change: Change, lang: Lang) -> str:
    say = words("difference", lang)
    keys = [_say("key", lang, key=key, until=day(until, lang)) for key, until in change.more.get("keys", ())]
    who = say["who"]["dsi" if change.field.startswith("access.dsi") else "operators"]
    listed = _joined(keys, lang) or say["sentences"]["no_key"]
    return _say(change.code, lang, who=who, name=", ".join(_NAMES.findall(change.field)), keys=listed)


def _key(change: Change, lang: Lang) -> str:
    days = {name: day(str(change.more[name]), lang) for name in ("until", "was") if name in change.more}
    marks = {name: change.more[name] for name in ("key", "old") if name in change.more}
    return _say(change.code, lang, name=", ".join(_NAMES.findall(change.field)), **days, **marks)


def _network(change: Change, lang: Lang) -> str:
    more = change.more
    if more["covered"]:
        return _say(f"{change.code}_covered", lang, network=more["network"], covered=more["covered"])
    opened = _joined(_ports(more["ways"], lang), lang) or _say("no_way", lang)
    return _say(change.code, lang, network=more["network"], ways=opened)


def _flow(change: Change, lang: Lang) -> str:
    row = change.after if change.code == "flow_opened" else change.before
    known = {"flow_opened": "already_open", "flow_closed": "still_open"}[change.code]
    owner = _say("owned", lang, owner=shown(row["owner"], lang, coded=True)) if row.get("owner") else ""
    text = _say(
        change.code, lang, ways=ways_words(change.more["ways"], lang), name=row.get("id", "?"), owner=owner,
        description=shown(row.get("description", MISSING), lang),
    )  # fmt: skip
    return text + _say(known, lang) if change.more["elsewhere"] else text


def _flow_changed(change: Change, lang: Lang) -> str:
    details = [
        _say(code, lang, ways=ways_words(change.more[name], lang))
        for code, name in (("opens", "opened"), ("closes", "closed"))
        if change.more[name]
    ]
    for each in change.more["rest"]:
        key = each.field.rpartition(".")[2]
        before, after = (_shown(value, lang, generic(each.field)) for value in (each.before, each.after))
        details.append(_say("value", lang, label=_flow_part(key, lang), before=before, after=after))
    text = " ; ".join(details) if lang == "fr" else "; ".join(details)
    return _say("flow_changed", lang, name=change.after.get("id", "?"), details=text)


def _flow_part(key: str, lang: Lang) -> str:
    return str(words("flows", lang)["columns"].get(key, part(key, lang)))


def ways_words(ways: list[Way], lang: Lang) -> str:
    """Return what is let through, ports and peers together: `TCP 22 (SSH) from 192.0.2.0/24 to the machine`."""
    say = words("difference", lang)["ways"]
    by_peer: dict[tuple[str, str], list[Way]] = {}
    for way in ways:
        by_peer.setdefault((way[0], way[1]), []).append(way)
    by_what: dict[tuple[str, str], list[str]] = {}
    for (direction, peer), found in by_peer.items():
        by_what.setdefault((direction, _joined(_ports(found, lang), lang)), []).append(say["zones"].get(peer, peer))
    parts = [
        say[direction].format(what=what, peers=_joined(peers, lang)) if direction in ("in", "out") else what
        for (direction, what), peers in by_what.items()
    ]
    return _joined(parts, lang)


def _ports(ways: list[Way], lang: Lang) -> list[str]:
    known = words("difference", lang)["ways"]["ports"]
    found = sorted({(proto, int(port) if port.isdigit() else 0) for _, _, proto, port in ways})
    return [
        f"{proto.upper()} {port}" + (f" ({known[port]})" if port in known else "") if port else proto.upper()
        for proto, port in found
    ]


def _joined(parts: list[str], lang: Lang) -> str:
    *first, last = parts or [""]
    return f"{', '.join(first)}{words('difference', lang)['ways']['and']}{last}" if first else last


def _file(change: Change, lang: Lang) -> str:
    marks = {name: f"{value[:SHORT]}…" for name, value in (("before", change.before), ("after", change.after)) if value}
    return _say(change.code, lang, **{"file": change.field, "before": "", "after": ""} | marks)


def _plain(change: Change, lang: Lang) -> str:
    return _say(change.code, lang, label=label(change.field, lang))


_SAID: Mapping[str, Callable[[Change, Lang], str]] = {
    "flow_opened": _flow, "flow_closed": _flow, "flow_changed": _flow_changed,
    "network_added": _network, "network_removed": _network,
    **dict.fromkeys(("person_added", "person_absent", "person_removed", "person_revoked", "person_back"), _person),
    **dict.fromkeys(("key_added", "key_removed", "key_replaced", "key_later", "key_earlier"), _key),
    "host": _host, "service": _host, "host_key": _host_key, "list": _list, "order": _plain,
    "item_added": _item, "item_removed": _item,
    **dict.fromkeys(("file_replaced", "file_gone", "file_come"), _file),
    **dict.fromkeys(("secrets_changed", "secrets_added", "secrets_removed"), _plain),
}  # fmt: skip
"""By code; the others show the value before and after."""
