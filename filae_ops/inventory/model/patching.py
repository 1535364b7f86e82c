"""Security updates: from where, how often, and the contract's delays."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from filae_ops.inventory.types.fields import Strict, Text, Url

Days = Annotated[int, Field(ge=0, le=3660)]


class Mirror(Strict):
    """The hospital's mirror of Debian's packages."""

    url: Url
    """Mirror of the distribution."""
    security_url: Url
    """Mirror of its security updates."""


class PatchDelays(Strict):
    """Days within which the provider fixes a weakness of its software, by CVSS score, as the contract says."""

    cvss_gt_8_9: Days | None = None
    """Score above 8.9."""
    cvss_7_8_9: Days | None = None
    """Score from 7 to 8.9."""
    cvss_4_7: Days | None = None
    """Score from 4 to 7."""


class Patching(Strict):
    """Security updates."""

    mirror: Mirror | None = None
    """The hospital's mirror; left out: the sources that the machine has."""
    security_interval_days: int = Field(ge=1, le=31)
    """Days within which security updates are applied."""
    reboot: Literal["never", "window"]
    """Whether the machine may restart by itself, in the maintenance window."""
    delays: PatchDelays = PatchDelays()
    """Delays of the contract, in days, by gravity."""
    watch: tuple[Text, ...] | None = None
    """Sources of the watch for weaknesses, such as debian-security-announce or CERT-FR."""
