"""Machines and their ends of support, accounts, certificates, and what the playbooks change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from filae_ops.language import Lang
from filae_ops.paths import data_path
from filae_ops.report.document.blocks import Block, Cell, Code, Facts, Heading, Lines, Section, Table, Tag, Text
from filae_ops.report.document.rendering import shipped
from filae_ops.report.document.values import at, shown, until
from filae_ops.report.review.entries import Context

if TYPE_CHECKING:
    from filae_ops.inventory.model.access import Operator
    from filae_ops.register.tables import Lifecycle

_GOVERNANCE = ("rights_process_owner", "access_path_owner", "traces_owner", "approval_owner")


def machines(context: Context) -> Section:
    """Return the machines, and until when what runs on them is maintained."""
    say, lang = context.say["machines"], context.lang
    rows = []
    for machine in context.tree["machines"]:
        system = f"{shown(at(machine, 'os.id'), lang, coded=True)} {shown(at(machine, 'os.version'), lang)}"
        memory, disk = (at(machine, name) for name in ("memory_mib", "disk_gib"))
        rows.append((
            machine["name"], system, shown(at(machine, "cpus"), lang), shown(memory, lang, say["mib"]),
            shown(disk, lang, say["gib"]), shown(at(machine, "hypervisor"), lang, coded=True),
        ))  # fmt: skip
    blocks: tuple[Block, ...] = (
        Table(say["caption"], tuple(say["headers"]), tuple(rows)),
        Table(say["access"], tuple(say["access_headers"]), tuple(_ways_in(context)), (16, 20, 16, 20, 28)),
        Table(say["lifecycles"], tuple(say["lifecycle_headers"]), tuple(_lifecycles(context)), (22, 18, 20, 20, 20)),
        Heading(say["patching"]), _patching(context),
        Table(say["additions"], tuple(say["additions_headers"]), tuple(_additions(context)), (16, 36, 32, 16),
              empty=say["no_addition"]),
    )  # fmt: skip
    return Section("machines", say["title"], blocks)


def _ways_in(context: Context) -> Iterator[tuple[Cell, ...]]:
    """Return all that the toolkit's connections are told by an inventory, machine by machine."""
    say = context.say["machines"]
    for host in context.inventory.hosts.values():
        address = f"[{host.ansible_host}]" if ":" in host.ansible_host else host.ansible_host
        yield (
            host.name, Code(f"{address}:{host.ansible_port}"),
            Code(host.ansible_user) if host.ansible_user else say["own_account"],
            Code(host.ansible_ssh_private_key_file) if host.ansible_ssh_private_key_file else say["own_key"],
            Code(host.key.fingerprint),
        )  # fmt: skip


def _additions(context: Context) -> Iterator[tuple[Cell, ...]]:
    """Return what others than this toolkit put on each machine, what it is for and who answers."""
    say = context.say
    for host in context.inventory.hosts.values():
        for each in host.machine.additions:
            what = Lines((say["machines"]["addition_kinds"][each.kind], Code(each.name)))
            yield host.name, what, each.purpose, say["parties"][each.owner]


def _lifecycles(context: Context) -> Iterator[tuple[Cell, ...]]:
    from filae_ops.register.lookup import lifecycle

    for product, version, origin in _components(context):
        found = lifecycle(product, version)
        name = f"{context.say['codes'].get(product, product)} {version}"
        yield (name, origin, *_ends(context, found))


def _components(context: Context) -> Iterator[tuple[str, str, str]]:
    """Return product, version and where it is known from: what is declared, else what the system ships."""
    from filae_ops.register.lookup import shipped as products

    systems = {(str(at(each, "os.id")), str(at(each, "os.version"))): None for each in context.tree["machines"]}
    declared = at(context.tree, "software")
    software = [(str(each["name"]), str(each["version"])) for each in declared] if isinstance(declared, list) else []
    for product, version in [*systems, *software]:
        yield product, version, context.say["declared"]
    named = {product for product, _ in software}
    found = {pair for each in systems for pair in products().get(each, {}).items() if pair[0] not in named}
    for product, version in sorted(found):
        yield product, version, context.say["shipped"]


def _ends(context: Context, found: Lifecycle | None) -> tuple[Cell, Cell, Cell]:
    say, lang = context.say, context.lang
    if found is None:
        return say["unknown"], say["unknown"], say["machines"]["unknown"]
    ends = [until(each.isoformat(), context.as_of, lang) for each in (found.standard_until, found.free_until)]
    state = found.support(context.as_of)
    words = say["machines"][state]
    return ends[0], ends[1], words if state == "standard" else Tag("gap", words)


def _patching(context: Context) -> Facts:
    say, lang, tree = context.say["machines"], context.lang, context.tree
    window = at(tree, "site.maintenance_window")
    if isinstance(window, Mapping):
        days = shown(window["days"], lang, coded=True)
        said = f"{days}, {window['start']}, {window['minutes']} {context.say['backup']['minute']}"
    else:
        said = shown(window, lang)
    interval = shown(at(tree, "patching.security_interval_days"), lang, context.say["backup"]["days"])
    reboot = shown(at(tree, "patching.reboot"), lang, coded=True)
    return Facts(((say["interval"], interval), (say["reboot"], reboot), (say["window"], said)))


