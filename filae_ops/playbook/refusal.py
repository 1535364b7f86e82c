"""A run that failed as a refusal: everything that stopped it, each with its owner."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from filae_ops.errors import INTERRUPTED, OpsError, Owner
from filae_ops.playbook.run import Outcome
from filae_ops.remote.known_messages import AGAIN, STATED, last_line, lines, together

GIVE_IT = "name its file: --vault-password-file FILE, or $ANSIBLE_VAULT_PASSWORD_FILE"
# What Ansible says of the vault, before its first task or in the one that reads the secrets.
VAULT = (
    ("no vault secrets found", "{secrets} is encrypted and no vault password was given", GIVE_IT),
    ("Decryption failed", "{secrets}: the vault password is wrong", GIVE_IT),
    ("The vault password file", "{text}", GIVE_IT),
)


def refusal(outcome: Outcome, inventory: Path) -> OpsError:
    """Return why a run failed, everything that stopped it, each with its owner."""
    if outcome.interrupted:
        return OpsError(
            f"{inventory}: interrupted by you; the machine's lock is free again",
            next_step="run the same command again: it takes up what was left",
            exit_code=INTERRUPTED,
        )
    if not outcome.failures:
        return startup(outcome.stderr, inventory)
    if problem := _vault_problem("\n".join(failure.get("message", "") for failure in outcome.failures), inventory):
        return problem
    return together(
        [
            line._replace(message=f"{failure['host']}: {line.message}")
            for failure in outcome.failures
            for line in lines(failure.get("message", ""), failure["task"])
        ]
    )


def startup(stderr: str, inventory: Path) -> OpsError:
    """Return why ansible-playbook ended before its first task."""
    if problem := _vault_problem(stderr, inventory):
        return problem
    if stated := STATED.search(stderr):
        return OpsError(
            stated["message"].strip(), owner=cast(Owner, stated["owner"]), next_step=stated["step"] or AGAIN
        )
    tail = "\n  ".join(stderr.splitlines()[-6:]) or "it printed nothing"
    return OpsError(
        f"{inventory}: ansible-playbook stopped before its first task:\n  {tail}",
        next_step="mend that, then run the same command again",
    )


def _vault_problem(text: str, inventory: Path) -> OpsError | None:
    named = re.search(r"'(/[^'\n]*/secrets\.yml)'", text)
    values: dict[str, Any] = {
        "secrets": named[1] if named else inventory.parent / "secrets.yml",
        "text": last_line(text).removeprefix("[ERROR]: "),
    }
    for sign, message, step in VAULT:
        if sign in text:
            return OpsError(message.format(**values), next_step=step)
    return None
