"""The network around the machine, and every flow that is open: one source for rules, matrix and checks."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, field_validator, model_validator

from filae_ops.inventory.model.documents import Day
from filae_ops.inventory.types.fields import (
    Address,
    HostOrAddress,
    IPNetwork,
    Port,
    PublicName,
    Slug,
    Strict,
    Text,
    Url,
    check_cidr,
    duplicates,
    refuse,
)
from filae_ops.vocabulary import Party

ZONES = ("machine", "administration", "internet")


class MailRelay(Strict):
    """The hospital's mail relay."""

    host: HostOrAddress
    """Name or address of the relay."""
    port: Port = 25
    """TCP port of the relay."""


class ReverseProxy(Strict):
    """The hospital's own relay in front of the machine."""

    owner: Party | None = None
    """Who answers for it."""
    product: Text | None = None
    """Product."""
    addresses: tuple[Address, ...] = ()
    """Addresses from which it reaches the machine: what it says of a client's address is then believed."""

    @field_validator("addresses")
    @classmethod
    def _elsewhere(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        for address in addresses:
            if ipaddress.ip_address(address).is_loopback:
                refuse(
                    f"the relay's address {address} is a loopback address, which the machine's own processes have",
                    next_step="give the address from which the hospital's relay reaches the machine",
                    owner="dsi",
                )
        return addresses


class Network(Strict):
    """What the hospital's network gives to the machine."""

    public_name: PublicName
    """DNS name that users type."""
    inbound_internet: bool
    """The machine can be reached from the internet."""
    outbound_internet: Literal["direct", "proxy", "none"]
    """How the machine reaches the internet."""
    proxy: Url | None = None
    """Address of the outbound proxy, with `outbound_internet: proxy`."""
    dns_servers: tuple[Address, ...] = Field(min_length=1)
    """Addresses of the name servers."""
    time_sources: tuple[HostOrAddress, ...] = Field(min_length=1)
    """Names or addresses of the time servers."""
    mail_relay: MailRelay | None = None
    """Where mail goes out, if the application sends any."""
    dmz: bool | None = None
    """The machine is in a DMZ."""
    two_firewalls: bool | None = None
    """One firewall towards the internet, another towards the hospital."""
    default_deny: bool | None = None
    """The hospital's firewalls block every flow that is not listed."""
    last_rule_review: Day | None = None
    """Date of the last review of the firewalls' rules."""
    ddos: Text | None = None
    """Protection against denial of service; null: there is none."""
    reverse_proxy: ReverseProxy | None = None
    """Relay of the hospital in front of the machine; null: there is none."""

    @model_validator(mode="after")
    def _proxy_goes_with_its_mode(self) -> Self:
        if self.outbound_internet == "proxy" and self.proxy is None:
            refuse(
                "outbound_internet is `proxy` but `proxy` is missing",
                next_step="add its address",
                owner="dsi",
            )
        if self.outbound_internet != "proxy" and self.proxy is not None:
            refuse(
                f"proxy {self.proxy!r} is given but outbound_internet is {self.outbound_internet!r}",
                next_step="say `outbound_internet: proxy`, or remove `proxy`",
                owner="dsi",
            )
        return self


def _as_tuple(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    return (value,) if isinstance(value, str | int) and not isinstance(value, bool) else value


def _one_or_more(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _peer(values: tuple[str, ...]) -> tuple[str, ...]:
    if any(value in ZONES for value in values) and len(values) > 1:
        refuse(
            "a zone stands alone: it cannot be in a list",
            next_step="write one flow for the zone, one for the rest",
        )
    return values


def _zone_or_cidr(value: str) -> str:
    if value in ZONES:
        return value
    if value[:1].isalpha() and ":" not in value:
        zones = ", ".join(ZONES)
        refuse(
            f"{value!r} is neither a zone ({zones}) nor an address",
            next_step="write the addresses",
            owner="dsi",
        )
    return check_cidr(value)


Peer = Annotated[
    tuple[Annotated[str, AfterValidator(_zone_or_cidr)], ...],
    BeforeValidator(_as_tuple),
    Field(min_length=1),
    AfterValidator(_peer),
    WithJsonSchema(_one_or_more({"type": "string"})),
]
Ports = Annotated[
    tuple[Port, ...],
    BeforeValidator(_as_tuple),
    WithJsonSchema(_one_or_more({"type": "integer", "minimum": 1, "maximum": 65535})),
]


class Flow(Strict):
    """One line of the flow matrix."""

    id: Slug
    """Short name, unique: it names the rule and its counter."""
    description: Text
    """What passes, in words."""
    direction: Literal["in", "out"]
    """`in` to the machine, `out` of it."""
    source: Peer = Field(alias="from")
    """Zone `machine`, `administration` or `internet`, or networks."""
    to: Peer
    """Zone `machine`, `administration` or `internet`, or networks."""
    proto: Literal["tcp", "udp", "icmp"]
    """Protocol."""
    port: Ports = ()
    """Port or list of ports; none for icmp."""
    encryption: Text | None = None
    """Encryption and its version; left out: to document."""
    authentication: Text | None = None
    """How each side proves who it is; left out: to document."""
    data: Text | None = None
    """Data that pass; left out: to document."""
    owner: Party | None = None
    """Who answers for the flow; left out: to document."""
    justification: Text | None = None
    """Why it is open; left out: to document."""
    approved_by: Text | None = None
    """Who approved the flow, on the DSI's side; left out: to document."""
    approved_on: Day | None = None
    """Day of the approval; left out: to document."""

    @model_validator(mode="after")
    def _ends_and_ports(self) -> Self:
        here, name = (self.to, "to") if self.direction == "in" else (self.source, "from")
        if here != ("machine",):
            refuse(
                f"flow {self.id!r} has direction {self.direction!r} but {name} is {', '.join(here)}",
                next_step=f"write `{name}: machine`",
            )
        if "machine" in self.peer:
            refuse(
                f"flow {self.id!r} goes from the machine to itself",
                next_step="remove it: loopback is always open",
            )
        if bool(self.port) == (self.proto == "icmp"):
            wanted = "takes no port" if self.port else "needs a port"
            refuse(f"flow {self.id!r}: {self.proto} {wanted}", next_step="correct `port` or `proto`")
        if len(set(self.port)) < len(self.port):
            refuse(f"flow {self.id!r} lists a port twice", next_step="keep each port once")
        return self

    @property
    def peer(self) -> tuple[str, ...]:
        """Return the other end: one zone, or networks."""
        return self.source if self.direction == "in" else self.to

    def networks(self, administration: tuple[str, ...]) -> tuple[IPNetwork, ...] | None:
        """Return the other end as networks, or None for any address (`internet`)."""
        if self.peer == ("internet",):
            return None
        return tuple(map(ipaddress.ip_network, administration if self.peer == ("administration",) else self.peer))

    def covers(self, address: str, administration: tuple[str, ...]) -> bool:
        """Tell whether the other end includes this address."""
        networks = self.networks(administration)
        return networks is None or any(ipaddress.ip_address(address) in network for network in networks)


def repeated_ids(flows: tuple[Flow, ...]) -> list[str]:
    """Return the ids that two flows share."""
    return duplicates(flow.id for flow in flows)
