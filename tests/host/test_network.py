"""What listens, what other places can reach, and what the kernel filters. The provider answers."""

from __future__ import annotations

import difflib

from filae_ops.verification.check import Target, broken, check, is_loopback, not_run

DHCP_CLIENT = {("udp", 68), ("udp", 546)}


def declared(on: Target, address: str = "") -> set[tuple[str, int]]:
    """Return (protocol, port) of the inbound flows, from an address when it is given."""
    networks = on.inventory.access.administration_networks
    flows = [flow for flow in on.inventory.inbound() if not address or flow.covers(address, networks)]
    return {(flow.proto, port) for flow in flows for port in flow.port}


@check("net-listening", "NET-07", against=("flows",))
def test_every_listening_socket_is_a_declared_flow(on: Target) -> None:
    """Only the ports of the flow matrix listen on the network."""
    extra = [
        f"{each['program'] or '?'} {each['address']}:{each['port']}/{each['proto']}"
        for each in on.facts["sockets"]
        if not is_loopback(each["address"]) and (each["proto"], each["port"]) not in declared(on) | DHCP_CLIENT
    ]
    if extra:
        broken("undeclared", sockets=extra)


@check("net-closed", "NET-07", against=("flows",))
def test_undeclared_ports_are_closed_from_elsewhere(on: Target) -> None:
    """Seen from another place, no undeclared port is open."""
    if "ports" not in on.outside:
        not_run("unseen", error=on.outside.get("error", "-"))
    opened = {int(port) for port, state in on.outside["ports"].items() if state == "open"}
    extra = sorted(opened - {port for proto, port in declared(on, on.outside["from"]) if proto == "tcp"})
    listening = {each["port"] for each in on.facts["sockets"] if not is_loopback(each["address"])}
    if inside := [port for port in extra if port in listening]:
        broken("open", ports=inside, place=on.outside["from"])
    if extra:
        broken("open_before", ports=extra, place=on.outside["from"])


@check("firewall-rules", "NET-07", against=("flows",))
def test_the_loaded_rules_are_the_inventory_s(on: Target) -> None:
    """The rules that the kernel holds are those of the inventory, refusing by default."""
    rules = on.facts["firewall"]
    if not rules["live"]:
        broken("none")
    if rules["live"] != rules["wanted"]:
        broken("different", lines=difference(rules["wanted"], rules["live"]))
    assert rules["live"].count("policy drop;") == 3


@check("firewall-boot", "NET-07", against=("flows",))
def test_the_rules_of_the_next_boot_are_the_inventory_s(on: Target) -> None:
    """The next boot loads the same rules."""
    rules = on.facts["firewall"]
    if rules["boot"] != rules["wanted"]:
        broken("different", lines=difference(rules["wanted"], rules["boot"]))
    if not on.host.service("filae-firewall").is_enabled:
        broken("service_off", unit="filae-firewall.service")


def difference(wanted: str, found: str) -> list[str]:
    """Return the lines that differ."""
    rows = difflib.unified_diff(wanted.splitlines(), found.splitlines(), lineterm="", n=0)
    return [" ".join(row.split()) for row in rows if row[:1] in "+-" and row[:3] not in ("+++", "---")]
