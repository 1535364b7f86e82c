"""How the machine is operated: administration, traces, users' identity, incidents, supervision."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from filae_ops.inventory.model.documents import Day, Document
from filae_ops.inventory.types.countries import Country
from filae_ops.inventory.types.fields import HostOrAddress, Strict, Text
from filae_ops.vocabulary import Party


class Software(Strict):
    """One component that the machine runs."""

    name: Text
    """Component, such as postgresql or ruby."""
    version: Text
    """Version, in quotes."""


class Pams(Strict):
    """The provider as to ANSSI's referential on administration and maintenance (PAMS)."""

    qualified: bool | None = None
    """The provider is qualified."""
    self_assessment_date: Day | None = None
    """Date of its self-assessment."""


class Admin(Strict):
    """How the provider administers the machine."""

    access_path: Literal["hospital_gateway", "vpn_ipsec", "vpn_tls", "direct_ssh", "agent"] | None = None
    """Way in: the hospital's gateway, a VPN, SSH from outside, or an agent."""
    on_demand: bool | None = None
    """The access is opened and closed at each demand."""
    mfa: bool | None = None
    """A second factor is asked for."""
    dedicated_workstation: bool | None = None
    """Administration is done from a dedicated or hardened workstation."""
    intervention_reports: bool | None = None
    """Each intervention has a written report."""
    last_account_review: Day | None = None
    """Date of the last review of accounts."""
    pams: Pams | None = None
    """Qualification or self-assessment as a provider of administration; null: none."""


class CentralLog(Strict):
    """Where the traces go."""

    server: HostOrAddress
    """Name or address of the collector."""
    owner: Party | None = None
    """Who answers for it."""


class Logging(Strict):
    """The traces."""

    central: CentralLog | None = None
    """Collector of traces; null: there is none."""
    transport: Literal["tcp_tls", "tcp", "udp", "file"] | None = None
    """How they go there."""
    retention_days: Annotated[int, Field(ge=1, le=3660)] | None = None
    """Days that they are kept."""
    health_access_traces: bool | None = None
    """The application traces who read and who changed health data."""
    user_information: Document | None = None
    """Information of users about these traces."""


class Identity(Strict):
    """How users prove who they are."""

    sso: Literal["oidc", "saml", "ldap", "local"] | None = None
    """Authentication of users; `local`: accounts of the application."""
    mfa: bool | None = None
    """A second factor is asked for before health data."""
    lifecycle: Document | None = None
    """Procedure for arrivals, moves and departures."""
    rie_homologation: Document | None = None
    """Approval of the means of identification (RIE)."""


class IncidentContacts(Strict):
    """Whom to reach when there is an incident: name, telephone or address, on one line."""

    dsi: Text | None = None
    """The hospital's IT department."""
    rssi: Text | None = None
    """The hospital's information security officer."""
    dpo: Text | None = None
    """The hospital's data protection officer."""
    provider: Text | None = None
    """The software provider."""
    host: Text | None = None
    """The host."""
    cert_sante: Text | None = None
    """CERT Santé."""
    cnil: Text | None = None
    """CNIL."""


class Incidents(Strict):
    """What is done when there is an incident."""

    contacts: IncidentContacts | None = None
    """Whom to reach; null: nobody is named."""
    cert_sante_procedure: Document | None = None
    """Procedure for reporting to CERT Santé; null: there is none."""
    cnil_procedure: Document | None = None
    """Procedure for a breach of personal data; null: there is none."""


class SupervisionEndpoint(Strict):
    """Where the provider's supervision sends what it measures."""

    place: Text | None = None
    """Where it is."""
    country: Country | None = None
    """Country that it is in."""
    provider: Text | None = None
    """Company that runs it."""


class Supervision(Strict):
    """The supervision of the application."""

    endpoint: SupervisionEndpoint | None = None
    """Where supervision data go; null: they stay on the machine."""
