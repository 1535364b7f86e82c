"""Who may enter, how, and with which rights."""

from __future__ import annotations

import datetime as dt
from itertools import chain

from filae_ops.inventory.model.access import Operator
from filae_ops.verification.check import Target, broken, check
from filae_ops.writers.public_keys import parse_public_key

KEYS_ONLY = {
    "passwordauthentication": "no",
    "kbdinteractiveauthentication": "no",
    "hostbasedauthentication": "no",
    "permitemptypasswords": "no",
    "pubkeyauthentication": "yes",
    "authenticationmethods": "publickey",
    "authorizedkeysfile": "/etc/ssh/authorized_keys.d/%u",
    "strictmodes": "yes",
    "permituserenvironment": "no",
}
NO_FORWARDING = (
    "allowtcpforwarding",
    "allowstreamlocalforwarding",
    "allowagentforwarding",
    "x11forwarding",
    "permittunnel",
    "gatewayports",
)
ROOT_GROUPS = ("sudo", "docker", "lxd", "disk", "shadow")
REVOKE = "provider: say `state: absent` or a new key in access.yml, then filae-ops provision"


def today(on: Target) -> dt.date:
    return dt.datetime.fromtimestamp(on.facts["system"]["now"], dt.UTC).date()


def present(on: Target) -> dict[str, Operator]:
    return {each.name: each for each in people(on) if each.state == "present"}


def people(on: Target) -> list[Operator]:
    return [*on.inventory.access.operators, *on.inventory.access.dsi]


def operators(on: Target) -> set[str]:
    return {each.name for each in on.inventory.access.operators if each.state == "present"}


@check("ssh-root", "SSH-01")
def test_root_cannot_log_in(on: Target) -> None:
    """root cannot log in over SSH."""
    value = on.facts["sshd"]["permitrootlogin"][0]
    if value != "no":
        broken(f"sshd's PermitRootLogin is {value}")


@check("ssh-keys-only", "SSH-01")
def test_keys_only(on: Target) -> None:
    """Only keys open a session, and only those that the inventory placed."""
    bad = [
        f"{name} {found}"
        for name, value in KEYS_ONLY.items()
        if (found := (on.facts["sshd"].get(name) or ["unset"])[0]) != value
    ]
    if bad:
        broken(f"sshd: {', '.join(bad)}")


@check("ssh-forwarding", "SSH-03")
def test_no_forwarding(on: Target) -> None:
    """Forwarding is off."""
    bad = [name for name in NO_FORWARDING if (on.facts["sshd"].get(name) or ["yes"])[0] != "no"]
    if bad:
        broken(f"sshd allows: {', '.join(bad)}")


@check("ssh-groups", "SSH-03")
def test_named_groups_only(on: Target) -> None:
    """Only the two named groups may log in."""
    groups = set(chain.from_iterable(row.split() for row in on.facts["sshd"].get("allowgroups", [])))
    if groups != {"filae-operators", "filae-dsi"}:
        broken(f"sshd's AllowGroups is {', '.join(sorted(groups)) or 'unset'}")


@check("access-accounts", "OPS-08", against=("access.operators", "access.dsi"))
def test_accounts(on: Target) -> None:
    """The inventory's accounts are there, the revoked ones are locked, and nobody else is in their groups."""
    accounts, groups = on.facts["accounts"]["accounts"], on.facts["accounts"]["groups"]
    for person in people(on):
        about = accounts.get(person.name)
        if person.state == "present" and (about is None or about["locked"]):
            broken(f"the account {person.name} is {'locked' if about else 'absent'}")
        if person.state == "absent" and about and not about["locked"]:
            broken(f"the account {person.name} is revoked in the inventory, open on the machine")
    strangers = (set(groups["filae-operators"]) - operators(on)) | (set(groups["filae-dsi"]) - set(present(on)))
    if strangers:
        broken(f"in our groups without being in the inventory: {', '.join(sorted(strangers))}")


@check("access-keys", "OPS-08", against=("access.operators", "access.dsi"))
def test_keys(on: Target) -> None:
    """The keys on the machine, and their ends, are the inventory's."""
    wanted = {
        (name, parse_public_key(key.key).text, f"{key.until:%Y%m%d}")
        for name, person in present(on).items()
        for key in person.keys
    }
    found = {(name, key["key"], key["until"]) for name, keys in on.facts["keys"].items() for key in keys}
    if extra := sorted({name for name, *_ in found - wanted}):
        broken(f"keys that the inventory does not have, or with another end: {', '.join(extra)}")
    if missing := sorted({name for name, *_ in wanted - found}):
        broken(f"keys of the inventory that the machine does not have: {', '.join(missing)}")


@check("access-expired", "OPS-08")
def test_no_key_is_past_its_end(on: Target) -> None:
    """No key is past its end without having been removed."""
    day = f"{today(on):%Y%m%d}"
    late = {name for name, keys in on.facts["keys"].items() for key in keys if key["until"] < day}
    late |= {name for name, person in present(on).items() for key in person.keys if key.until < today(on)}
    if late:
        broken(f"a key past its end is still there: {', '.join(sorted(late))}", REVOKE)


@check("access-sudo", "OPS-08", against=("access.operators",))
def test_no_stranger_is_root(on: Target) -> None:
    """Root's rights belong to the inventory's operators alone."""
    allowed = {"root", "%sudo", "%filae-operators", "%filae-dsi", *operators(on)}
    lines = [f"{line['who']} ({line['file']})" for line in on.facts["sudoers"] if line["who"] not in allowed]
    groups = on.facts["accounts"]["groups"]
    lines += [f"{name} (group {group})" for group in ROOT_GROUPS for name in groups[group] if name not in operators(on)]
    if lines:
        broken(
            f"root's rights for: {', '.join(lines)}", "provider: remove them on the machine, and find out who gave them"
        )


@check("access-root", "OPS-08")
def test_one_root(on: Target) -> None:
    """root alone has number 0, and no account has a password."""
    accounts = on.facts["accounts"]["accounts"]
    zero = sorted(name for name, about in accounts.items() if about["uid"] == 0 and name != "root")
    if zero:
        broken(f"other accounts have number 0: {', '.join(zero)}", "provider: remove them, and find out who made them")
    people_with_password = sorted(
        name for name, about in accounts.items() if about["password"] and name in operators(on)
    )
    if people_with_password:
        broken(
            f"operators with a password: {', '.join(people_with_password)}",
            "provider: passwd --lock; keys are the only way in",
        )
