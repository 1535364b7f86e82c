# Makes the named accounts and locks the revoked ones; prints `changed: …` for each change, nothing when all is so.
# Read from standard input after a line `PEOPLE = "<JSON>"`; the argument is `check` or `apply`.
import grp
import json
import pwd
import subprocess
import sys

GROUPS = ("filae-operators", "filae-dsi")
APPLY = sys.argv[1] == "apply"


def change(why, *argv):
    print("changed: " + why)
    if APPLY:
        subprocess.run(argv, check=True)


def members(group):
    try:
        return set(grp.getgrnam(group).gr_mem)
    except KeyError:
        return set()


def account(name):
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def usable(name):
    """Return whether the account is neither expired nor locked by `revoke`."""
    with open("/etc/shadow", encoding="utf-8") as handle:
        fields = next((entry.split(":") for entry in handle if entry.startswith(name + ":")), None)
    return fields is None or fields[7].strip() != "1"


def present(person):
    name, group = person["name"], person["group"]
    if account(name) is None:
        change("account %s made" % name, "useradd", "--create-home", "--shell", "/bin/bash", name)
    elif not usable(name):
        change("account %s open again" % name, "usermod", "--expiredate", "", name)
    if name not in members(group):
        change("%s joins %s" % (name, group), "usermod", "--append", "--groups", group, name)
    for other in GROUPS:
        if other != group and name in members(other):
            change("%s leaves %s" % (name, other), "gpasswd", "--delete", name, other)


def revoke(person):
    name = person["name"]
    if account(name) is None:
        return
    for group in GROUPS:
        if name in members(group):
            change("%s leaves %s" % (name, group), "gpasswd", "--delete", name, group)
    if usable(name):
        # Expired rather than removed: the journal keeps naming the person.
        change("account %s revoked" % name, "usermod", "--lock", "--expiredate", "1", name)
        if APPLY:
            subprocess.run(["loginctl", "terminate-user", name], check=False)


for each in GROUPS:
    try:
        grp.getgrnam(each)
    except KeyError:
        change("group %s made" % each, "groupadd", "--system", each)
for each in json.loads(PEOPLE):  # noqa: F821
    revoke(each) if each.get("state", "present") == "absent" else present(each)
# Whoever left the inventory without a word loses the rights too.
listed = {each["name"] for each in json.loads(PEOPLE)}  # noqa: F821
for group in GROUPS:
    for name in sorted(members(group) - listed):
        change("%s leaves %s: not in the inventory" % (name, group), "gpasswd", "--delete", name, group)
