"""What a first draft of an inventory may be told; what nobody said is left to fill in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from filae_ops.inventory.types.choices import TO_FILL

Fill = str
"""A text, or TO_FILL."""


@dataclass(frozen=True)
class Person:
    """A contact."""

    name: Fill = TO_FILL
    email: Fill = TO_FILL
    phone: str | None = None


@dataclass(frozen=True)
class Keyholder:
    """An operator, a DSI account or a signer: name, public key, last day."""

    name: Fill = TO_FILL
    key: Fill = TO_FILL
    until: dt.date | Fill = TO_FILL


@dataclass(frozen=True)
class AdditionAnswers:
    """A file that others than we put on a machine."""

    path: str
    purpose: str
    owner: str = "dsi"


@dataclass(frozen=True)
class MachineAnswers:
    """One machine. `ssh_*` are for disposable machines only."""

    name: Fill = "filae"
    address: Fill = TO_FILL
    host_key: Fill = TO_FILL
    ssh_port: int | None = None
    ssh_user: str | None = None
    ssh_key: str | None = None
    cpus: int = 2
    memory_mib: int = 4096
    disk_gib: int = 40
    hypervisor: Fill = TO_FILL
    guest_tools: bool | Fill = TO_FILL
    os_id: str = "debian"
    os_version: str = "13"
    additions: tuple[AdditionAnswers, ...] = ()
    """Nobody is asked: `doctor` finds them."""


@dataclass(frozen=True)
class MailAnswers:
    """The mail relay; `to` are its addresses, when `host` is a name."""

    host: Fill = TO_FILL
    port: int = 25
    to: tuple[str, ...] = ()


@dataclass(frozen=True)
class GovernanceAnswers:
    """The four control tasks: a party each."""

    rights_process_owner: Fill = TO_FILL
    access_path_owner: Fill = TO_FILL
    traces_owner: Fill = TO_FILL
    approval_owner: Fill = TO_FILL


@dataclass(frozen=True)
class WindowAnswers:
    """The maintenance window."""

    days: tuple[str, ...] = (TO_FILL,)
    start: Fill = TO_FILL
    minutes: int | Fill = TO_FILL


@dataclass(frozen=True)
class BackupAnswers:
    """What the DSI declares about its backups."""

    kinds: tuple[str, ...] = (TO_FILL,)
    interval_hours: int | Fill = TO_FILL
    retention_days: int | Fill = TO_FILL
    alert_to: Fill = TO_FILL


@dataclass(frozen=True)
class Answers:
    """Everything that the first draft may be told."""

    name: str
    hosting: str
    environment: str = "production"
    establishment: Fill = TO_FILL
    timezone: str = "Europe/Paris"
    locale: str = "fr_FR.UTF-8"
    dsi_contact: Person = Person()
    provider_contact: Person = Person()
    window: WindowAnswers = WindowAnswers()
    host_id: Fill = TO_FILL
    service_id: Fill = TO_FILL
    region: Fill = TO_FILL
    governance: GovernanceAnswers = GovernanceAnswers()
    machines: tuple[MachineAnswers, ...] = (MachineAnswers(),)
    administration_networks: tuple[str, ...] = (TO_FILL,)
    operators: tuple[Keyholder, ...] = (Keyholder(),)
    dsi_accounts: tuple[Keyholder, ...] = ()
    public_name: Fill = TO_FILL
    users: tuple[str, ...] = (TO_FILL,)
    """Networks that users come from, or ("internet",)."""
    inbound_internet: bool | Fill = TO_FILL
    outbound_internet: Fill = TO_FILL
    proxy: str | None = None
    proxy_to: tuple[str, ...] = ()
    """Addresses of the proxy, when its URL has a name."""
    dns_servers: tuple[str, ...] = (TO_FILL,)
    time_sources: tuple[str, ...] = (TO_FILL,)
    time_to: tuple[str, ...] = ()
    """Addresses of the time servers, when they are names."""
    mail: MailAnswers | None = MailAnswers()
    mirror_url: str | None = None
    mirror_security_url: str | None = None
    mirror_to: tuple[str, ...] = ()
    """Addresses of the mirror of packages."""
    settings: Mapping[str, str] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds of the agent's waits; for disposable machines."""
    signers: tuple[Keyholder, ...] = (Keyholder(),)
    tls_mode: str | None = None
    """`provided` or `local-ca`; None: `provided`, but for demo and test."""
    backup: BackupAnswers = BackupAnswers()
    security_interval_days: int = 1
    reboot: str = "never"
    ask: bool = True
    """Write the fields that the hosting model needs and that nobody said, to fill in."""
    declared: Mapping[str, Any] = field(default_factory=dict)
    """Other fields, by path, as `documents.aipd.file`."""
    more_flows: tuple[Mapping[str, Any], ...] = ()
    """Flows besides those that the other answers call for, as `standard_flows` gives them."""
    flows_approved: tuple[str, dt.date] | None = None
    """Who approved every flow, on the DSI's side, and the day."""

    @property
    def tls_provided(self) -> bool:
        """Tell whether the hospital gives the certificate."""
        mode = self.tls_mode or ("local-ca" if self.environment in ("demo", "test") else "provided")
        return mode == "provided"