def accounts(context: Context) -> Section:
    """Return who may enter, with which key and until when, and which keys sign releases."""
    say, access = context.say["accounts"], context.inventory.access
    people = [(each, say["provider"]) for each in access.operators] + [(each, say["dsi"]) for each in access.dsi]
    rows = tuple(row for person, side in people for row in _keys(context, person, side))
    signers = tuple(
        (each.name, Code(_fingerprint(each.key)), until(each.until, context.as_of, context.lang))
        for each in context.inventory.app.signers
    )
    owners = at(context.tree, "access_governance")
    governance = [(say[name], shown(at(owners, name), context.lang, coded=True)) for name in _GOVERNANCE]
    networks = (say["networks"], Code(", ".join(access.administration_networks)))
    return Section("accounts", say["title"], (
        Table(say["caption"], tuple(say["headers"]), rows, (16, 24, 36, 24)),
        Table(say["signers"], tuple(say["signers_headers"]), signers, (24, 46, 30)),
        Heading(say["governance"]), Facts((*governance, networks)),
    ))  # fmt: skip


def _keys(context: Context, person: Operator, side: str) -> Iterator[tuple[Cell, ...]]:
    say = context.say["accounts"]
    if person.state == "absent" or not person.keys:
        yield person.name, side, say["no_key"], say["absent"] if person.state == "absent" else context.say["blank"]
        return
    for key in person.keys:
        yield person.name, side, Code(_fingerprint(key.key)), until(key.until, context.as_of, context.lang)


def _fingerprint(key: str) -> str:
    from filae_ops.writers.public_keys import parse_public_key

    return parse_public_key(key).fingerprint


def certificates(context: Context, ends: Mapping[str, dt.date]) -> Section:
    """Return every certificate and its last day; `ends`: of the TLS files, by declared path."""
    say = context.say["certificates"]
    rows = (*_served(context, ends), *_held(context))
    table = Table(say["caption"], tuple(say["headers"]), rows, (18, 20, 20, 12, 14, 16), "dense", say["empty"])
    return Section("certificates", say["title"], (table,))


def _served(context: Context, ends: Mapping[str, dt.date]) -> Iterator[tuple[Cell, ...]]:
    say, blank = context.say["certificates"], context.say["blank"]
    if at(context.tree, "tls.mode") == "local-ca":
        yield say["tls"], say["local_ca"], blank, blank, blank, blank
    path = at(context.tree, "tls.certificate")
    if isinstance(path, str):
        last = until(ends[path], context.as_of, context.lang) if path in ends else context.say["unknown"]
        yield say["tls"], blank, str(context.inventory.network.public_name), blank, last, Code(path)


def _held(context: Context) -> Iterator[tuple[Cell, ...]]:
    say, tree = context.say["certificates"], context.tree
    for name in ("hds", "iso27001", "snc"):
        declared = at(tree, f"hosting.certificates.{name}")
        if isinstance(declared, Mapping):
            yield _certificate(context, say[name], declared)
    subhosts = at(tree, "hosting.subhosts")
    for each in subhosts if isinstance(subhosts, list) else ():
        yield _certificate(context, say["subhost"].format(name=each.get("name")), each)


def _certificate(context: Context, title: str, declared: Mapping[str, Any]) -> tuple[Cell, ...]:
    lang, blank = context.lang, context.say["blank"]

    def joined(*names: str) -> str:
        texts = ((name, shown(declared[name], lang, coded=True)) for name in names if declared.get(name))
        return ", ".join(f"v{text}" if name == "referential" else text for name, text in texts) or blank

    last = at(declared, "to")
    copy = next((declared[name] for name in ("copy", "attestation", "certificate") if declared.get(name)), None)
    ends = until(last, context.as_of, lang) if isinstance(last, str) else shown(last, lang)
    return (
        title, joined("body", "number", "decision"),
        joined("referential", "version", "service", "scope", "activities", "hds_activities"),
        shown(at(declared, "from"), lang), ends, Code(copy) if isinstance(copy, str) else context.say["missing"],
    )  # fmt: skip


@cache
def changes_data(lang: Lang) -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    """Return what each role changes, by playbook and role, as templates/review/changes.LANG.yml says it."""
    return shipped(data_path("templates", "review", f"changes.{lang}.yml"))


def changes(context: Context) -> Section:
    """Return what the playbooks will change on the machine, role by role."""
    say = context.say["changes"]
    blocks: list[Block] = [Text(say["intro"])]
    for playbook, roles in changes_data(context.lang).items():
        rows = tuple(_role(context, name, role) for name, role in roles.items())
        blocks.append(Table(say[playbook], tuple(say["headers"]), rows, (20, 52, 28)))
    return Section("changes", say["title"], tuple(blocks))


def _role(context: Context, name: str, role: Mapping[str, Any]) -> tuple[Cell, ...]:
    words: list[Cell] = list(role["changes"])
    if packages := _packages(name):
        words.append(context.say["changes"]["packages"].format(names=", ".join(packages)))
    places: tuple[Cell, ...] = tuple(Code(place) for place in role.get("places", ()))
    where = Lines(places) if places else context.say["blank"]
    return Lines((role["title"], Code(name))), Lines(tuple(words), listed=True), where


@cache
def _packages(role: str) -> list[str]:
    """Return the packages of a role, from its own defaults."""
    path = data_path("roles", role, "defaults", "main.yml")
    return list(shipped(path).get(f"{role}_packages", [])) if path.is_file() else []
