"""Names that the inventory, the register and the reports share: parties, owners, environments, hosting models."""

from __future__ import annotations

from typing import Literal

from filae_ops.errors import Owner

Party = Literal["dsi", "provider", "host", "infogerant", "dpo", "business_owner", "hospital"]
Environment = Literal["production", "preproduction", "test", "demo"]
HostingModel = Literal["internal", "internal_infogere", "internal_vendor_admin", "ght", "hds_host", "third_party"]
# Who answers for a requirement, in the order of the documents.
OWNERS: tuple[Owner, ...] = ("dsi", "provider", "host", "dpo", "shared")
