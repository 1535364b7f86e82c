"""The machines of a play, once the inventory was read as data and found right: nothing of it is applied before."""

from __future__ import annotations

import sys
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

DOCUMENTATION = r"""
name: filae_machines
short_description: The group of machines, of an inventory that the model accepts
description:
  - A play's C(hosts) asks this before anything connects or is templated. It reads hosts.yml and group_vars/all as
    C(filae-ops review) does, and fails with what the review would say.
options:
  _terms: {description: the play's C(ansible_inventory_sources), required: true}
"""

HOME = next(place for place in Path(__file__).resolve().parents if (place / "filae_ops/writers/filters.py").is_file())
CONFIG = Path(__file__).resolve().parents[2] / "ansible.cfg"
GROUP = "filae"
OURS = ("evidence", "group_vars", "hosts.yml", "secrets.yml", "tls")


def other_sources(source):
    """Return what Ansible would read as an inventory of its own, in a directory, and no review shows."""
    names = sorted(path.name for path in source.iterdir()) if source is not None and source.is_dir() else []
    return [name for name in names if name not in OURS and not name.startswith(".")]


class LookupModule(LookupBase):
    """Reads the inventory with the toolkit's own model."""

    def run(self, terms, variables=None, **kwargs):
        """Return the name of the group."""
        (sources,) = terms
        if constants.CONFIG_FILE is None or Path(constants.CONFIG_FILE).resolve() != CONFIG:
            raise AnsibleError(
                f"Ansible is set by {constants.CONFIG_FILE or 'no file'}, not by {CONFIG}:\n"
                "what a machine answers could become a variable\n  who acts: provider\n"
                f"  next: export ANSIBLE_CONFIG={CONFIG}, or run from its folder, which only you may write to"
            )
        source = Path(str(sources[0])) if len(sources) == 1 else None
        if source is None or other_sources(source):
            raise AnsibleError(
                f"one inventory is wanted, not {', '.join(map(str, [*sources, *other_sources(source)])) or 'none'}\n"
                "  who acts: provider\n  next: give its file: -i DIR/hosts.yml"
            )
        if str(HOME) not in sys.path:
            sys.path.insert(0, str(HOME))
        try:
            from filae_ops.agent.system.plain_text import plain
            from filae_ops.errors import OpsError
            from filae_ops.inventory.reading.load import applied
        except ImportError as error:
            raise AnsibleError(
                f"this Python lacks what reads the inventory: {error}\n  who acts: provider\n"
                f"  next: run the ansible-playbook of the toolkit: {HOME}/.venv/bin/ansible-playbook"
            ) from None
        try:
            applied(source)
        except OpsError as error:
            raise AnsibleError(plain(str(error))) from None
        return [GROUP]
