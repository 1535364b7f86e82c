"""Whatever decides what the machine does is a package's, a role's, the release's, or declared. The provider answers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from filae_ops.verification import accounted
from filae_ops.verification.accounted_files import AGENT, Leftover
from filae_ops.verification.check import Target, broken, check, not_run

KINDS = ("changed", "missing", "added")
PROGRAM = "/usr/local/sbin/filaectl"  # has a check of its own


def all_known(strangers: Iterable[Leftover]) -> None:
    """Name what nothing accounts for."""
    if names := [each.name for each in strangers]:
        broken("unaccounted", names=names)


def of_theme(on: Target, theme: str, *more: Iterable[Leftover]) -> None:
    """Name the files of a theme that nothing accounts for, and what else is of it."""
    strangers = [each for each in on.leftovers if each.theme == theme and each.what == "unknown"]
    all_known([*strangers, *chain(*more)])
    if not on.facts["decisive"]["whole"]:
        not_run("too_much_to_read")


@check("known-sudo", "OPS-11")
def test_sudo(on: Target) -> None:
    """Every file of sudo is accounted for."""
    of_theme(on, "sudo")


@check("known-ssh", "OPS-11")
def test_ssh(on: Target) -> None:
    """Every file of sshd, and every key of root's, is accounted for."""
    of_theme(on, "ssh")


@check("known-pam", "OPS-11")
def test_pam(on: Target) -> None:
    """Every file that says how accounts are known and let in is accounted for."""
    of_theme(on, "accounts")


@check("known-services", "OPS-11")
def test_services(on: Target) -> None:
    """Every unit, fragment, rule of udev and setting of a service is accounted for."""
    of_theme(on, "services", accounted.units(on.facts["manager"]["transient"], on.declared.machine.additions))


@check("known-schedules", "OPS-11")
def test_schedules(on: Target) -> None:
    """Every job of cron, at and logrotate is accounted for."""
    of_theme(on, "schedules")


@check("known-apt", "OPS-11")
def test_apt(on: Target) -> None:
    """Every source, key, hook and preference of apt and dpkg is accounted for, and no path is diverted by hand."""
    of_theme(on, "packages")
    if diverted := on.facts["packages"]["diverted"]:
        broken("diverted", paths=diverted)


@check("known-web", "OPS-11")
def test_web(on: Target) -> None:
    """Every file of nginx's settings is accounted for."""
    of_theme(on, "web")


@check("known-database", "OPS-11")
def test_database(on: Target) -> None:
    """Every file of PostgreSQL's settings is accounted for."""
    of_theme(on, "database")


@check("known-kernel", "OPS-11")
def test_kernel(on: Target) -> None:
    """Every file of the kernel's settings and modules is accounted for."""
    of_theme(on, "kernel")


@check("known-shells", "OPS-11")
def test_shells(on: Target) -> None:
    """Every file that a session or a shell of root's reads is accounted for."""
    of_theme(on, "shells")


@check("known-network", "OPS-11")
def test_network(on: Target) -> None:
    """Names, hooks and tables of the network are accounted for."""
    of_theme(on, "network", accounted.tables(on.facts["tables"], on.declared.machine.additions))


@check("known-programs", "OPS-11")
def test_programs(on: Target) -> None:
    """Every program and library below /usr, and what finds them, is accounted for."""
    of_theme(on, "programs")
    if odd := on.facts["libraries"]:
        broken("odd_libraries", paths=odd)


@check("known-settings", "OPS-11")
def test_settings(on: Target) -> None:
    """Every other file below /etc is accounted for."""
    of_theme(on, "settings", (each for each in on.leftovers if each.theme == "filae" and each.what == "unknown"))


@check("known-accounts", "OPS-11", against=("access.operators", "access.dsi"))
def test_accounts(on: Target) -> None:
    """Every account that may open a session, or has a password, is declared."""
    access = on.inventory.access
    named = {each.name for each in [*access.operators, *access.dsi]}
    all_known(accounted.accounts(on.facts["accounts"]["accounts"], named, on.declared.machine.additions))
    trusted = {each.name for each in access.operators} | {
        each.account for each in on.declared.machine.additions if each.account
    }
    if members := accounted.memberships(on.facts["accounts"], trusted):
        broken("members", members=members)


@check("known-privileges", "OPS-11")
def test_privileges(on: Target) -> None:
    """Only programs to which Debian gives rights have setuid, setgid or capabilities."""
    found = on.facts["privileges"]
    all_known(accounted.privileges(found["programs"], on.declared.machine.additions))
    if not found["whole"]:
        not_run("too_much_to_read")


