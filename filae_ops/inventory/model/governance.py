"""Who the hospital is, which data, and who answers for what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from filae_ops.inventory.model.documents import Day, Document
from filae_ops.inventory.model.site import Contact
from filae_ops.inventory.types.fields import Strict
from filae_ops.vocabulary import Party

Kind = Literal[
    "eps", "espic", "private", "state_administration", "state_operator", "sren_gip", "local_authority", "other"
]  # fmt: skip


class Ght(Strict):
    """The group of hospitals (GHT), when one of them hosts for another."""

    convention_delegates_hosting: Day | None = None
    """Date of the convention of the group that delegates hosting; null: there is none."""
    article26_agreement: Day | None = None
    """Date of the agreement between joint controllers (GDPR art. 26); null: there is none."""
    security_measures: Document | None = None
    """Common measures of security and confidentiality; null: there are none."""


class Establishment(Strict):
    """The hospital, in law."""

    kind: Kind | None = None
    """Legal nature: `eps` public hospital, `espic` private non-profit, `private`, or a body of the State."""
    ght: Ght = Ght()
    """The group of hospitals."""


class Data(Strict):
    """Which data the application holds."""

    health: bool | None = None
    """Personal health data; Filaé always holds some."""
    judicial: bool | None = None
    """Data about requisitions or offences; Filaé always holds some."""
    sensitivity_assessment: Document | None = None
    """Written analysis of sensitivity (SREN law, art. 31)."""
    retention_policy: Document | None = None
    """How long data are kept, and how they are purged."""


class Governance(Strict):
    """The people who answer, and the last review."""

    rssi: Contact | None = None
    """The hospital's information security officer; null: there is none."""
    dpo: Contact | None = None
    """The hospital's data protection officer; null: there is none."""
    business_owner: Contact | None = None
    """The medico-legal unit's own correspondent; null: there is none."""
    provider_security_contact: Contact | None = None
    """The provider's security correspondent; null: there is none."""
    inventory_reviewed_on: Day | None = None
    """Date of the last review of this inventory."""


Duty = Annotated[str, Field(pattern=r"^D-[A-Z0-9]+(-[A-Z0-9]+)*$")]
Letters = Literal["R", "A", "RA", "C", "I"]
"""R does, A is accountable, C is consulted, I is informed."""
Responsibilities = Mapping[Duty, Mapping[Party, Letters]]
"""By duty and party: only what departs from the hosting model."""
