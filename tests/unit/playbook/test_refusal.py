"""Each known message of ssh, sudo and Ansible becomes what failed, who acts and the next step."""

from __future__ import annotations

from pathlib import Path

import pytest

from filae_ops.errors import OpsError
from filae_ops.playbook.refusal import VAULT, refusal
from filae_ops.playbook.run import Outcome
from filae_ops.remote.known_messages import KNOWN, last_line, lines

INVENTORY = Path("/site/hosts.yml")
REACH = 'Task failed: Data could not be sent to remote host "192.0.2.1". Make sure this host can be reached over ssh: '
CHANGED = """@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @
The fingerprint for the ED25519 key sent by the remote host is
SHA256:8uY+SBfp5bM00Qe7Ny/07d6SKlv+ER0K0/Pw2SSjktk.
Please contact your system administrator.
Host key for m has changed and you have requested strict checking.
Host key verification failed.
"""

# what was printed, a part of the message, owner, a part of the next step
MESSAGES = [
    ("'host_key' is undefined", "gives no `host_key`", "provider", "ssh_host_ed25519_key.pub"),
    (f"{REACH}No ED25519 host key is known for m and you have requested it.\nHost key verification failed.",
     "is not one of this machine's", "dsi", "console"),
    (REACH + CHANGED, "host key SHA256:8uY+SBfp5bM00Qe7Ny/07d6SKlv+ER0K0/Pw2SSjktk is not the `host_key`", "dsi",
     "only if the DSI confirms"),
    ("Host key verification failed.", "SSH host key is not the `host_key`", "dsi", "console"),
    (f"{REACH}bob@192.0.2.1: Permission denied (publickey).", "(bob@192.0.2.1: Permission denied (publickey).)",
     "provider", "--bootstrap-user"),
    ("sudo: a password is required", "no sudo without a password", "dsi", "NOPASSWD"),
    ("Missing sudo password", "no sudo without a password", "dsi", "NOPASSWD"),
    ("bob is not in the sudoers file.", "no sudo at all", "dsi", "NOPASSWD"),
    ("Sorry, user bob may not run sudo on m.", "no sudo at all", "dsi", "NOPASSWD"),
    ("bash: line 1: sudo: command not found", "has no sudo", "dsi", "apt-get install sudo"),
    ("/bin/sh: 1: sudo: not found", "has no sudo", "dsi", "apt-get install sudo"),
    ("/bin/sh: 1: /usr/bin/python3: not found", "has no python3", "dsi", "apt-get install python3"),
    (f"{REACH}ssh: connect to host 192.0.2.1 port 22: Connection timed out", "(ssh: connect to host 192.0.2.1 port",
     "dsi", "open TCP 22"),
    ("ssh: connect to host 192.0.2.1 port 22: No route to host", "no route to the machine (ssh: ", "dsi", "address"),
    ("ssh: connect to host 2001:db8::1 port 22: Network is unreachable", "2001:db8::1", "dsi", "routes"),
    ("ssh: connect to host 192.0.2.1 port 22: Connection refused", "nothing listens", "dsi", "start sshd"),
    ("ssh: Could not resolve hostname m.example: Name or service not known", "m.example", "dsi", "DNS record"),
]  # fmt: skip


def failed(message: str, host: str = "m", task: str = "role : Do it") -> dict[str, str]:
    return {"host": host, "task": task, "message": message}


@pytest.mark.parametrize(("text", "said", "owner", "step"), MESSAGES, ids=[row[0][-60:] for row in MESSAGES])
def test_a_known_message(text: str, said: str, owner: str, step: str) -> None:
    error = refusal(Outcome(status=4, failures=[failed(text)]), INVENTORY)
    assert str(error.args[0]).startswith("m: ")
    assert said in str(error.args[0])
    assert error.owner == owner
    assert step in error.next_step


def test_every_known_sign_has_its_row() -> None:
    reached = {next(sign for sign, *_ in KNOWN if sign in text) for text, *_ in MESSAGES}
    assert reached == {sign for sign, *_ in KNOWN}


