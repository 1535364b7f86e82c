"""What a role writes of a value goes through a writer: no template, and no file's name, takes it as it was given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import jinja2.nodes as n
import pytest
from templates.rendering import ROLES, document

from filae_ops.writers.filters import FILTERS

ENVIRONMENT = jinja2.Environment(trim_blocks=True)
# Filters of Ansible and Jinja whose result is data in a grammar of its own, whole and escaped.
DATA = {"to_nice_json", "to_json", "b64encode"}
# Expressions that stand for a whole file or a whole value, never for a part of a line.
WHOLE = re.compile(r"lookup\('ansible\.builtin\.(template|file|pipe)'.*\)|tls_key")


def written(node: n.Node, bound: frozenset[str]) -> bool:
    """Tell whether an expression's value was parsed by a writer; `bound`: names that hold a writer's results."""
    if isinstance(node, n.Const):
        return True
    if isinstance(node, n.CondExpr):
        return written(node.expr1, bound) and (node.expr2 is None or written(node.expr2, bound))
    if isinstance(node, n.Name):
        return node.name in bound
    if not isinstance(node, n.Filter):
        return False
    if node.name == "join":
        return written(node.node, bound)
    if node.name == "map":
        return isinstance(node.args[0], n.Const) and node.args[0].value in FILTERS
    return node.name in FILTERS or node.name in DATA


def raw(text: str) -> list[str]:
    """Return what a template puts out as it was given, by line."""
    return list(_raw(ENVIRONMENT.parse(text), frozenset()))


def _raw(node: n.Node, bound: frozenset[str]) -> Iterator[str]:
    if isinstance(node, n.Output):
        for part in node.nodes:
            if not isinstance(part, n.TemplateData) and not written(part, bound):
                yield f"line {part.lineno}: {part}"
        return
    if isinstance(node, n.For) and isinstance(node.target, n.Name) and written(node.iter, bound):
        bound |= {node.target.name}
    for child in node.iter_child_nodes():
        yield from _raw(child, bound)


@pytest.mark.parametrize("path", sorted(ROLES.glob("*/templates/*")), ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_a_template_puts_out_what_a_writer_parsed(path: Path) -> None:
    assert raw(path.read_text()) == []


@pytest.mark.parametrize(
    "template",
    [
        "server {{ source }} iburst", "{{ names | join(' ') }}", "{{ names | map('upper') | join }}",
        "{{ a ~ (b | apt_url) }}",
        "{% for x in names %}{{ x }}{% endfor %}", "{{ a if b else c | apt_url }}", "{{ (a | apt_url) | upper }}",
    ],
)  # fmt: skip
def test_a_value_as_it_was_given_is_seen(template: str) -> None:
    assert raw(template)


def placed(value: Any) -> Iterator[str]:
    """Return the contents, places and targets of files that tasks and variables state themselves."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("content", "path", "target") and isinstance(inner, str):
                yield inner
            yield from placed(inner)
    for inner in value if isinstance(value, list) else ():
        yield from placed(inner)


@pytest.mark.parametrize("path", sorted([*ROLES.glob("*/tasks/*.yml"), *ROLES.glob("*/vars/*.yml")]), ids=str)
def test_a_task_places_what_a_writer_parsed(path: Path) -> None:
    for text in placed(document(path)):
        for expression in re.findall(r"\{\{(.*?)\}\}", text, re.S):
            assert WHOLE.fullmatch(expression.strip()) or raw(f"{{{{{expression}}}}}") == [], f"{path}: {text}"
