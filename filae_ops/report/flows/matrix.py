"""The flow matrix: what the firewall lets through, from the same source as its rules, with the columns DSIs ask for."""

from __future__ import annotations

import csv
import io
import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from filae_ops.language import Lang, typography
from filae_ops.report.document.rendering import words

if TYPE_CHECKING:
    from filae_ops.inventory.model.inventory import Inventory

Zone = Literal["machine", "administration", "internet", "named", "any", "local"]
Exposure = Literal["any", "named", "none", "unlimited", "unknown"]
"""`unlimited`: the firewall does not look at the address, the network around decides."""
DOCUMENTED = ("encryption", "authentication", "data", "owner", "justification", "approved_by", "approved_on")
WIDTHS = (2.5, 8, 8.5, 8.5, 4.5, 5.5, 7.5, 6, 7, 8.5, 7, 7, 8, 5.75, 5.75)
"""Of the columns on paper, in per cent."""
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r")
_ERRORS = ("destination-unreachable", "parameter-problem", "time-exceeded")
_ERRORS6 = (*_ERRORS, "nd-neighbor-advert", "nd-neighbor-solicit", "packet-too-big")
_GROUPS6_OUT = ("mld-listener-done", "mld-listener-report", "mld2-listener-report", "nd-router-solicit")
ALWAYS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("replies-in", "in", "any", ()),
    ("loopback-in", "in", "any", ()),
    ("icmp-in", "in", "icmp", _ERRORS),
    ("icmpv6-in", "in", "icmpv6", tuple(sorted((*_ERRORS6, "mld-listener-query", "nd-router-advert")))),
    ("replies-out", "out", "any", ()),
    ("loopback-out", "out", "any", ()),
    ("older-connections", "out", "tcp", ()),
    ("icmp-out", "out", "icmp", _ERRORS),
    ("icmpv6-out", "out", "icmpv6", tuple(sorted((*_ERRORS6, *_GROUPS6_OUT)))),
)
"""What roles/firewall accepts whatever the inventory says: id, direction, protocol, types of ICMP.

A scenario compares it with the rules that the kernel holds.
"""


@dataclass(frozen=True)
class End:
    """One end of a flow: a zone and its networks; none means any address, or, with `known` false, not yet said."""

    zone: Zone
    networks: tuple[str, ...] = ()
    known: bool = True


@dataclass(frozen=True)
class Line:
    """One line of the matrix: a declared flow, or what the firewall always lets through (`always`)."""

    number: str
    id: str
    """Identifier of the flow, and comment of its rules in the firewall."""
    always: bool
    direction: str
    """`in` or `out`, as the machine sees it."""
    proto: str
    source: End
    to: End
    ports: tuple[int, ...] = ()
    types: tuple[str, ...] = ()
    """Types of ICMP that pass; empty: echo requests for a declared flow."""
    exposure: Exposure = "none"
    texts: Mapping[str, str] = field(default_factory=dict)
    """description, and what is declared of DOCUMENTED."""

    @property
    def peer(self) -> End:
        """Return the end that is not the machine."""
        return self.source if self.direction == "in" else self.to

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the columns that nothing is declared for; a DSI approves what is always open too, in signing."""
        found = [name for name in ("description", *DOCUMENTED) if name not in self.texts]
        ends = [name for name, end in (("from", self.source), ("to", self.to)) if not end.known]
        port = ["port"] if self.proto in ("tcp", "udp") and not self.ports and not self.always else []
        return (*ends, *port, *found)


def matrix(inventory: Inventory, lang: Lang) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the fifteen headers and one row of texts for each line, in the reader's language."""
    return headers(lang), [cells(line, lang) for line in lines_of(inventory)]


def lines_of(inventory: Inventory) -> list[Line]:
    """Return the lines of an inventory: declared flows first, then what is always open."""
    flows = [flow.model_dump(mode="json", by_alias=True) for flow in inventory.flows]
    machines = tuple(host.ansible_host for host in inventory.hosts.values())
    return lines(flows, inventory.access.administration_networks, machines)


def lines(flows: Sequence[Mapping[str, Any]], administration: Sequence[str], machines: Sequence[str]) -> list[Line]:
    """Return the lines of flows written as in flows.yml; a value that is None or left out is not known."""
    ends = {"machine": End("machine", tuple(machines), bool(machines)), "internet": End("internet")}
    ends["administration"] = End("administration", tuple(administration), bool(administration))
    declared = [_declared(str(number), flow, ends) for number, flow in enumerate(flows, 1)]
    opened = {port for line in declared if (line.direction, line.proto) == ("in", "tcp") for port in line.ports}
    return [*declared, *_always(ends["machine"], tuple(sorted(opened)))]


def _declared(number: str, flow: Mapping[str, Any], ends: Mapping[str, End]) -> Line:
    source, to = (_end(_listed(flow.get(name)), ends) for name in ("from", "to"))
    direction = str(flow.get("direction") or "")
    peer = source if direction == "in" else to
    return Line(
        number=number, id=str(flow.get("id") or ""), always=False, direction=direction,
        proto=str(flow.get("proto") or ""), source=source, to=to, ports=tuple(_listed(flow.get("port"))),
        exposure=_exposure(peer),
        texts={name: str(flow[name]) for name in ("description", *DOCUMENTED) if flow.get(name)},
    )  # fmt: skip