@check("known-sockets", "OPS-11")
def test_sockets(on: Target) -> None:
    """What waits for others, even for the machine alone, runs in a unit that is accounted for."""
    unknown = {each.name for each in on.leftovers if each.what == "unknown"}
    fragments, additions = on.facts["manager"]["fragments"], on.declared.machine.additions
    all_known(accounted.sockets(on.facts["waiting"], fragments, unknown, additions))


@check("known-processes", "OPS-11")
def test_processes(on: Target) -> None:
    """What runs is a package's, the release's or declared."""
    all_known(accounted.processes(on.facts["processes"], on.declared.machine.additions))


@check("placed-roles", "OPS-10")
def test_what_roles_place(on: Target) -> None:
    """What provisioning places is there, to the byte, with its owner and mode."""
    roles = {each.role for each in on.placed.values()}
    if names := [
        f"{each.name} ({each.what})" for each in on.leftovers if each.source in roles and each.name != PROGRAM
    ]:
        broken("changed", names=names)


@check("placed-agent", "OPS-10")
def test_what_the_agent_places(on: Target) -> None:
    """What the agent places for the live release is there, to the byte, with its owner and mode."""
    if names := [f"{each.name} ({each.what})" for each in on.leftovers if each.source == AGENT]:
        broken("changed", names=names)


@check("packages-intact", "OPS-10")
def test_packages_are_as_they_came(on: Target) -> None:
    """No file of a package was changed or removed, but for those that provisioning places."""
    changed = {
        each.name: each.source.removeprefix("package ") for each in on.leftovers if each.source.startswith("package ")
    }
    # dpkg tells what changed by digests of its own.
    changed |= {each["path"]: each["package"] for each in on.facts["packages"]["rewritten"]}
    if changed:
        broken("changed", names=list(changed), packages=" ".join(sorted(set(changed.values()))))
    declared = {each.package for each in on.declared.machine.additions}
    if bare := [name for name in on.facts["packages"]["undigested"] if name not in declared]:
        broken("undigested", packages=" ".join(bare))
    if on.facts["packages"]["copied"]:
        not_run("copied")


@check("packages-whole", "PATCH-03")
def test_packages_are_whole(on: Target) -> None:
    """No package was left half installed."""
    if half := on.facts["packages"]["half"]:
        broken("half", packages=half)


@check("packages-known", "PATCH-03")
def test_packages_have_a_source(on: Target) -> None:
    """Every package comes from one of apt's sources, or is declared."""
    sourceless = on.facts["packages"]["sourceless"]
    if sourceless is None:
        not_run("no_lists")
    all_known(accounted.packages(sourceless, on.declared.machine.additions))


@check("release-intact", "OPS-10")
def test_the_release_is_as_it_was_signed(on: Target) -> None:
    """Every file of the live release, and of those that are kept, is as in its bundle, and none was added."""
    ours = on.facts["placed"]
    if ours["busy"]:
        not_run("busy", by=ours["busy"])
    version = on.deployed
    for tree in sorted(ours["releases"], key=lambda each: each["version"] != version):
        if tree["problem"]:
            broken("unreadable", version=tree["version"], problem=tree["problem"])
        if names := [f"{each['path']} ({each['problem']})" for kind in KINDS for each in tree[kind]["first"]]:
            if tree["version"] == version:
                broken("changed", version=version, names=names)
            broken("kept_changed", version=tree["version"], names=names)
        if not tree["complete"]:
            not_run("too_long", version=tree["version"])


@check("settings-read", "OPS-10")
def test_what_runs_has_read_what_is_written(on: Target) -> None:
    """systemd, nginx and sshd have read their settings as they are now."""
    found = on.facts["fresh"]
    if unread := on.facts["manager"]["unread"]:
        broken("units", units=unread)
    if found["nginx"]:
        broken("nginx", paths=found["nginx"])
    if found["ssh"]:
        broken("sshd", paths=found["ssh"])


@check("settings-environment", "OPS-11")
def test_systemd_gives_its_services_nothing_more(on: Target) -> None:
    """systemd's own environment, which each service gets, has nothing but a language and a path."""
    if names := accounted.variables(on.facts["manager"]["environment"]):
        broken("variables", names=names)


@check("settings-kernel", "OPS-10")
def test_the_kernel_does_what_is_written(on: Target) -> None:
    """The kernel's settings are those of the files, and no others decide for it."""
    found = on.facts["kernel"]
    if settings := accounted.kernel_settings(found["asked"], found["live"]):
        broken("live", settings=settings)
    if not found["own"]:
        not_run("container")


@check("files-protected", "OPS-07")
def test_code_and_settings_are_root_s_to_change(on: Target) -> None:
    """Programs, units and settings can be changed by root alone."""
    loose = [each.name for each in on.leftovers if each.what == "loose"]
    if loose:
        broken("loose", paths=loose)
