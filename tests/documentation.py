"""Write docs/reference from the code: `.venv/bin/python tests/documentation.py`; a test fails when they differ."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main
import yaml

ROOT = Path(__file__).parents[1]
NOTE = "<!-- Written by tests/documentation.py from the code. -->\n"


def commands() -> str:
    """Return every command with its options, as the command line itself has them."""
    from filae_ops.cli import app

    root = typer.main.get_command(app)
    lines = [
        NOTE,
        "# Commands\n",
        "`filae-ops [-i INVENTORY] COMMAND`; exit status 0 done, 1 refused or failed, 2 wrong",
    ]
    lines += ["usage, 3 a verdict below what was asked, 130 interrupted.\n"]
    for path, command in _walk("filae-ops", root):
        summary = (command.help or "").strip().split("\n\n")[0].replace("\n", " ")
        arguments = " ".join(_argument(each) for each in command.params if each.param_type_name == "argument")
        lines.append(f"## `{' '.join(filter(None, [path, arguments]))}`\n\n{summary}\n")
        rows = [_option(each) for each in command.params if each.param_type_name == "option" and each.name != "help"]
        if rows:
            lines.append("| option | what | environment |\n|--|--|--|\n" + "\n".join(rows) + "\n")
    return "\n".join(lines)


def _walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", {})
    for name, each in inner.items():
        yield from _walk(f"{path} {name}", each)
    if not inner:
        yield path, command


def _argument(each: Any) -> str:
    name = (each.metavar or each.name.upper()) + ("..." if each.nargs == -1 else "")
    return name if each.required else f"[{name}]"


def _option(each: Any) -> str:
    words = ", ".join(f"`{name}{f' {each.metavar}' if each.metavar else ''}`" for name in each.opts)
    return f"| {words} | {' '.join((each.help or '').split())} | {f'`${each.envvar}`' if each.envvar else ''} |"


def roles() -> str:
    """Return every role with its variables, from its argument specification and its defaults."""
    lines = [NOTE, "# Roles and their variables\n"]
    lines += ["`playbooks/group_vars/all.yml` maps the inventory's fields to these variables, once.\n"]
    for specification in sorted(ROOT.glob("roles/*/meta/argument_specs.yml")):
        role = specification.parents[1]
        defaults = role / "defaults/main.yml"
        values = yaml.safe_load(defaults.read_text()) if defaults.exists() else {}
        for entry, spec in yaml.safe_load(specification.read_text())["argument_specs"].items():
            title = role.name if entry == "main" else f"{role.name} ({entry})"
            lines.append(f"## {title}\n\n{spec['short_description']}.\n")
            rows = [_variable(name, option, values or {}) for name, option in spec.get("options", {}).items()]
            if rows:
                lines.append("| variable | type | what | default |\n|--|--|--|--|\n" + "\n".join(rows) + "\n")
    return "\n".join(lines)


def _variable(name: str, option: dict[str, Any], values: dict[str, Any]) -> str:
    default = f"`{values[name]}`" if name in values else "required"
    return f"| `{name}` | {option['type']} | {option['description']} | {default} |"


def requirements() -> str:
    """Return the register, theme by theme: who answers, what `review` and `verify` go by, where it was read."""
    from filae_ops.register.lookup import requirements as register
    from filae_ops.register.lookup import themes

    intro = "`filae-ops requirements show ID` explains one; `observed`: a check of `verify` measures it.\n"
    lines = [NOTE, "# Requirements\n", intro]
    for theme in themes().values():
        rows = [each for each in register().values() if each.theme == theme.id]
        lines.append(f"## {theme.id}: {theme.en}\n")
        lines.append("| id | owner | severity | title | evidence | source |\n|--|--|--|--|--|--|")
        lines += [_requirement(each) for each in rows]
        lines.append("")
    return "\n".join(lines)


def _requirement(each: Any) -> str:
    evidence = ["declared"] * bool(each.declared) + ["observed"] * bool(each.observed_en)
    source = f"{each.cited} ({each.dated})" if each.dated else each.cited
    return f"| {each.id} | {each.owner} | {each.severity} | {each.title_en} | {', '.join(evidence)} | {source} |"


def checks() -> str:
    """Return the checks of a machine: what holds when each passes, and who answers for it."""
    from filae_ops.register.lookup import requirement

    lines = [NOTE, "# Checks of a machine\n", "| id | owner | what holds | requirement | file |\n|--|--|--|--|--|"]
    for path in sorted((ROOT / "tests/host").glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                name, needed = (ast.literal_eval(word) for word in node.decorator_list[0].args)  # type: ignore[attr-defined]
                words = ast.get_docstring(node)
                lines.append(f"| `{name}` | {requirement(needed).owner} | {words} | {needed} | {_link(path)} |")
    return "\n".join(lines) + "\n"


def _link(path: Path) -> str:
    return f"[{path.name}](../../{path.relative_to(ROOT)})"


def inventory() -> str:
    """Return every field that an inventory may declare, from the model and the register."""
    from filae_ops.inventory.writing.field_tree import machine, sections

    lines = [NOTE, *INVENTORY]
    for node in sections():
        lines.append(f"## `{node.path}`\n\n{node.meaning} {'Required.' if node.required else 'Optional.'}\n")
        lines += _fields([node] if not list(node.children()) else list(node.children()))
    lines.append("## A machine of hosts.yml\n\nWhat stands below `machine:` is written `machines[]` here.\n")
    lines += _fields(machine())
    return "\n".join(lines)


INVENTORY = [
    "# The inventory\n",
    "One directory per site and environment: `hosts.yml` and `group_vars/all/*.yml`, whose files hold these sections",
    "in any order. `filae-ops init` writes those that the hosting model needs; `filae-ops schema` says the same to",
    "editors.\n",
    "- An optional field that is left out, or written `a-renseigner`, is to document: the review asks for it. A few",
    "  are applied to the machine as they are written: there, and in a required field, `a-renseigner` is refused.",
    "- `null` (where the type says so), `false` or an empty list is a declaration: there is none.",
    "- A document is `{file: PATH, date: YYYY-MM-DD}`, its date optional. Every path lies inside of the inventory.",
    "- Dates are `YYYY-MM-DD`, countries ISO 3166 codes of two letters.\n",
]


def _fields(nodes: list[Any]) -> list[str]:
    from filae_ops.inventory.writing.field_tree import deciding, readers, walk

    rows = ["| field | type | required | what | read by | decides whether these apply |", "|--|--|--|--|--|--|"]
    for node in walk(nodes):
        if _is_part_of_a_document(node.path):
            continue
        kind = node.words + (" · null" if node.nullable else "")
        read, decided = (", ".join(names(node.path)) for names in (readers, deciding))
        needed = "yes" if node.required else ""
        rows.append(f"| `{node.path}` | {kind} | {needed} | {node.meaning} | {read} | {decided} |")
    return [*rows, ""]


def _is_part_of_a_document(path: str) -> bool:
    from filae_ops.inventory.writing.field_tree import find

    above = find(path.rpartition(".")[0])
    return above is not None and above.words == "document"


def example_review() -> str:
    """Return the review of the counter-example, in French, on a fixed day: what a DSI receives."""
    from examples import AS_OF

    from filae_ops.inventory.reading.load import load
    from filae_ops.inventory.reading.yaml_files import read
    from filae_ops.report.review.one_site import review_of
    from filae_ops.report.review.provenance import Provenance
    from filae_ops.report.review.review_page import markdown

    path = ROOT / "inventories" / "counter-example"
    inventory = load(path, reader=lambda _: read(path).hostvars())
    # No commit: a file cannot hold the name of the commit that holds it.
    return NOTE + markdown(review_of(inventory, AS_OF, "fr", origin=Provenance(inventory.fingerprint)))


PAGES = {
    "inventory.md": inventory, "commands.md": commands, "roles.md": roles, "requirements.md": requirements,
    "checks.md": checks, "../fr/exemple-de-revue.md": example_review,
}  # fmt: skip

if __name__ == "__main__":
    for name, write in PAGES.items():
        (ROOT / "docs/reference" / name).write_text(write())
