"""The network that the DSI provides: names, time, packages, mail, and the declared flows."""

from __future__ import annotations

from filae_ops.inventory.model.network import Flow
from filae_ops.verification.check import Target, broken, check, no_object, not_run


@check("dns-servers", "DSI-06", against=("network.dns_servers",))
def test_name_servers(on: Target) -> None:
    """The declared name servers answer the machine."""
    on.line("dns")


@check("dns-public-name", "DSI-06", against=("network.public_name",))
def test_public_name(on: Target) -> None:
    """The public name resolves on the machine."""
    on.line("public-name")


@check("time-servers", "DSI-07", against=("network.time_sources",))
def test_time_servers(on: Target) -> None:
    """The declared time servers answer the machine."""
    on.line("time-source")


@check("apt-mirror", "DSI-08", against=("patching.mirror",))
def test_package_mirror(on: Target) -> None:
    """The package mirror answers the machine."""
    on.line("apt-mirror")


@check("mail-relay", "DSI-09", against=("network.mail_relay",))
def test_mail_relay(on: Target) -> None:
    """The declared mail relay answers the machine."""
    if on.inventory.network.mail_relay is None:
        no_object("the inventory declares no mail relay")
    on.line("flow-mail-relay")


@check("flow-in", "DSI-03", against=("flows",))
def test_inbound_flow(on: Target, inbound: Flow) -> None:
    """The flow is open from here to the machine."""
    seen = on.outside
    if "ports" not in seen:
        not_run(seen.get("error", "not looked at from elsewhere"))
    if not inbound.covers(seen["from"], on.inventory.access.administration_networks):
        not_run(f"declared from elsewhere than {seen['from']}: verify --from INVENTORY looks from another machine")
    listening = {each["port"] for each in on.facts["sockets"] if each["proto"] == "tcp"}
    for port in inbound.port:
        state = seen["ports"].get(str(port), "filtered")
        if state == "open":
            continue
        if port not in listening:
            not_run(f"nothing listens on {port}, so the way to it cannot be judged")
        broken(f"TCP {port} is {state} from {seen['from']}", "dsi: open the declared flow end to end")


@check("flow-out", "NET-02")
def test_outbound_flow(on: Target, outbound: Flow) -> None:
    """The far end of the flow answers the machine."""
    found = on.facts["outbound"].get(outbound.id)
    if found is None:
        not_run("the flow has no single far end to try")
    if not found:
        broken(
            f"{', '.join(outbound.peer)} TCP {', '.join(map(str, outbound.port))} does not answer",
            "dsi: open the declared flow from the machine",
        )


@check("internet-out", "NET-02")
def test_outbound_access(on: Target) -> None:
    """The machine gets out as declared."""
    how = on.inventory.network.outbound_internet
    if how == "none" and on.inventory.patching.mirror is None:
        no_object("the inventory declares no way out and no mirror")
    on.line("apt-mirror")


@check("internet-in", "NET-01")
def test_inbound_access(on: Target) -> None:
    """The machine can be reached from the internet, where that is declared."""
    if not on.inventory.network.inbound_internet:
        no_object("the inventory declares that the machine is not reached from the internet")
    not_run("cannot be seen from here: look from outside of the hospital's network")
