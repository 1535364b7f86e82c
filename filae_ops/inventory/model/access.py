"""Who may enter the machine, from where, with which key and until when."""

from __future__ import annotations

import datetime as dt
import re
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from filae_ops.inventory.types.fields import Cidr, Strict, duplicates, refuse
from filae_ops.inventory.types.ssh_keys import SshKey
from filae_ops.vocabulary import Party
from filae_ops.writers import parsing
from filae_ops.writers.public_keys import parse_public_key

# The toolkit's names, and Debian's users and groups (base-passwd and the packages that the roles install).
OF_THE_SYSTEM = re.compile(
    "filae|filae_migrate|filae-(dsi|web.*|worker.*)|systemd-.*|"
    "root|daemon|bin|sys|sync|games|man|lp|mail|news|uucp|proxy|www-data|backup|list|irc|nobody|nogroup|adm|tty|"
    "disk|kmem|dialout|fax|voice|cdrom|floppy|tape|sudo|audio|dip|operator|src|shadow|utmp|video|sasl|plugdev|"
    "staff|users|input|sgx|clock|kvm|render|crontab|netdev|messagebus|polkitd|sshd|postgres|ssl-cert|tcpdump|"
    "uuidd|landscape"
)
_IMPERSONAL = re.compile("wheel|admin|debian|ubuntu")


def _operator_name(value: str) -> str:
    try:
        name = parsing.person(value)
    except ValueError:
        refuse(
            f"{value!r} is not a Linux user name",
            next_step="small letters, digits, - and _, a letter first, 32 at most: a.martin becomes amartin",
        )
    if OF_THE_SYSTEM.fullmatch(value) or _IMPERSONAL.fullmatch(value):
        refuse(
            f"{value!r} is an account of the system, of the toolkit or of nobody in particular",
            next_step="give each person an account of their own name, such as amartin",
        )
    return name


OperatorName = Annotated[str, AfterValidator(_operator_name)]


class OperatorKey(Strict):
    """A public key and the day it stops working."""

    key: SshKey
    """OpenSSH public key: ed25519, ecdsa, a hardware token's (sk-), or RSA of at least 3072 bits."""
    until: dt.date
    """Last day of validity; sshd enforces it (`expiry-time`)."""


class Operator(Strict):
    """A named person. Operators are root-equivalent through sudo, and logged."""

    name: OperatorName
    """Name of the account on the machine."""
    keys: tuple[OperatorKey, ...] = ()
    """Public keys, each with its end date."""
    state: Literal["present", "absent"] = "present"
    """`absent` revokes: the account is locked and its keys removed."""

    @model_validator(mode="after")
    def _present_has_a_key(self) -> Self:
        if self.state == "present" and not self.keys:
            refuse(
                f"operator {self.name!r} is present without a key",
                next_step="add a key with its `until`, or say `state: absent`",
            )
        return self

    def valid_keys(self, day: dt.date) -> tuple[OperatorKey, ...]:
        """Return the keys that work on `day`."""
        return tuple(key for key in self.keys if key.until >= day) if self.state == "present" else ()


class Access(Strict):
    """The ways in for administration."""

    administration_networks: tuple[Cidr, ...] = Field(min_length=1)
    """Networks that administrators come from: the zone `administration` of the flows."""
    operators: tuple[Operator, ...] = Field(min_length=1)
    """The provider's named accounts."""
    dsi: tuple[Operator, ...] = ()
    """The DSI's named accounts (group filae-dsi: status, receipt, maintenance)."""

    @model_validator(mode="after")
    def _each_person_once(self) -> Self:
        people = [*self.operators, *self.dsi]
        if names := duplicates(person.name for person in people):
            refuse(
                f"the account {names[0]!r} is declared twice",
                next_step="keep one entry per person",
                at=("operators",),
            )
        keys = [parse_public_key(key.key) for key in chain.from_iterable(p.keys for p in people)]
        if twice := duplicates(key.text for key in keys):
            mark = next(key.fingerprint for key in keys if key.text == twice[0])
            refuse(f"the key {mark} is declared twice", next_step="accounts are personal: one key, one person")
        if all(person.state == "absent" for person in self.operators):
            refuse(
                "no operator is present: nobody could enter the machine",
                next_step="keep one operator present",
            )
        return self


class AccessGovernance(Strict):
    """The four control tasks over access. Left out: to document."""

    rights_process_owner: Party | None = None
    """Who grants named rights and reviews them each year."""
    access_path_owner: Party | None = None
    """Who secures the way in: gateway, bastion, VPN."""
    traces_owner: Party | None = None
    """Who collects and keeps the traces of access and their reasons."""
    approval_owner: Party | None = None
    """Who approves an intervention beforehand."""
