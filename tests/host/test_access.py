"""Who may enter, how, and with which rights."""

from __future__ import annotations

import datetime as dt

from filae_ops.inventory.model.access import Operator
from filae_ops.inventory.model.additions import accounts_for
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
SSHD = "/etc/ssh/sshd_config.d/00-filae.conf"
KEYS = "/etc/ssh/authorized_keys.d"
SUDOERS = ("/etc/sudoers.d/filae-operators", "/etc/sudoers.d/filae-dsi")


def today(on: Target) -> dt.date:
    return dt.datetime.fromtimestamp(on.facts["system"]["now"], dt.UTC).date()


def present(on: Target) -> dict[str, Operator]:
    return {each.name: each for each in people(on) if each.state == "present"}


def people(on: Target) -> list[Operator]:
    return [*on.inventory.access.operators, *on.inventory.access.dsi]


def operators(on: Target) -> set[str]:
    return {each.name for each in on.inventory.access.operators if each.state == "present"}


def expect_of_sshd(on: Target, wanted: dict[str, str]) -> None:
    """Compare sshd's settings; where they differ, say whether our file was changed or another one overrides it."""
    found = {name: " ".join(on.facts["sshd"].get(name) or ["unset"]) for name in wanted}
    wrong = {name: value for name, value in wanted.items() if {*found[name].split()} != {*value.split()}}
    if not wrong:
        return
    shown = [f"{name} {found[name]}" for name in wrong]
    if "include" not in on.facts.known("written").get("sshd", {}).get("/etc/ssh/sshd_config", {"include": ""}):
        broken("sshd_left_out", settings=shown)
    if files := on.set_elsewhere("sshd", SSHD, wrong):
        broken("sshd_overridden", settings=shown, files=files)
    broken("sshd_changed", settings=shown)


@check("ssh-root", "SSH-01")
def test_root_cannot_log_in(on: Target) -> None:
    """root cannot log in over SSH."""
    expect_of_sshd(on, {"permitrootlogin": "no"})


@check("ssh-keys-only", "SSH-01")
def test_keys_only(on: Target) -> None:
    """Only keys open a session, and only those that the inventory placed."""
    expect_of_sshd(on, KEYS_ONLY)


@check("ssh-forwarding", "SSH-03")
def test_no_forwarding(on: Target) -> None:
    """Forwarding is off."""
    expect_of_sshd(on, dict.fromkeys(NO_FORWARDING, "no"))


@check("ssh-groups", "SSH-03")
def test_named_groups_only(on: Target) -> None:
    """Only the two named groups may log in."""
    expect_of_sshd(on, {"allowgroups": "filae-operators filae-dsi"})


@check("access-accounts", "OPS-08", against=("access.operators", "access.dsi"))
def test_accounts(on: Target) -> None:
    """The inventory's accounts are there, the revoked ones are locked, and nobody else is in their groups."""
    accounts, groups = on.facts["accounts"]["accounts"], on.facts["accounts"]["groups"]
    for person in people(on):
        about = accounts.get(person.name)
        if person.state == "present" and about is None:
            broken("absent", name=person.name)
        if person.state == "present" and about["locked"]:
            broken("locked", name=person.name)
        if person.state == "absent" and about and not about["locked"]:
            broken("open", name=person.name)
    strangers = (set(groups["filae-operators"]) - operators(on)) | (set(groups["filae-dsi"]) - set(present(on)))
    if born := {name for name in strangers if accounts.get(name, {}).get("group", "").startswith("filae-")}:
        broken("born_in_groups", names=born)
    if strangers:
        broken("in_groups", names=strangers)


@check("access-keys", "OPS-08", against=("access.operators", "access.dsi"))
def test_keys(on: Target) -> None:
    """The keys on the machine, and their ends, are the inventory's."""
    wanted = {
        (name, parse_public_key(key.key).text, f"{key.until:%Y%m%d}")
        for name, person in present(on).items()
        for key in person.keys
    }
    found = {(name, key["key"], key["until"]) for name, keys in on.facts["keys"].items() for key in keys}
    extra = {name for name, *_ in found - wanted}
    if strangers := extra - {each.name for each in people(on)}:
        broken("strangers", files={f"{KEYS}/{name}" for name in strangers})
    if revoked := extra - set(present(on)):
        broken("revoked", names=revoked)
    if extra:
        broken("extra", names=extra)
    if missing := {name for name, *_ in wanted - found}:
        broken("missing", names=missing)


@check("access-expired", "OPS-08")
def test_no_key_is_past_its_end(on: Target) -> None:
    """No key of the inventory's people is past its end without having been removed."""
    day, mine = today(on), present(on)
    if late := {name for name, person in mine.items() for key in person.keys if key.until < day}:
        broken("declared", names=late)
    left = {
        name
        for name, keys in on.facts["keys"].items()
        for key in keys
        if name in mine and "" < key["until"] < f"{day:%Y%m%d}"
    }
    if left:
        broken("left", names=left)


@check("access-sudo", "OPS-08", against=("access.operators",))
def test_no_stranger_is_root(on: Target) -> None:
    """Root's rights belong to the inventory's operators alone, and to what it declares of others."""
    additions = on.declared.machine.additions
    allowed = {"root", "%sudo", "%filae-operators", "%filae-dsi", *operators(on)}
    strange = [line for line in on.facts["sudoers"] if line["who"] not in allowed]
    lines = [line for line in strange if accounts_for(additions, line["file"]) is None]
    if others := [f"{line['who']} ({line['file']})" for line in lines if line["file"] not in SUDOERS]:
        broken("other_files", lines=others)
    if lines:
        broken("our_files", lines=[f"{line['who']} ({line['file']})" for line in lines])
    groups = on.facts["accounts"]["groups"]
    # A declaration accounts for an account, not for what makes root of it.
    members = [f"{name} ({group})" for group in ROOT_GROUPS for name in groups[group] if name not in operators(on)]
    if members:
        broken("groups", members=members)


@check("access-root", "OPS-08")
def test_one_root(on: Target) -> None:
    """root alone has number 0, and no operator has a password."""
    accounts = on.facts["accounts"]["accounts"]
    if zero := [name for name, about in accounts.items() if about["uid"] == 0 and name != "root"]:
        broken("number_0", names=sorted(zero))
    if known := [name for name, about in accounts.items() if about["password"] and name in operators(on)]:
        broken("password", names=sorted(known))
