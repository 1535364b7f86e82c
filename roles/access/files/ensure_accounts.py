# Makes the named accounts and locks the revoked ones; prints `changed: …` for each change, nothing when all is so.
# Read from standard input after a line `PEOPLE = "<JSON>"`; the argument is `check` or `apply`.
import grp
import json
import os
import pwd
import re
import signal
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


def refuse_system_account(name):
    """Refuse a name that the system uses for itself (login.defs(5): people have 1000 to 60000)."""
    there = account(name)
    if there and not 1000 <= there.pw_uid <= 60000:
        sys.exit(
            "%s is an account of the system (uid %d), not a person's\n  who acts: provider\n"
            "  next: give that person another name in access.yml" % (name, there.pw_uid)
        )


def usable(name):
    """Return whether the account is neither expired nor locked by `revoke`."""
    with open("/etc/shadow", encoding="utf-8") as handle:
        fields = next((entry.split(":") for entry in handle if entry.startswith(name + ":")), None)
    return fields is None or fields[7].strip() != "1"


def end_sessions(name):
    """End what runs as `name`: sudo asks the groups that a session has, not those that the account has now."""
    found = account(name)
    if not APPLY or not found or name == os.environ.get("SUDO_USER"):  # this very session ends with the run
        return
    subprocess.run(["loginctl", "terminate-user", name], capture_output=True, check=False)
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.stat("/proc/" + entry).st_uid == found.pw_uid:
                os.kill(int(entry), signal.SIGKILL)
        except OSError:  # it has just ended
            pass


def leave(group, name, why=""):
    change("%s leaves %s%s" % (name, group, why), "gpasswd", "--delete", name, group)
    end_sessions(name)


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
            leave(other, name)


def revoke(person):
    name = person["name"]
    if account(name) is None:
        return
    for group in GROUPS:
        if name in members(group):
            leave(group, name)
    if usable(name):
        # Expired rather than removed: the journal keeps naming the person.
        change("account %s revoked" % name, "usermod", "--lock", "--expiredate", "1", name)
        end_sessions(name)


listed = {each["name"] for each in json.loads(PEOPLE)}  # noqa: F821
if not all(re.fullmatch("[a-z][a-z0-9_-]{0,31}", name) for name in listed):
    sys.exit("a name that is no account's: %r\n  who acts: provider\n  next: correct access.yml" % sorted(listed))
for name in sorted(listed):
    refuse_system_account(name)
for each in GROUPS:
    try:
        grp.getgrnam(each)
    except KeyError:
        change("group %s made" % each, "groupadd", "--system", each)
for each in json.loads(PEOPLE):  # noqa: F821
    revoke(each) if each.get("state", "present") == "absent" else present(each)
# Whoever left the inventory without a word loses the rights too.
for group in GROUPS:
    for name in sorted(members(group) - listed):
        leave(group, name, ": not in the inventory")