def _always(machine: End, opened: tuple[int, ...]) -> Iterator[Line]:
    for number, (name, direction, proto, types) in enumerate(ALWAYS, 1):
        here, other = (End("local"), End("local")) if name.startswith("loopback") else (machine, End("any"))
        source, to = (other, here) if direction == "in" else (here, other)
        ports = opened if name == "older-connections" else ()
        yield Line(
            number=f"F{number}", id=name, always=True, direction=direction, proto=proto, source=source, to=to,
            ports=ports, types=types, exposure=_exposure(other), texts={"owner": "provider"},
        )  # fmt: skip


def _end(values: list[Any], ends: Mapping[str, End]) -> End:
    if len(values) == 1 and values[0] in ends:
        return ends[values[0]]
    networks = tuple(str(value) for value in values if value is not None)
    return End("named", networks, bool(networks) and len(networks) == len(values))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value] if value is not None else []


def _exposure(peer: End) -> Exposure:
    if peer.zone in ("internet", "any"):
        return "any" if peer.zone == "internet" else "unlimited"
    if not peer.known:
        return "unknown"
    return "named" if any(ipaddress.ip_network(each).is_global for each in peer.networks) else "none"


def headers(lang: Lang) -> tuple[str, ...]:
    """Return the columns that DSIs ask for."""
    return tuple(words("flows", lang)["headers"])


def cells(line: Line, lang: Lang, *, missing: str = "") -> tuple[str, ...]:
    """Return the texts of a line; what is not declared says so (`missing`: in other words), and is never blank."""
    said = words("flows", lang)
    blank, none = missing or said["missing"], said["none"]
    texts = {**line.texts, **said["always"].get(line.id, {})} if line.always else line.texts
    beside = none if line.always else blank
    return (
        line.number, _described(texts.get("description", blank), line), end_words(line.source, lang, blank),
        end_words(line.to, lang, blank), said.get(line.direction, blank), _protocol(line, blank, said),
        ports_words(line, lang, blank), _exposed(line, blank, said), texts.get("encryption", beside),
        texts.get("authentication", beside), texts.get("data", blank),
        said["parties"].get(texts.get("owner"), blank), texts.get("justification", blank),
        texts.get("approved_by", beside), _day(texts.get("approved_on", beside), lang),
    )  # fmt: skip


def _day(text: str, lang: Lang) -> str:
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)", text) if lang == "fr" else None
    return "/".join(reversed(found.groups())) if found else text


def _described(text: str, line: Line) -> str:
    return text if line.always or not line.id else f"{text} ({line.id})"


def end_words(end: End, lang: Lang, blank: str = "") -> str:
    """Return the addresses and the zone of an end."""
    said = words("flows", lang)
    if end.zone in ("internet", "any"):
        return f"{said['any']} ({said['internet']})" if end.zone == "internet" else str(said["any"])
    if end.zone == "local":
        return str(said["local"])
    listed = [*end.networks, *([] if end.known else [blank or said["missing"]])]
    return f"{', '.join(listed)} ({said[end.zone]})"


def _protocol(line: Line, blank: str, said: Mapping[str, Any]) -> str:
    return said["any_protocol"] if line.proto == "any" else line.proto.upper().replace("V6", "v6") or blank


def ports_words(line: Line, lang: Lang, blank: str = "") -> str:
    """Return the ports, or the types of ICMP; a space after each comma, which Excel would take for a decimal."""
    said = words("flows", lang)
    if line.ports:
        listed = ", ".join(map(str, line.ports))
        return f"{said['source_port']} {listed}" if line.always else listed
    if line.always:
        return ", ".join(line.types) or said["all_ports"]
    return "echo-request" if line.proto == "icmp" else blank or said["missing"]


def _exposed(line: Line, blank: str, said: Mapping[str, Any]) -> str:
    if line.exposure == "unknown":
        return blank
    if line.exposure in ("none", "unlimited"):
        return str(said["unexposed" if line.exposure == "none" else "unlimited"])
    side = "exposed" if line.direction == "in" else "outgoing"
    return str(said[side if line.exposure == "any" else f"{side}_named"])


def documents(found: Iterable[Line], lang: Lang = "fr") -> list[dict[str, Any]]:
    """Return the lines for programs: null where nothing is declared, and `missing` names it."""
    return [_document(line, words("flows", lang)["always"].get(line.id, {}) if line.always else {}) for line in found]


def _document(line: Line, fixed: Mapping[str, str]) -> dict[str, Any]:
    texts = {**line.texts, **fixed}
    both = (("from", line.source), ("to", line.to))
    ends = {name: {"zone": end.zone, "networks": list(end.networks)} for name, end in both}
    return {
        "number": line.number, "id": line.id, "always": line.always, "description": texts.get("description"), **ends,
        "direction": line.direction or None, "proto": line.proto or None, "ports": list(line.ports),
        "types": list(line.types), "exposure": line.exposure,
        **{name: texts.get(name) for name in DOCUMENTED},
        "missing": [name for name in line.missing if name not in fixed and not (line.always and name in DOCUMENTED)],
    }  # fmt: skip


def as_csv(found: Iterable[Line], lang: Lang) -> str:
    """Return the matrix for a French Excel: BOM, `;`, CRLF, and no cell that it would compute."""
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";", quoting=csv.QUOTE_MINIMAL, lineterminator="\r\n")
    writer.writerow(headers(lang))
    for line in found:
        writer.writerow([neutral(typography(cell, lang)) for cell in cells(line, lang)])
    return "\ufeff" + stream.getvalue()


def neutral(cell: str) -> str:
    """Return a cell that a spreadsheet shows and does not run: an apostrophe before = + - @."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) or cell.startswith(_FORMULA) else cell
