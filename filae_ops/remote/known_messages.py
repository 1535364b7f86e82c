"""Turn what a failed run printed into what a person can act on: value, owner, next step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, cast

from filae_ops.errors import OpsError, Owner

AGAIN = "run the same command again once it is mended: finished tasks change nothing"
# The form of OpsError, which roles, modules and the agent print too, and which reads well under plain ansible-playbook.
STATED = re.compile(
    r"(?P<message>\S.*)\n[ \t]*who acts: (?P<owner>dsi|provider|host|dpo|shared)(?:\n[ \t]*next: (?P<step>.+))?"
)
# What Ansible says before the words of a filter or a lookup of ours.
_WRAPPED = re.compile(r"^.*The (?:filter|lookup) plugin '\w+' failed: ", re.M)
SHOWN = re.compile(r"key sent by the remote host is\s+(SHA256:[\w+/]+)")


class Line(NamedTuple):
    """One thing that stops a run."""

    message: str
    owner: Owner
    step: str


ALLOW_SUDO = "let this account use sudo without a password (NOPASSWD) until the first provisioning has ended"
AT_CONSOLE = "read the key at the machine's console: cat /etc/ssh/ssh_host_ed25519_key.pub"

# What ssh, sudo and Ansible print; the first sign that is found speaks. `{text}` is the last line printed,
# `{shown}` the host key that the machine shows.
KNOWN = (
    ("'host_key' is undefined", "the inventory gives no `host_key` for this machine", "provider",
     f"write `host_key` in hosts.yml; {AT_CONSOLE}"),
    ("No ED25519 host key is known", "the `host_key` of the inventory is not one of this machine's", "dsi",
     f"{AT_CONSOLE}; correct hosts.yml only if the DSI confirms it"),
    ("Host key verification failed", "the machine's SSH host key{shown} is not the `host_key` of the inventory", "dsi",
     f"{AT_CONSOLE}; correct hosts.yml only if the DSI confirms the change"),
    ("Permission denied (", "the machine refuses this account or key ({text})", "provider",
     "check --user, --key and the key's end date; at first contact give --bootstrap-user"),
    ("a password is required", "the account has no sudo without a password", "dsi", ALLOW_SUDO),
    ("Missing sudo password", "the account has no sudo without a password", "dsi", ALLOW_SUDO),
    ("is not in the sudoers file", "the account has no sudo at all", "dsi", ALLOW_SUDO),
    ("may not run sudo", "the account has no sudo at all", "dsi", ALLOW_SUDO),
    ("sudo: command not found", "the machine has no sudo", "dsi", "as root on the machine: apt-get install sudo"),
    ("sudo: not found", "the machine has no sudo", "dsi", "as root on the machine: apt-get install sudo"),
    ("/usr/bin/python3: not found", "the machine has no python3", "dsi",
     "as root on the machine: apt-get install python3"),
    ("timed out", "no answer on SSH ({text})", "dsi",
     "check that the machine is on; open TCP 22 to it from the administration network"),
    ("No route to host", "no route to the machine ({text})", "dsi", "check the machine's address, and that it is on"),
    ("Network is unreachable", "no route to the machine ({text})", "dsi",
     "check the machine's address and this host's routes"),
    ("Connection refused", "nothing listens for SSH ({text})", "dsi", "start sshd on the machine, check the port"),
    ("Could not resolve hostname", "its name does not resolve ({text})", "dsi",
     "correct ansible_host, or create the DNS record"),
)  # fmt: skip


def lines(text: str, task: str) -> list[Line]:
    """Return what a failed task says: its own refusals, else what is known of its words, else all of them."""
    text = _WRAPPED.sub("", text)
    stated = [
        Line(found["message"].strip(), cast(Owner, found["owner"]), found["step"] or AGAIN)
        for found in STATED.finditer(text)
    ]
    known_one = known(text)
    return stated or ([known_one] if known_one else [Line(f"{task}: {text}", "provider", AGAIN)])


def known(text: str) -> Line | None:
    """Return the refusal behind the words of ssh, sudo or Ansible, if they are known."""
    for sign, message, owner, step in KNOWN:
        if sign in text:
            found = SHOWN.search(text)
            said = message.format(text=last_line(text), shown=f" {found[1]}" if found else "")
            return Line(said, cast(Owner, owner), step)
    return None


def together(found: Sequence[Line]) -> OpsError:
    """Return one error for all the lines; several keep each its owner and its next step."""
    if len(found) == 1:
        return OpsError(found[0].message, owner=found[0].owner, next_step=found[0].step)
    text = [f"{len(found)} reasons to stop:"]
    for line in found:
        text += [f"  {line.message}", f"    who acts: {line.owner}; next: {line.step}"]
    owners = {line.owner for line in found}
    return OpsError(
        "\n".join(text),
        owner=found[0].owner if len(owners) == 1 else "shared",
        next_step="mend these, then run the same command again",
    )


def last_line(text: str) -> str:
    """Return the last line that is not empty, without what Ansible says before ssh's own words."""
    last = text.strip().splitlines()[-1].strip() if text.strip() else ""
    return last.rpartition("over ssh: ")[2].rpartition("via ssh: ")[2]
