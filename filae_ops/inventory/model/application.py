"""What the application is told: its settings, its signers, the waits of the agent."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from filae_ops.agent.bundle.field_rules import reserved
from filae_ops.inventory.types.fields import Slug, Strict, duplicates, refuse
from filae_ops.inventory.types.ssh_keys import SshKey

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_SECRET = re.compile(r"(^|_)(PASSWORD|PASSWD|PASS|SECRET|TOKEN|CREDENTIALS?|PRIVATE_KEY|API_KEY)(_|$)")
# A release may fix these for itself; a site may not change them.
_GIVEN = re.compile("TZ|IFS|(BASH_)?ENV|(GEM_|BUNDLE_|RUBY).*")


def _setting(name: str) -> str:
    if not _NAME.fullmatch(name):
        refuse(f"setting {name!r} is not a variable's name", next_step="write it in capitals: APP_LOCALE")
    if reserved(name) or _GIVEN.fullmatch(name):
        refuse(f"setting {name!r} is set by the toolkit", next_step="remove it")
    if _SECRET.search(name):
        refuse(
            f"setting {name!r} looks like a secret, and this file is in clear",
            next_step="declare it as a secret in the release, and put it under `app_secrets` in secrets.yml",
        )
    return name


class Signer(Strict):
    """A key that signs releases."""

    name: Slug
    """Name of the key, for messages."""
    key: SshKey
    """OpenSSH public key."""
    until: dt.date
    """Last day of validity."""


Seconds = Annotated[float, Field(gt=0, le=86400)]


class Timings(Strict):
    """Seconds of the agent's waits, where its own do not suit this machine."""

    start: Seconds | None = None
    """Until a new release says that it is ready."""
    health: Seconds | None = None
    """Until a new release that started is healthy."""
    front_door: Seconds | None = None
    """Until the front door serves the new release."""
    drain: Seconds | None = None
    """For the last requests of the release before."""
    command: Seconds | None = None
    """For a migration or a dump."""
    settle: Seconds | None = None
    """For a worker to show that it stays up."""
    stop: Seconds | None = None
    """For a release to stop before it is killed."""
    soak: Seconds | None = None
    """During which a release that serves is watched before it is committed (600)."""
    lock_wait: Seconds | None = None
    """Before a migration that met a lock is tried again; doubled each time."""
    old_transaction: Seconds | None = None
    """The age from which an open transaction in the database keeps a migration from starting (60)."""


class App(Strict):
    """What the application is told."""

    settings: Mapping[Annotated[str, AfterValidator(_setting)], str] = Field(default_factory=dict)
    """Settings of the release's contract, given as environment; texts, in quotes. No secret here."""
    signers: tuple[Signer, ...] = Field(min_length=1)
    """Keys whose releases this machine accepts."""
    timings: Timings | None = None
    """Seconds of the agent's waits; left out: its own, which suit most machines."""

    @model_validator(mode="after")
    def _signers_once(self) -> Self:
        if names := duplicates(signer.name for signer in self.signers):
            refuse(f"the signer {names[0]!r} is declared twice", next_step="give each key its own name")
        for name, value in self.settings.items():
            if not value.isprintable():
                refuse(
                    f"setting {name} has a line break or a control character",
                    next_step="write it on one line",
                    at=("settings", name),
                )
        return self