SAID_OF_THE_VAULT = [
    ("[ERROR]: Unable to access the file '/site/secrets.yml': Attempting to decrypt but no vault secrets found.",
     "/site/secrets.yml is encrypted and no vault password was given"),
    ("[ERROR]: Decryption failed (no vault secrets were found that could decrypt).",
     "/site/secrets.yml: the vault password is wrong"),
    ("[ERROR]: The vault password file /absent was not found", "The vault password file /absent was not found"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), SAID_OF_THE_VAULT, ids=[row[1][:40] for row in SAID_OF_THE_VAULT])
def test_a_vault_that_stays_closed(text: str, said: str) -> None:
    """Said before the first task, or by the one that reads the secrets."""
    for outcome in (Outcome(status=1, stderr=text), Outcome(status=2, failures=[failed(text)])):
        error = refusal(outcome, INVENTORY)
        assert said in str(error.args[0])
        assert "--vault-password-file" in error.next_step
    assert len(SAID_OF_THE_VAULT) == len(VAULT)


def test_an_inventory_that_is_refused_before_the_first_task_says_who_acts() -> None:
    refused = OpsError("hosts.yml:4: a template, not a value", owner="dsi", next_step="write the value")
    error = refusal(Outcome(status=4, stderr=f"[ERROR]: {refused}\nOrigin: playbooks/deploy.yml"), INVENTORY)
    assert error.owner == "dsi"
    assert error.next_step == "write the value"


@pytest.mark.parametrize("stderr", ["", "[ERROR]: the playbook could not be found"])
def test_an_unknown_end_keeps_ansibles_words(stderr: str) -> None:
    error = refusal(Outcome(status=1, stderr=stderr), INVENTORY)
    assert str(INVENTORY) in str(error.args[0])
    assert stderr in str(error.args[0])
    assert error.next_step


def test_the_refusals_of_a_role_keep_each_its_owner_and_step() -> None:
    text = (
        "nothing was touched, for:\nmemory: 1 MiB\n  who acts: dsi\n  next: give memory\n"
        "dpkg is locked\n  who acts: provider\n  next: wait\n"
    )
    error = refusal(Outcome(status=2, failures=[failed(text)]), INVENTORY)
    assert "2 reasons to stop" in str(error.args[0])
    assert "m: memory: 1 MiB\n    who acts: dsi; next: give memory" in str(error.args[0])
    assert "m: dpkg is locked\n    who acts: provider; next: wait" in str(error.args[0])
    assert error.owner == "shared"


def test_one_refusal_of_a_role_is_said_plainly() -> None:
    text = str(OpsError("the certificate expired", owner="dsi", next_step="ask for another"))
    error = refusal(Outcome(status=2, failures=[failed(text)]), INVENTORY)
    assert str(error) == "m: the certificate expired\n  who acts: dsi\n  next: ask for another"


def test_several_machines_are_all_named() -> None:
    refused = "ssh: connect to host x port 22: Connection refused"
    error = refusal(Outcome(status=4, failures=[failed(refused, "a"), failed(refused, "b")]), INVENTORY)
    assert "a: nothing listens" in str(error.args[0])
    assert "b: nothing listens" in str(error.args[0])
    assert error.owner == "dsi"


def test_an_unknown_failure_names_its_task_and_keeps_its_words() -> None:
    (line,) = lines("boom", "role : Do it")
    assert (line.message, line.owner) == ("role : Do it: boom", "provider")
    assert "again" in line.step


def test_an_interrupt_is_no_failure() -> None:
    error = refusal(Outcome(status=130, interrupted=True), INVENTORY)
    assert error.exit_code == 130
    assert "again" in error.next_step


def test_the_last_line_of_nothing() -> None:
    assert last_line(" \n") == ""


def test_the_words_of_our_own_filters_are_said_without_ansible_s_about_them() -> None:
    stated = OpsError("secrets.yml: 'x' is not one of app_secrets and tls_key", next_step="keep these names alone")
    text = f"Task failed: Error while evaluating conditional: The filter plugin 'supplied_secrets' failed: {stated}"
    error = refusal(Outcome(status=2, failures=[failed(text)]), INVENTORY)
    assert str(error.args[0]) == "m: secrets.yml: 'x' is not one of app_secrets and tls_key"
