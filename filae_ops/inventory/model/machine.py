"""The machine that the DSI provides, and how to reach it."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from filae_ops.inventory.model.additions import Addition, overlaps
from filae_ops.inventory.model.documents import Day, Percent
from filae_ops.inventory.types.fields import (
    AccountName,
    HostOrAddress,
    KeyPath,
    Port,
    RelativePath,
    Strict,
    Text,
    refuse,
)
from filae_ops.inventory.types.ssh_keys import HostKey
from filae_ops.vocabulary import Party
from filae_ops.writers.public_keys import PublicKey, parse_public_key


class ExtendedSupport(Strict):
    """A support bought for after the standard one: ELTS, ESM, ELS."""

    name: Text
    """Name of the programme."""
    contract: RelativePath | None = None
    """Path of the proof of subscription inside the inventory."""
    until: Day | None = None
    """Last day of the subscription."""


class HardeningReport(Strict):
    """The last measure of the system against a hardening profile."""

    tool: Text
    """Tool, such as OpenSCAP."""
    profile: Text | None = None
    """Profile that it measured, such as anssi_bp28_intermediary."""
    date: Day | None = None
    """Date of the measure."""
    score: Percent | None = None
    """Score, in percent."""
    file: RelativePath | None = None
    """Path of the report inside the inventory."""


class EndpointProtection(Strict):
    """Protection against malware: antivirus or EDR."""

    product: Text
    """Product."""
    owner: Party | None = None
    """Who answers for it."""


class OperatingSystem(Strict):
    """The system that the DSI installed."""

    id: Literal["debian", "ubuntu", "rhel", "almalinux", "rocky"]
    """`ID` of /etc/os-release."""
    version: str = Field(pattern=r"^[0-9]{1,2}(\.[0-9]{1,2})?$")
    """`VERSION_ID` of /etc/os-release, in quotes."""
    extended_support: ExtendedSupport | None = None
    """Support bought for after the standard one; null: none."""


class Machine(Strict):
    """What was asked for, and is checked on the machine."""

    cpus: int = Field(ge=1, le=512)
    """Virtual processors."""
    memory_mib: int = Field(ge=512, le=8 * 1024 * 1024)
    """Memory, in MiB."""
    disk_gib: int = Field(ge=4, le=1024 * 1024)
    """Disk, in GiB, all file systems together."""
    hypervisor: Literal["kvm", "vmware", "hyperv", "none"]
    """Hypervisor; `none` for a physical machine or a container."""
    guest_tools: bool
    """The hypervisor's guest tools are expected on the machine."""
    os: OperatingSystem
    """Operating system at delivery."""
    disk_encryption: Literal["none", "hypervisor", "luks"] | None = None
    """Encryption of the disk, by the hypervisor or in the machine."""
    hardening: Literal["none", "minimal", "intermediary", "enhanced", "high"] | None = None
    """Level of ANSSI-BP-028 that the machine reaches."""
    hardening_report: HardeningReport | None = None
    """Last measure of that level; null: none was made."""
    endpoint_protection: EndpointProtection | None = None
    """Protection against malware; null: there is none."""
    additions: tuple[Addition, ...] = ()
    """What others put on the machine, and answer for; `filae-ops doctor` writes it."""

    @model_validator(mode="after")
    def _tools_need_a_hypervisor(self) -> Self:
        if self.guest_tools and self.hypervisor == "none":
            refuse(
                "guest_tools is true but hypervisor is `none`",
                next_step="name the hypervisor, or say `guest_tools: false`",
                owner="dsi",
            )
        return self

    @model_validator(mode="after")
    def _each_addition_once(self) -> Self:
        for number, name in overlaps(self.additions):
            refuse(
                f"{self.additions[number].name!r} is declared already, by {name!r}",
                next_step="keep one of the two",
                at=("additions", number),
            )
        return self


class Host(Strict):
    """One machine of the inventory."""

    name: str
    """Name in hosts.yml; also the alias under which its host key is pinned."""
    ansible_host: HostOrAddress
    """Address or name to reach it at."""
    host_key: HostKey
    """Its SSH host key, read at its console: any other is refused."""
    machine: Machine
    """What the DSI provides."""
    ansible_port: Port = 22
    """SSH port as seen by the controller."""
    ansible_user: AccountName | None = None
    """Account for machines of the lab; left out: the caller's name, or `--user`."""
    ansible_ssh_private_key_file: KeyPath | None = None
    """Private key for machines of the lab; left out: the caller's agent."""

    @property
    def key(self) -> PublicKey:
        """Return the parsed host key."""
        return parse_public_key(self.host_key)
