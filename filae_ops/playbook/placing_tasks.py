"""What the tasks of a playbook would place on each machine of an inventory; no machine is asked, no task is run.

A process of its own, since Ansible changes the process that it runs in. Ansible itself reads playbook, roles and
inventory here, finds the variables and fills the templates in.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook import Playbook
from ansible.playbook.block import Block
from ansible.playbook.task import Task
from ansible.plugins.loader import add_all_plugin_dirs, init_plugin_loader, lookup_loader
from ansible.template import Templar
from ansible.vars.manager import VariableManager

# Given with -e, it outweighs the variable that reads the vault: no secret is needed to know owner and mode.
NO_SECRETS = {"__secrets": {"tls_key": "", "app_secrets": {}}}
PLACING = ("place_files", "confirmed_change")
# As place_files and confirmed_change have them.
MODES = {"directory": "0755", "file": "0644"}
CONFIRMED = "0600"
MADE_ONCE = re.compile(r"[A-Za-z0-9]{32}")


def main() -> None:
    """Print the placements of each machine as JSON, or leave with why they cannot be known."""
    hosts_file, playbook = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # where Ansible may write
    try:
        found = placements(hosts_file, playbook)
    except AnsibleError as error:
        sys.exit(str(error))
    json.dump(found, answers)
    answers.close()


def placements(hosts_file: str, playbook: str) -> dict[str, list[dict[str, Any]]]:
    """Return what each machine would have, in the order of the tasks."""
    folder = str(Path(playbook).parent)
    _start(["ansible-playbook", "-i", hosts_file, playbook, "-e", json.dumps(NO_SECRETS)], folder)
    loader = DataLoader()
    loader.set_basedir(folder)
    inventory = InventoryManager(loader=loader, sources=[hosts_file])
    variables = VariableManager(loader=loader, inventory=inventory)
    found: dict[str, list[dict[str, Any]]] = {}
    for play in Playbook.load(playbook, variable_manager=variables, loader=loader).get_plays():
        play.post_validate(Templar(loader, variables=variables.get_vars(play=play)))
        tasks = [task for block in play.compile() for task in _tasks(block)]
        for host in inventory.get_hosts(play.hosts):
            of_task = partial(variables.get_vars, play=play, host=host)
            found.setdefault(host.name, []).extend(_of_host(tasks, loader, of_task))
    return found


def _start(arguments: list[str], folder: str) -> None:
    """Make Ansible ready, as this command line would."""
    PlaybookCLI(arguments).parse()
    init_plugin_loader()
    add_all_plugin_dirs(folder)
    # The lookup copies all variables deeply for each template, which changes none of them: half of the time here.
    lookup = lookup_loader.get("ansible.builtin.template", class_only=True)
    vars(sys.modules[lookup.__module__])["deepcopy"] = copy.copy


def _of_host(tasks: list[Task], loader: DataLoader, of_task: Callable[..., Any]) -> Iterator[dict[str, Any]]:
    """Give what the tasks place on a host, and once for each role what its other tasks write."""
    roles: set[str] = set()
    for task in tasks:
        new = _role(task) not in roles
        if task.action in PLACING or new:
            templar = Templar(loader, variables=of_task(task=task))
            yield from _written(task, templar, loader) if new else ()
            yield from _placed(task, templar)
            roles.add(_role(task))


def _tasks(block: Block) -> Iterator[Task]:
    for inner in block.block:
        if isinstance(inner, Block):
            yield from _tasks(inner)
        else:
            yield inner


def _placed(task: Task, templar: Templar) -> Iterator[dict[str, Any]]:
    """Give what a task of one of our two modules would place, unless its conditions keep it from running."""
    if task.action == "place_files" and _runs(task, templar):
        given = templar.template(task.args)
        for kind, key in (("directory", "directories"), ("file", "files"), ("link", "links")):
            for entry in given.get(key, ()):
                yield _row(task, kind, entry)
    if task.action == "confirmed_change" and task.args["state"] == "applied" and _runs(task, templar):
        given = templar.template(task.args)
        for suffix, more in (("", {"content": given["content"]}), (".live", {}), (".previous", {"optional": True})):
            yield _row(task, "file", {"path": given["path"] + suffix, "mode": CONFIRMED, **more})


def _written(task: Task, templar: Templar, loader: DataLoader) -> Iterator[dict[str, Any]]:
    """Give what the other tasks of a task's role write: its own table of them, if it has one.

    What they do not write as the inventory is now, they may have left when it was otherwise.
    """
    table = Path(task._role._role_path, "meta/writes.yml") if task._role else None
    if table and table.is_file():
        stated = loader.load_from_file(str(table), trusted_as_template=True)
        left = not templar.evaluate_conditional(stated.get("when", True))
        for entry in stated["paths"]:
            yield _row(task, entry["kind"], {**entry, "optional": left or entry.get("optional", False)})


def _runs(task: Task, templar: Templar) -> bool:
    return all(templar.evaluate_conditional(condition) for condition in task.when)


def _row(task: Task, kind: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "path": entry["path"], "kind": kind, "user": entry.get("owner", "root"), "group": entry.get("group", "root"),
        "mode": "0777" if kind == "link" else f"{int(entry.get('mode', MODES[kind]), 8):04o}",
        "sha256": _sha256(entry), "target": entry.get("target"), "role": _role(task),
        "optional": entry.get("optional", False),
    }  # fmt: skip


def _sha256(entry: Mapping[str, Any]) -> str | None:
    """Return the digest of a file's bytes; None for a secret, for what the machine writes itself, and for no file.

    Of a file that is kept for the secret which provisioning made once, it is that of the text around the secret.
    """
    if entry.get("secret") and entry.get("keep"):
        return hashlib.sha256(MADE_ONCE.sub("", entry["content"]).encode()).hexdigest()
    if entry.get("secret") or entry.get("keep"):
        return None
    if "src64" in entry:
        return hashlib.sha256(base64.b64decode(entry["src64"])).hexdigest()
    return hashlib.sha256(entry["content"].encode()).hexdigest() if "content" in entry else None


def _role(task: Task) -> str:
    return task._role.get_name() if task._role else ""


if __name__ == "__main__":
    main()
