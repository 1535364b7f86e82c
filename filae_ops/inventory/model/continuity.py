"""Backups, and the plan for the day when everything stops. The strategy is the DSI's: this says what it declares."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from filae_ops.inventory.model.documents import Day, Document, once
from filae_ops.inventory.model.hosting import HdsActivity
from filae_ops.inventory.types.fields import Email, RelativePath, Slug, Strict, Text, duplicates, refuse

Minutes = Annotated[int, Field(ge=0, le=525600)]


class Monitoring(Strict):
    """Who learns that a backup is late."""

    alert_to: Email
    """Address that receives the alarm."""
    last_success: Day | None = None
    """Date of the last backup that succeeded."""


class Offsite(Strict):
    """The remote copy of the backups."""

    place: Text | None = None
    """Where it is."""
    distance_km: Annotated[int, Field(ge=0, le=20000)] | None = None
    """Distance from the machine, in kilometres."""
    interval_days: Annotated[int, Field(ge=1, le=366)] | None = None
    """Days between two copies."""
    provider_id: Slug | None = None
    """Third party that keeps it; null: the hospital itself."""
    hds_activities: tuple[HdsActivity, ...] | None = None
    """Activities of health data hosting that this third party is certified for."""

    @model_validator(mode="after")
    def _activities_once(self) -> Self:
        return once(self, self.hds_activities, at="hds_activities")


class RestoreTest(Strict):
    """The last restoration that was tried."""

    date: Day
    """Date of the test."""
    kind: Text | None = None
    """What was restored: a file, the database, the machine."""
    minutes: Minutes | None = None
    """Measured length, in minutes."""
    sheet: RelativePath | None = None
    """Path of the signed sheet inside the inventory."""


class Backup(Strict):
    """The backups. The strategy is the DSI's: this says what it declares."""

    kinds: tuple[Literal["files", "database", "machine_snapshot", "configuration"], ...] = Field(min_length=1)
    """What is backed up."""
    interval_hours: int = Field(ge=1, le=744)
    """Hours between two backups: beyond, the alarm rings."""
    retention_days: int | None = Field(default=None, ge=1, le=3660)
    """Days that backups are kept; left out: to document."""
    monitoring: Monitoring | None = None
    """Who is told; left out: to document."""
    offsite: Offsite | None = None
    """Remote copy; null: there is none."""
    offline_or_immutable: bool | None = None
    """One copy is offline or cannot be changed."""
    separate_authentication: bool | None = None
    """Accounts of the backup system are outside of the production directory."""
    mfa: bool | None = None
    """The backup console asks for a second factor."""
    encrypted_transit: bool | None = None
    """Encrypted on the network."""
    encrypted_rest: bool | None = None
    """Encrypted where they are kept."""
    key_escrow: Text | None = None
    """Where the encryption key is deposited; null: nowhere."""
    isolation_switch: bool | None = None
    """The backup system can be cut from the network at once (« bouton rouge »)."""
    before_major_change: bool | None = None
    """A full backup precedes each major change."""
    last_restore_test: RestoreTest | None = None
    """Last restoration tried; null: none was."""
    includes_logs: bool | None = None
    """Traces are in the backups."""

    @model_validator(mode="after")
    def _kinds_once(self) -> Self:
        if kinds := duplicates(self.kinds):
            refuse(f"the kind {kinds[0]!r} is listed twice", next_step="keep it once", owner="dsi")
        return self


class Continuity(Strict):
    """The place of the machine in the hospital's recovery plan (PRA)."""

    in_hospital_pra: bool | None = None
    """The machine is in the hospital's recovery plan."""
    rank: Annotated[int, Field(ge=1, le=10000)] | None = None
    """Rank of restart in that plan."""
    rto_minutes: Minutes | None = None
    """Longest acceptable interruption (DMIA), in minutes."""
    rpo_minutes: Minutes | None = None
    """Longest acceptable loss of data (PDMA), in minutes."""
    last_exercise: Day | None = None
    """Date of the last continuity exercise."""
    degraded_mode: Document | None = None
    """Paper procedure for when the application is down; null: there is none."""
