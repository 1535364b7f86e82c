"""`filae-ops provision`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from filae_ops.cli.options import Check, FirstAccount, Json, Key, Operator, Vault, inventory_of
from filae_ops.console import err, out, print_json, say


def provision(
    context: typer.Context,
    user: Operator = None,
    key: Key = None,
    bootstrap_user: FirstAccount = None,
    vault_password_file: Vault = None,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Bring the machines to the state that the inventory declares. Safe to run again."""
    from filae_ops.inventory.reading.load import load
    from filae_ops.playbook.refusal import refusal
    from filae_ops.playbook.run import playbook_argv, run_playbook
    from filae_ops.remote.progress import Progress
    from filae_ops.remote.ssh import Login

    inventory = inventory_of(context)
    site = load(inventory)
    extra: dict[str, Any] = Login(bootstrap_user or user, key).extra()
    if bootstrap_user:  # the operator who logs in from then on
        extra["operator"] = Login(user).user_for(next(iter(site.hosts.values())))
    hosts_file = site.directory / "hosts.yml"
    argv = playbook_argv("provision", hosts_file, extra, check=check, vault=vault_argv(vault_password_file))
    with Progress(err, f"provisioning {', '.join(site.hosts)}") as progress:
        outcome = run_playbook(argv, progress.event)
    if check:
        for change in outcome.changes:
            for text in change.get("diff", "").rstrip().splitlines() or [f"  {change['task']}"]:
                (err if as_json else out).print(text, soft_wrap=True)
    if as_json:
        print_json(outcome.document())
    if not outcome.ok:
        raise refusal(outcome, hosts_file)
    verb = "would change" if check else "changed"
    say(f"{outcome.tasks} tasks, {outcome.changed} {verb}, {outcome.seconds:.0f} s")


def vault_argv(path: Path | None) -> list[str]:
    """Return Ansible's words for a vault password in a file."""
    return ["--vault-password-file", str(path)] if path else []
