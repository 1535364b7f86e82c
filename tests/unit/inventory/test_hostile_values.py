"""Each text that an inventory may declare, with each text that it should not: refused, or carried as one value.

What the model takes of a hostile text is put in every place that takes it, then all that the toolkit writes from an
inventory is written: for ssh, sshd, ssh-keygen, apt, chrony, nginx, nftables and cloud-init, and for people.
"""

from __future__ import annotations

import csv
import datetime as dt
import functools
import io
import re
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from material.hostile import HOSTILE, leaves, replaced, skeleton
from material.hostile_inventory import DAY, MACHINE, accepted, built, declared, example, fields, generic, inventory
from templates.rendering import render

from filae_ops.agent.system.plain_text import one_line
from filae_ops.errors import OpsError
from filae_ops.inventory.model.inventory import SECTIONS, Inventory
from filae_ops.inventory.reading.draft import Draft
from filae_ops.inventory.reading.load import build
from filae_ops.inventory.types.annotations import inner, parts
from filae_ops.inventory.writing.field_tree import machine, sections, walk
from filae_ops.inventory.writing.fields_to_ask import scalar
from filae_ops.remote.ssh import Login, host_stanza
from filae_ops.report.flows.matrix import as_csv, lines_of
from filae_ops.report.request.cloud_init import user_data
from filae_ops.report.review.one_site import review_of
from filae_ops.report.review.review_page import html, markdown
from filae_ops.verification.gather import firewall_rules
from filae_ops.writers.filters import FILTERS
from filae_ops.writers.openssh import allowed_signers, authorized_key_files, known_host, ssh_pinned_options


def test_every_text_of_the_model_is_tried() -> None:
    expected = {node.path for node in walk([*sections(), *machine()]) if node.model is None and not node.choices
              and str in parts(node.kind if inner(node.kind) is None else inner(node.kind))}  # fmt: skip
    tried = {generic(place) for place in fields()}
    assert {field for field in expected if not any(f"{name}.".startswith(f"{field}.") for name in tried)} == set()
    assert len(expected) > 130


NO_LINE = [name for name, text in HOSTILE.items() if not one_line(text)]


@pytest.mark.parametrize("hostile", NO_LINE)
def test_what_no_line_can_hold_is_declared_nowhere(hostile: str) -> None:
    assert accepted(hostile) == ()


def configured(given: Inventory) -> dict[str, str]:
    """Return all that an inventory becomes in files that programs read, as group_vars/all.yml hands it over."""
    host = given.hosts[MACHINE]
    network, mirror = given.network, given.patching.mirror
    relay = network.reverse_proxy
    assert mirror
    window = given.site.maintenance_window
    text = functools.partial(render, "base")
    people = [person.model_dump() for person in (*given.access.operators, *given.access.dsi)]
    return {
        "ssh_config": host_stanza(host, Login(), "/tmp/x"),
        "known_hosts": known_host(host.name, host.host_key),
        "ssh options": "\n".join(ssh_pinned_options(host.name, host.host_key)),
        "proxy": text("proxy.conf.j2", base_proxy=network.proxy),
        "sources": text("debian.sources.j2", base_mirror=mirror.model_dump()),
        "unattended": text("unattended.conf.j2", base_reboot_time=window.start if window else ""),
        "chrony": text("chrony.conf.j2", base_time_sources=network.time_sources),
        "time zone": FILTERS["timezone"](given.site.timezone),
        "locale": FILTERS["locale"](given.site.locale),
        "nginx": render("proxy", "server.conf.j2", proxy_names=[network.public_name], proxy_any_name=False),
        "nginx's relays": render("proxy", "nginx.conf.j2", proxy_relays=relay.addresses if relay else ()),
        "nftables": firewall_rules(given),
        "signers": allowed_signers(signer.model_dump() for signer in given.app.signers),
        "keys": "".join(entry["path"] + entry["content"] for entry in authorized_key_files(people)),
    }


def keys(value: Any) -> Any:
    """Return a document without its values."""
    if isinstance(value, dict):
        return {key: keys(inner_value) for key, inner_value in value.items()}
    return [keys(item) for item in value] if isinstance(value, list) else skeleton(str(value))


@functools.cache
def skeletons(hostile: str) -> dict[str, Any]:
    """Return the files of an inventory without its values."""
    text = user_data(draft(hostile), MACHINE, "debian", DAY)
    first_access = {"cloud-init": keys(yaml.safe_load(text)), "lines of cloud-init": text.count("\n")}
    return {name: skeleton(file) for name, file in configured(inventory(hostile)).items()} | first_access


@pytest.mark.parametrize("hostile", HOSTILE)
def test_each_file_that_a_program_reads_carries_one_value(hostile: str) -> None:
    assert skeletons(hostile) == skeletons("")


def draft(hostile: str) -> Draft:
    host = declared()
    for place in accepted(hostile) if hostile else ():
        host = replaced(host, place, lambda _: HOSTILE[hostile])
    for place in [place for place in leaves(host) if place[-1] == "until" and place[0] == "access"]:
        host = replaced(host, place, dt.date.fromisoformat)
    tree = {key: value for key, value in host.items() if key in SECTIONS}
    own = {key: value for key, value in host.items() if key not in SECTIONS}
    return Draft(example().directory, "0" * 64, {**tree, "hosts": {MACHINE: own}}, frozenset())


class Elements(HTMLParser):
    """Collects what a browser would see besides text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[tuple[str, tuple[str, ...]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add((tag, tuple(sorted(name for name, _ in attrs))))


def elements(page: str) -> set[tuple[str, tuple[str, ...]]]:
    parser = Elements()
    parser.feed(page)
    return parser.names


def shown(given: Inventory) -> tuple[str, str, str]:
    """Return what people get, in HTML and Markdown, and the cells of the matrix."""
    review = review_of(given, DAY, "fr")
    return html(review), markdown(review), as_csv(lines_of(given), "fr")


FOR_PEOPLE = ["markup", "a formula", "a cell", "a double quote", "a template", "backquotes", "a comment", "a backslash"]


@pytest.mark.parametrize("hostile", FOR_PEOPLE)
def test_documents_show_it_and_obey_nothing(hostile: str) -> None:
    page, text, table = shown(inventory(hostile))
    known = elements(shown(inventory(""))[0]) | {("span", ("class",)), ("td", ("class",)), ("code", ())}
    assert elements(page) <= known
    assert not re.search(r"(?<!\\)<script", text)
    rows = list(csv.reader(io.StringIO(table.removeprefix("\ufeff")), delimiter=";"))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_init_writes_reads_back_as_it_was(hostile: str) -> None:
    text = HOSTILE[hostile]
    assert yaml.safe_load(f"a: {scalar(text)}\nb: [{scalar(text)}, c]") == {"a": text, "b": [text, "c"]}


# A name of ours may look like it.
NO_NAME = [name for name in HOSTILE if name != "an octal address"]


@pytest.mark.parametrize("hostile", NO_NAME)
def test_keys_are_names(hostile: str) -> None:
    """Of machines, which become files and aliases; of settings, which become variables."""
    text = HOSTILE[hostile]
    with pytest.raises(OpsError):
        build(example(), {text: declared()})
    with pytest.raises(OpsError):
        built(replaced(declared(), ("app", "settings"), lambda _: {text: "x"}))
