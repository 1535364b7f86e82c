"""The system's age, updates, clock and journal. The provider answers, but for shared clocks."""

from __future__ import annotations

import datetime as dt

from filae_ops.register.lookup import lifecycle
from filae_ops.verification.check import NOTHING_DEPLOYED, PROVISION, Target, broken, check, not_run

NOTICE = dt.timedelta(days=182)
DAY = 86400
LISTS_DAYS = 3
AGAIN = "provider: filae-ops provision, to its end"
OFFSET_S = 1.0
STALE_S = 4 * 3600


def day(on: Target) -> dt.date:
    return dt.datetime.fromtimestamp(on.facts["system"]["now"], dt.UTC).date()


def supported(on: Target, product: str, version: str, step: str) -> None:
    known = lifecycle(product, version)
    if known is None:
        not_run(f"the register has no calendar for {product} {version}: complete lifecycles.yml")
    support = known.support(day(on))
    if support in ("subscription", "ended"):
        broken(f"{product} {version} is no longer maintained since {known.free_until:%Y-%m-%d}", step)
    if support == "extended":
        broken(f"{product} {version} has only long-term support since {known.standard_until:%Y-%m-%d}", step)


def package(on: Target, prefix: str) -> str:
    """Return the version in the name of an installed package, such as 17 for postgresql-17."""
    found = [name.removeprefix(prefix) for name in on.facts["versions"] if name.startswith(prefix)]
    return found[0] if found else not_run(f"no package {prefix}… is installed")


@check("os-supported", "OS-01")
def test_supported_system(on: Target) -> None:
    """The system is maintained today."""
    system = on.facts["system"]
    supported(on, system["id"], system["version"], "provider: plan the upgrade of the system with the DSI")


@check("os-declared", "OS-01", against=("machines[].os.id", "machines[].os.version"))
def test_the_system_is_the_declared_one(on: Target) -> None:
    """The system is the one that the inventory declares."""
    system, said = on.facts["system"], on.declared.machine.os
    if system["id"] != said.id or not f"{said.version}.".startswith(f"{system['version']}."):
        broken(
            f"the machine runs {system['id']} {system['version']}, declared: {said.id} {said.version}",
            "provider: write what runs in hosts.yml (machine.os), then filae-ops review again",
        )


@check("os-support-ends", "OS-02")
def test_end_of_support_is_far(on: Target) -> None:
    """The end of the system's support is more than six months away."""
    system = on.facts["system"]
    known = lifecycle(system["id"], system["version"])
    if known is None:
        not_run(f"the register has no calendar for {system['id']} {system['version']}")
    if day(on) > known.standard_until - NOTICE:
        broken(
            f"standard support ends on {known.standard_until:%Y-%m-%d}",
            "provider: plan the upgrade of the system with the DSI",
        )


@check("postgresql-supported", "SW-01")
def test_supported_postgresql(on: Target) -> None:
    """PostgreSQL's branch is maintained today."""
    supported(on, "postgresql", package(on, "postgresql-"), "provider: plan the upgrade of PostgreSQL")


@check("ruby-supported", "SW-02")
def test_supported_ruby(on: Target) -> None:
    """Ruby's branch is maintained today."""
    supported(on, "ruby", package(on, "ruby"), "provider: deploy a release that is built for a maintained Ruby")


@check("updates-waiting", "PATCH-01", against=("patching.security_interval_days",))
def test_no_security_update_waits(on: Target) -> None:
    """No security update waits for longer than the inventory allows."""
    updates, now = on.facts["updates"], on.facts["system"]["now"]
    if now - updates["lists"] > LISTS_DAYS * DAY:
        broken(
            f"the lists of packages are {(now - updates['lists']) / DAY:.0f} days old",
            "provider: apt-get update; then the DSI if the mirror is silent",
        )
    if updates["held"]:
        broken(f"packages kept back: {', '.join(updates['held'])}", "provider: apt-mark unhold, or write down why")
    waiting, limit = updates["waiting"], on.inventory.patching.security_interval_days * DAY
    # Updates of today wait for tonight's run; not those that a run left, or that no run took in time.
    left = (
        updates["applied"] > updates["lists"] or now - max(updates["applied"], on.facts["system"]["installed"]) > limit
    )
    if waiting and left:
        names = ", ".join(waiting[:5])
        broken(f"{len(waiting)} security updates wait: {names}", "provider: on the machine: unattended-upgrade -v")


