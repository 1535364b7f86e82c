"""What a loaded ruleset and a flow matrix open, in one form, so that they can be compared both ways.

An opening is (direction, protocol, other end, what): ("in", "tcp", "192.0.2.0/24", "dport 443"). A rule that is not
understood is an opening of its own, "unread": it never goes unseen.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

SIDES = {"input": "in", "output": "out", "forward": "through"}
# As nft 1.1 writes it, and nft 1.0.
FLAGS = {"payload": {"protocol": "tcp", "field": "flags"}}
SYN_AND_ACK = [{"&": [FLAGS, {"|": ["syn", "ack"]}]}, {"&": [FLAGS, ["syn", "ack"]]}]
# What is refused to some before an accept rule would let it pass: it opens nothing.
REFUSALS = (
    (["drop"], [("state", ["invalid"])]),
    (["reject"], [("lo", ["lo"]), ("skuid", [{"range": [1, 999]}]), ("tcp dport", ["22"])]),
)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Opening(NamedTuple):
    direction: str
    proto: str
    peer: str
    """A network, `any`, or `lo`."""
    what: str


class UnreadError(Exception):
    """A rule that says something else than what roles/firewall writes."""


def opened_by_rules(ruleset: Mapping[str, Any]) -> set[Opening]:
    """Return what `nft -j list ruleset` opens."""
    found: set[Opening] = set()
    guarded = set()
    for kind, each in (pair for item in ruleset["nftables"] for pair in item.items()):
        if kind == "chain" and each.get("hook"):
            ours = (each["family"], each["table"]) == ("inet", "filae")
            if ours and each.get("policy") == "drop" and each["name"] == each["hook"]:
                guarded.add(each["name"])
            elif ours or each["type"] == "nat":
                found.add(Opening(str(each["name"]), "unread", "any", json.dumps(each)))
        if kind == "rule" and (each["family"], each["table"]) == ("inet", "filae"):
            found |= set(_rule(each))
    found |= {Opening(SIDES[name], "any", "any", "policy accept") for name in SIDES.keys() - guarded}
    return merged(found)


def opened_by_matrix(rows: Iterable[Mapping[str, Any]]) -> set[Opening]:
    """Return what the rows of `filae-ops flows --json` open."""
    return merged(opening for row in rows for opening in (_always(row) if row["always"] else _declared(row)))


def undeclared(sockets: str, rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the lines of `ss -H -lntup` that listen beyond loopback on a port that no declared row opens."""
    opened = {(row["proto"], port) for row in rows if row["direction"] == "in" for port in row["ports"]}
    extra = []
    for line in sockets.splitlines():
        proto, _, _, _, local = line.split()[:5]
        address, port = local.rsplit(":", 1)
        plain = address.partition("%")[0].strip("[]")
        if plain != "*" and ipaddress.ip_address(plain).is_loopback:
            continue
        if (proto, int(port)) not in opened:
            extra.append(line)
    return extra


def merged(openings: Iterable[Opening]) -> set[Opening]:
    """Return the same openings, adjacent and overlapping networks as one: the kernel merges them too."""
    found, networks = set(), dict[tuple[str, str, str, int], list[Network]]()
    for each in openings:
        if each.peer in ("any", "lo"):
            found.add(each)
            continue
        network = ipaddress.ip_network(each.peer)
        networks.setdefault((each.direction, each.proto, each.what, network.version), []).append(network)
    for (direction, proto, what, _), several in networks.items():
        found |= {Opening(direction, proto, str(one), what) for one in ipaddress.collapse_addresses(several)}  # type: ignore[type-var]
    return found


def _declared(row: Mapping[str, Any]) -> Iterator[Opening]:
    direction = row["direction"]
    end = row["from" if direction == "in" else "to"]
    for peer in ["any"] if end["zone"] == "internet" else end["networks"]:
        if row["proto"] != "icmp":
            yield from (Opening(direction, row["proto"], peer, f"dport {port}") for port in row["ports"])
            continue
        if peer == "any" or ":" not in peer:
            yield Opening(direction, "icmp", peer, "type echo-request")
        if peer == "any" or ":" in peer:
            yield Opening(direction, "icmpv6", peer, "type echo-request")


