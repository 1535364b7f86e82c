"""Where the data live, and what the law asks of who holds them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from filae_ops.inventory.model.documents import Day, Document, Percent, in_order, once
from filae_ops.inventory.types.countries import Country
from filae_ops.inventory.types.fields import Link, RelativePath, Slug, Strict, Text, refuse
from filae_ops.vocabulary import HostingModel

HdsActivity = Literal["physical_site", "hardware", "virtual_infra", "app_platform", "administration", "backup"]
"""The six activities of article R.1111-9 of the code of public health, in its order."""
NAMED_HOST = ("hds_host", "third_party")


class HdsCertificate(Strict):
    """The host's certificate for health data (HDS)."""

    number: Text | None = None
    """Number of the certificate."""
    body: Text | None = None
    """Certification body."""
    referential: Literal[1, 2] | None = None
    """Version of the referential: 1 (2018) or 2 (2024)."""
    activities: tuple[HdsActivity, ...] | None = None
    """Activities that the certificate covers."""
    scope: Text | None = None
    """Sites, service and region that it covers."""
    start: Day | None = Field(default=None, alias="from")
    """First day of validity."""
    to: Day | None = None
    """Last day of validity."""
    surveillance_last: Day | None = None
    """Date of the last surveillance audit."""
    copy_: RelativePath | None = Field(default=None, alias="copy")
    """Path of the copy inside the inventory."""

    @model_validator(mode="after")
    def _dates_and_activities(self) -> Self:
        in_order(self.start, self.to)
        return once(self, self.activities, at="activities")


class IsoCertificate(Strict):
    """The host's ISO 27001 certificate."""

    number: Text | None = None
    """Number of the certificate."""
    start: Day | None = Field(default=None, alias="from")
    """First day of validity."""
    to: Day | None = None
    """Last day of validity."""
    copy_: RelativePath | None = Field(default=None, alias="copy")
    """Path of the copy inside the inventory."""

    @model_validator(mode="after")
    def _dates(self) -> Self:
        in_order(self.start, self.to)
        return self


class SecNumCloud(Strict):
    """The qualification of the exact service by ANSSI (SecNumCloud)."""

    version: str | None = Field(default=None, pattern=r"^[0-9]+\.[0-9]+$")
    """Version of the referential, in quotes."""
    decision: Text | None = None
    """Number of the decision of qualification."""
    service: Text | None = None
    """Name of the service as ANSSI's catalogue gives it."""
    start: Day | None = Field(default=None, alias="from")
    """First day of the qualification."""
    to: Day | None = None
    """Last day of the qualification."""
    attestation: RelativePath | None = None
    """Path of the attestation inside the inventory."""

    @model_validator(mode="after")
    def _dates(self) -> Self:
        in_order(self.start, self.to)
        return self


class Certificates(Strict):
    """What the host is certified or qualified for."""

    hds: HdsCertificate | None = None
    """Certificate for health data; null: the host has none."""
    iso27001: IsoCertificate | None = None
    """ISO 27001 certificate; null: the host has none."""
    snc: SecNumCloud | None = None
    """SecNumCloud qualification of the service; null: it has none."""


class Derogation(Strict):
    """A derogation that is invoked: it has an end."""

    basis: Text
    """Text that allows it."""
    granted_on: Day | None = None
    """Date of the decision."""
    until: Day | None = None
    """Last day."""
    signed_by: Text | None = None
    """Who signed the decision."""

    @model_validator(mode="after")
    def _dates(self) -> Self:
        if self.granted_on and self.until and self.until < self.granted_on:
            what = f"`until` ({self.until}) is before `granted_on` ({self.granted_on})"
            refuse(what, next_step="correct one of the two dates", owner="dsi", at=("until",))
        return self


class ExtraEu(Strict):
    """What decides whether a law from outside of the Union reaches the data."""

    hq_country: Country | None = None
    """Country of the host's registered office and main establishment."""
    parent_country: Country | None = None
    """Country of the shareholder in ultimate control."""
    non_eu_individual_pct: Percent | None = None
    """Largest share of one entity from outside of the Union, in percent."""
    non_eu_collective_pct: Percent | None = None
    """Share of all entities from outside of the Union, in percent."""
    veto_or_board: bool | None = None
    """An entity from outside of the Union has a veto, or the majority of a board."""
    non_eu_subcontractor_access: bool | None = None
    """A subcontractor under control from outside of the Union can technically obtain the data."""
    foreign_subsidiaries: tuple[Country, ...] | None = None
    """Countries of the group's subsidiaries outside of the Union."""
    declared_laws: tuple[Text, ...] | None = None
    """Laws from outside of the Union that the contract declares."""
    mitigations: Document | None = None
    """Measures against that risk."""
    residual_risks: Document | None = None
    """Risks that remain, accepted by the hospital."""
    public_map_url: Link | None = None
    """Public page where the host maps its transfers."""


class Subhost(Strict):
    """A subcontractor of the host."""

    name: Text
    """Company."""
    role: Text | None = None
    """What it does."""
    country: Country | None = None
    """Country that it works from."""
    hds_activities: tuple[HdsActivity, ...] | None = None
    """Activities that it is certified for."""
    certificate: RelativePath | None = None
    """Path of its certificate inside the inventory; null: it has none."""


class Encryption(Strict):
    """The encryption of the data at rest."""

    keys_held_by: Literal["dsi", "provider", "host", "none"] | None = None
    """Who holds the keys; `none`: nothing is encrypted at rest."""


class Hosting(Strict):
    """Where the data live."""

    model: HostingModel
    """Hosting model: decides what the law asks."""
    host_id: Slug | None = None
    """The host, by its id in the register, for a certified host or another third party; left out: to document."""
    service_id: Slug | None = None
    """The exact service of the host, by its id in the register; left out: to document."""
    region: Text | None = None
    """Region or site of the service; left out: to document."""
    storage_countries: tuple[Country, ...] | None = None
    """Countries where the data are stored, backups included."""
    remote_access_countries: tuple[Country, ...] | None = None
    """Countries from which a remote access is possible."""
    remote_access_guarantees: Document | None = None
    """Adequacy or safeguards (GDPR art. 46) for these accesses."""
    choice_record: Document | None = None
    """Written decision on the choice of hosting: who, when, why."""
    patient_information: Document | None = None
    """Information of patients that a third party hosts."""
    derogation: Derogation | None = None
    """Derogation that is invoked; null: none."""
    certificates: Certificates = Certificates()
    """Certificates and qualifications of the host."""
    extra_eu: ExtraEu = ExtraEu()
    """What decides whether a law from outside of the Union reaches the data."""
    subhosts: tuple[Subhost, ...] | None = None
    """Chain of the host's subcontractors; an empty list: none."""
    encryption: Encryption = Encryption()
    """Encryption at rest."""

    @model_validator(mode="after")
    def _only_a_third_party_is_named(self) -> Self:
        for key in ("host_id", "service_id", "region"):
            value = getattr(self, key)
            if self.model not in NAMED_HOST and value is not None:
                refuse(
                    f"`{key}: {value}` has no meaning with model {self.model}",
                    next_step=f"remove `{key}`, or choose another model",
                    owner="dsi",
                    at=(key,),
                )
        return self