@check("updates-automatic", "PATCH-01")
def test_security_updates_come_by_themselves(on: Target) -> None:
    """Security updates are installed every day without anyone."""
    settings, units = on.facts["updates"]["settings"], on.facts["units"]["units"]
    for name in ("APT::Periodic::Unattended-Upgrade", "APT::Periodic::Update-Package-Lists"):
        if settings[name] != "1":
            broken(f"{name} is {settings[name] or 'unset'}")
    if not any("security" in origin.lower() for origin in on.facts["updates"]["origins"]):
        broken("unattended-upgrades takes no security update")
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        if units.get(timer, {}).get("ActiveState") != "active":
            broken(f"{timer} does not run", f"provider: systemctl enable --now {timer}")


@check("packages-trusted", "PATCH-03")
def test_packages_are_signed(on: Target) -> None:
    """No package source is used without its signature."""
    if untrusted := on.facts["updates"]["untrusted"]:
        broken(
            f"used without signature: {', '.join(untrusted)}",
            "provider: remove the exception, and check what it installed",
        )


@check("reboot-pending", "PATCH-05")
def test_no_restart_is_due(on: Target) -> None:
    """No update waits for a restart."""
    system = on.facts["system"]
    if system["reboot_required"]:
        broken(
            f"a restart is due for: {', '.join(system['reboot_for']) or 'an update'}",
            "provider: restart in the maintenance window",
        )


@check("provision-finished", "OPS-10")
def test_no_provisioning_was_cut(on: Target) -> None:
    """Everything that the last provisioning placed was also put into force."""
    if unfinished := on.facts["system"]["unfinished"]:
        broken(f"placed by a provisioning that was cut, not in force yet: {', '.join(unfinished[:4])}", AGAIN)


@check("clock-synchronised", "LOG-04")
def test_the_clock_is_right(on: Target) -> None:
    """The clock follows a time server, within a second."""
    clock, now = on.facts["clock"], on.facts["system"]["now"]
    if clock["leap"] not in ("Normal", "Insert second", "Delete second") or clock["source"] in ("", "0.0.0.0"):
        broken("the clock follows no time server", "provider: chronyc sources; dsi: the time servers must answer")
    if now - clock["reference"] > STALE_S:
        broken(
            f"the last answer of a time server is {(now - clock['reference']) / 3600:.0f} hours old",
            "dsi: the time servers must answer",
        )
    if abs(clock["offset"]) > OFFSET_S:
        broken(f"the clock is {clock['offset']:.1f} s off", "provider: chronyc makestep, in the maintenance window")


@check("clock-zone", "LOG-04", against=("site.timezone",))
def test_the_time_zone_is_declared(on: Target) -> None:
    """The machine lives in the site's time zone."""
    if on.facts["system"]["timezone"] != on.inventory.site.timezone:
        broken(f"the time zone is {on.facts['system']['timezone']}, declared: {on.inventory.site.timezone}", PROVISION)


@check("journal-kept", "LOG-07")
def test_the_journal_is_kept(on: Target) -> None:
    """The journal is kept across restarts, within bounds."""
    journal = on.facts["journal"]
    if not journal["persistent"] or journal["settings"].get("Storage") != "persistent":
        broken("the journal is lost at each restart")
    if "SystemMaxUse" not in journal["settings"]:
        broken("the journal has no bound")


@check("journal-application", "LOG-07")
def test_the_application_s_journal_is_its_own(on: Target) -> None:
    """What the application writes is kept in a journal of its own, within bounds."""
    if not on.deployed:
        not_run(NOTHING_DEPLOYED)
    own = on.facts["journal"]["application"]
    if not own["persistent"] or own["settings"].get("Storage") != "persistent":
        broken("the application's journal is lost at each restart")
    for name in ("SystemMaxUse", "MaxRetentionSec"):
        if name not in own["settings"]:
            broken(f"the application's journal has no bound: {name} is not set")