def _always(row: Mapping[str, Any]) -> Iterator[Opening]:
    direction, proto = row["direction"], row["proto"]
    if row["id"].startswith("replies-"):
        yield from (Opening(direction, "any", "any", f"state {name}") for name in ("established", "related"))
    elif row["id"].startswith("loopback-"):
        yield Opening(direction, "any", "lo", "")
    elif row["id"] == "older-connections":
        for port in row["ports"]:
            yield Opening(direction, proto, "any", f"sport {port} flags ack of syn, ack state new")
    else:
        yield from (Opening(direction, proto, "any", f"type {name}") for name in row["types"])


def _rule(rule: Mapping[str, Any]) -> Iterator[Opening]:
    expressions = [pair for each in rule["expr"] for pair in each.items()]
    verdicts = [name for name, _ in expressions if name not in ("match", "counter", "log", "limit")]
    matches = [value for name, value in expressions if name == "match"]
    direction = SIDES.get(rule["chain"], rule["chain"])
    try:
        if "limit" in dict(expressions) or len(verdicts) > 1:
            raise UnreadError
        if verdicts == ["accept"]:
            yield from _accepted(direction, [_match(match) for match in matches])
        elif verdicts and (verdicts, list(map(_match, matches))) not in REFUSALS:
            raise UnreadError
    except (UnreadError, KeyError, TypeError, ValueError):
        yield Opening(direction, "unread", "any", json.dumps(rule["expr"]))


def _accepted(direction: str, matches: list[tuple[str, list[Any]]]) -> Iterator[Opening]:
    """Return the openings of an accept rule; a match of an unknown kind, or one kind twice, is not understood."""
    kinds = dict(matches)
    if len(kinds) != len(matches):
        raise UnreadError
    peers = kinds.pop("lo", None) or kinds.pop("saddr" if direction == "in" else "daddr", None) or ["any"]
    proto = "any"
    for name in list(kinds):
        head, _, tail = name.partition(" ")
        if head in ("tcp", "udp", "icmp", "icmpv6"):
            proto = head
            kinds[tail] = kinds.pop(name)
    if set(kinds) not in ({"dport"}, {"type"}, {"state"}, {"sport", "flags", "state"}, set()):
        raise UnreadError
    order = [name for name in ("dport", "sport", "flags", "type", "state") if name in kinds]
    for peer, values in product(peers, product(*(kinds[name] for name in order))):
        words = " ".join(f"{name} {value}" for name, value in zip(order, values, strict=True))
        yield Opening(direction, proto, peer, words)


def _match(match: Mapping[str, Any]) -> tuple[str, list[Any]]:
    left, right, operator = match["left"], match["right"], match["op"]
    if operator not in ("==", "in"):
        raise UnreadError
    if "payload" in left:
        proto, name = left["payload"]["protocol"], left["payload"]["field"]
        if name in ("saddr", "daddr"):
            return name, [network for each in _values(right) for network in _networks(each)]
        if name in ("dport", "sport"):
            return f"{proto} {name}", [str(port) for each in _values(right) for port in _ports(each)]
        return f"{proto} {name}", list(map(str, _values(right)))
    if left.get("ct") == {"key": "state"}:
        return "state", sorted(map(str, _values(right)))
    if "meta" in left and left["meta"]["key"] in ("iif", "oif") and right == "lo":
        return "lo", ["lo"]
    if left == {"meta": {"key": "skuid"}}:
        return "skuid", _values(right)
    if left in SYN_AND_ACK and right == "ack":
        return "tcp flags", ["ack of syn, ack"]
    raise UnreadError


def _values(right: Any) -> list[Any]:
    if isinstance(right, dict) and "set" in right:
        return list(right["set"])
    return right if isinstance(right, list) else [right]


def _ports(value: Any) -> Iterable[int]:
    if isinstance(value, dict):
        first, last = value["range"]
        return range(first, last + 1)
    return [int(value)]


def _networks(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield str(ipaddress.ip_network(value))
    elif "prefix" in value:
        yield f"{value['prefix']['addr']}/{value['prefix']['len']}"
    else:
        first, last = map(ipaddress.ip_address, value["range"])
        yield from map(str, ipaddress.summarize_address_range(first, last))  # type: ignore[type-var]
