"""The inventory as a whole, and the rules that hold between its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from filae_ops.agent.system.host_name import is_address
from filae_ops.inventory.model.access import Access, AccessGovernance
from filae_ops.inventory.model.application import App
from filae_ops.inventory.model.continuity import Backup, Continuity
from filae_ops.inventory.model.documents import Contracts, Documents
from filae_ops.inventory.model.governance import Data, Establishment, Governance, Responsibilities
from filae_ops.inventory.model.hosting import Hosting
from filae_ops.inventory.model.machine import Host
from filae_ops.inventory.model.network import Flow, Network, repeated_ids
from filae_ops.inventory.model.operations import Admin, Identity, Incidents, Logging, Software, Supervision
from filae_ops.inventory.model.patching import Patching
from filae_ops.inventory.model.site import Site
from filae_ops.inventory.model.tls import Tls
from filae_ops.inventory.types.fields import MachineName, Strict, refuse

SSH_PORT = 22
HTTPS_PORT = 443


class Inventory(Strict):
    """One site and environment: everything that is declared about it."""

    directory: Path
    """Where it was read."""
    fingerprint: str
    """SHA-256 over the files read: what was reviewed is what is applied."""
    hosts: Mapping[MachineName, Host] = Field(min_length=1)
    """Machines of the group filae."""
    site: Site
    """The site and its environment."""
    hosting: Hosting
    """Where the data live."""
    access_governance: AccessGovernance = AccessGovernance()
    """The four control tasks over access."""
    access: Access
    """Who may enter."""
    network: Network
    """What the hospital's network gives."""
    flows: tuple[Flow, ...] = Field(min_length=1)
    """Every flow that is open; all others are closed."""
    app: App
    """What the application is told."""
    tls: Tls
    """The certificate that users see."""
    backup: Backup
    """The backups declared by the DSI."""
    patching: Patching
    """Security updates."""
    establishment: Establishment = Establishment()
    """The hospital, in law."""
    data: Data = Data()
    """Which data the application holds."""
    contracts: Contracts = Contracts()
    """What binds the parties."""
    documents: Documents = Documents()
    """The documents of the project."""
    governance: Governance = Governance()
    """The people who answer, and the last review."""
    responsibilities: Responsibilities = Field(default={})
    """Duties whose letters depart from the hosting model's, by duty and party."""
    software: tuple[Software, ...] | None = None
    """Components whose support is followed; left out: what the toolkit installs."""
    continuity: Continuity = Continuity()
    """The place of the machine in the hospital's recovery plan."""
    admin: Admin = Admin()
    """How the provider administers the machine."""
    logging: Logging = Logging()
    """The traces."""
    identity: Identity = Identity()
    """How users prove who they are."""
    incidents: Incidents = Incidents()
    """What is done when there is an incident."""
    supervision: Supervision = Supervision()
    """The supervision of the application."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        _check_production(self)
        _check_flows(self)
        _check_additions(self)
        if self.patching.reboot == "window" and self.site.maintenance_window is None:
            refuse(
                "reboot is `window` but site.maintenance_window is missing",
                next_step="add the window, or say `reboot: never`",
                owner="dsi",
                at=("patching", "reboot"),
            )
        return self

    @property
    def production(self) -> bool:
        """Tell whether this is held to all the rules."""
        return self.site.environment == "production"

    def inbound(self) -> Iterator[Flow]:
        """Return the flows to the machine."""
        return (flow for flow in self.flows if flow.direction == "in")

    def outbound(self) -> Iterator[Flow]:
        """Return the flows out of the machine."""
        return (flow for flow in self.flows if flow.direction == "out")


SECTIONS = frozenset(Inventory.model_fields) - {"directory", "fingerprint", "hosts"}


def _check_production(inventory: Inventory) -> None:
    if not inventory.production:
        return
    if inventory.tls.mode != "provided":
        refuse(
            f"mode {inventory.tls.mode!r} in production",
            next_step="say `mode: provided`, with the hospital's certificate, chain and root",
            at=("tls", "mode"),
        )
    for index, signer in enumerate(inventory.app.signers):
        if signer.name.startswith("demo"):
            refuse(
                f"the demonstration key {signer.name!r} in production",
                next_step="give the provider's release key",
                at=("app", "signers", index),
            )


def _check_additions(inventory: Inventory) -> None:
    people = {person.name for person in (*inventory.access.operators, *inventory.access.dsi)}
    for host in inventory.hosts.values():
        for number, addition in enumerate(host.machine.additions):
            if addition.account in people:
                refuse(
                    f"the account {addition.account!r} is a person's of access.yml",
                    next_step="remove the entry: provisioning makes this account",
                    at=("hosts", host.name, "machine", "additions", number, "account"),
                )


def _check_flows(inventory: Inventory) -> None:
    if names := repeated_ids(inventory.flows):
        refuse(f"the flow {names[0]!r} is declared twice", next_step="give each flow its own id", at=("flows",))
    for port, use in ((SSH_PORT, "SSH, for administration"), (HTTPS_PORT, "HTTPS, for users")):
        if not any(flow.proto == "tcp" and port in flow.port for flow in inventory.inbound()):
            refuse(
                f"no inbound flow opens TCP {port} ({use}): the firewall would close it",
                next_step="add the flow to flows.yml",
                at=("flows",),
            )
    for field, address, proto, port in _services(inventory):
        if not any(_opens(inventory, flow, address, proto, port) for flow in inventory.outbound()):
            refuse(
                f"no outbound flow opens {proto} {port} to {address}, which will be blocked",
                next_step="add the flow to flows.yml, or correct the address",
                at=("network", field),
            )


def _services(inventory: Inventory) -> Iterator[tuple[str, str, str, int]]:
    network = inventory.network
    found = [("dns_servers", address, "udp", 53) for address in network.dns_servers]
    found += [("time_sources", name, "udp", 123) for name in network.time_sources]
    if network.mail_relay:
        found.append(("mail_relay", network.mail_relay.host, "tcp", network.mail_relay.port))
    return (line for line in found if is_address(line[1]) and not line[1].startswith(("127.", "::1")))


def _opens(inventory: Inventory, flow: Flow, address: str, proto: str, port: int) -> bool:
    administration = inventory.access.administration_networks
    return flow.proto == proto and port in flow.port and flow.covers(address, administration)
