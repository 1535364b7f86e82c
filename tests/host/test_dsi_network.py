"""The network that the DSI provides: names, time, packages, mail, and the declared flows."""

from __future__ import annotations

from filae_ops.inventory.model.network import Flow
from filae_ops.verification.check import Target, broken, check, is_loopback, no_object, not_run


@check("dns-servers", "DSI-06", against=("network.dns_servers",))
def test_name_servers(on: Target) -> None:
    """The declared name servers answer the machine."""
    line = on.line("dns")
    if line["status"] != "go":
        broken("silent", servers=line["values"]["silent"])
    declared = set(on.inventory.network.dns_servers)
    if others := [each for each in on.facts["resolver_servers"] if each not in declared]:
        broken("others", servers=others)


@check("dns-public-name", "DSI-06", against=("network.public_name",))
def test_public_name(on: Target) -> None:
    """The public name resolves on the machine."""
    if on.line("public-name")["status"] != "go":
        broken("unknown", name=on.inventory.network.public_name)


@check("time-servers", "DSI-07", against=("network.time_sources",))
def test_time_servers(on: Target) -> None:
    """The declared time servers answer the machine."""
    if on.line("time-source")["status"] != "go":
        broken("silent", servers=on.inventory.network.time_sources)


def mirrors_answer(on: Target) -> None:
    """Judge the declared mirror; without one, the sources that the machine came with."""
    line = on.line("apt-mirror")
    if line["status"] == "go":
        return
    silent, proxy = line["values"]["silent"], line["values"]["proxy"]
    if not silent:
        broken("no_mirror")
    if proxy:
        broken("mirror_silent_through_proxy", sources=silent, proxy=proxy)
    broken("mirror_silent", sources=silent)


@check("apt-mirror", "DSI-08", against=("patching.mirror",))
def test_package_mirror(on: Target) -> None:
    """The package mirror answers the machine."""
    mirrors_answer(on)
    others = on.line("apt-other")
    if others["status"] != "go":
        broken("others_silent", sources=others["values"]["silent"])


@check("mail-relay", "DSI-09", against=("network.mail_relay",))
def test_mail_relay(on: Target) -> None:
    """The declared mail relay answers the machine."""
    if on.inventory.network.mail_relay is None:
        no_object("undeclared")
    relay = on.inventory.network.mail_relay
    if on.line("flow-mail-relay")["status"] != "go":
        broken("silent", host=relay.host, port=relay.port)


@check("flow-in", "DSI-03", against=("flows",))
def test_inbound_flow(on: Target, inbound: Flow) -> None:
    """The flow is open from here to the machine."""
    seen = on.outside
    if "ports" not in seen:
        not_run("unseen", error=seen.get("error", "-"))
    if not inbound.covers(seen["from"], on.inventory.access.administration_networks):
        not_run("from_elsewhere", place=seen["from"])
    sockets = [each for each in on.facts["sockets"] if each["proto"] == "tcp"]
    listening = {each["port"] for each in sockets if not is_loopback(each["address"])}
    rules = on.facts.known("firewall")
    for port in inbound.port:
        state = seen["ports"].get(str(port), "filtered")
        if state == "open":
            continue
        if port not in listening and port in {each["port"] for each in sockets}:
            broken("on_loopback", port=port)
        if port not in listening:
            not_run("nobody_listens", port=port)
        if rules.get("live") != rules.get("wanted"):
            broken("own_firewall", port=port, place=seen["from"])
        if state == "refused":
            broken("refused", port=port, place=seen["from"])
        broken("filtered", port=port, place=seen["from"])


@check("flow-out", "NET-02")
def test_outbound_flow(on: Target, outbound: Flow) -> None:
    """The far end of the flow answers the machine."""
    found = on.facts["outbound"].get(outbound.id)
    if found is None:
        not_run("no_single_end")
    if not found:
        broken("silent", peers=list(map(str, outbound.peer)), port=outbound.port[0])


@check("internet-out", "NET-02")
def test_outbound_access(on: Target) -> None:
    """The machine gets out as declared."""
    how = on.inventory.network.outbound_internet
    if how == "none" and on.inventory.patching.mirror is None:
        no_object("undeclared")
    mirrors_answer(on)


@check("internet-in", "NET-01")
def test_inbound_access(on: Target) -> None:
    """The machine can be reached from the internet, where that is declared."""
    if not on.inventory.network.inbound_internet:
        no_object("undeclared")
    not_run("from_outside")
