"""The system's age, updates, clock and journal. The provider answers, but for shared clocks."""

from __future__ import annotations

import datetime as dt

from filae_ops.register.lookup import lifecycle
from filae_ops.verification.check import Target, broken, check, not_run

NOTICE = dt.timedelta(days=182)
DAY = 86400
LISTS_DAYS = 3
JOURNALD = "/etc/systemd/journald.conf.d/filae.conf"
APT = "/etc/apt/apt.conf.d/52filae"
OFFSET_S = 1.0
STALE_S = 4 * 3600


def day(on: Target) -> dt.date:
    return dt.datetime.fromtimestamp(on.facts["system"]["now"], dt.UTC).date()


def supported(on: Target, product: str, version: str) -> str:
    """Judge whether a version is still maintained without a subscription, and return by what support."""
    known = lifecycle(product, version)
    if known is None:
        not_run("no_calendar", product=product, version=version)
    support = known.support(day(on))
    if support in ("subscription", "ended"):
        broken("ended", product=product, version=version, since=known.free_until)
    return support


def package(on: Target, prefix: str) -> str:
    """Return the version in the name of an installed package, such as 17 for postgresql-17."""
    found = [name.removeprefix(prefix) for name in on.facts["versions"] if name.startswith(prefix)]
    return found[0] if found else not_run("no_package", prefix=prefix)


@check("os-supported", "OS-01")
def test_supported_system(on: Target) -> None:
    """The system is maintained today."""
    system = on.facts["system"]
    if supported(on, system["id"], system["version"]) == "extended":
        broken("extended", product=system["id"], version=system["version"])


@check("os-declared", "OS-01", against=("machines[].os.id", "machines[].os.version"))
def test_the_system_is_the_declared_one(on: Target) -> None:
    """The system is the one that the inventory declares."""
    system, said = on.facts["system"], on.declared.machine.os
    if system["id"] != said.id or not f"{said.version}.".startswith(f"{system['version']}."):
        found, declared = f"{system['id']} {system['version']}", f"{said.id} {said.version}"
        broken("different", found=found, declared=declared)


@check("os-support-ends", "OS-02")
def test_end_of_support_is_far(on: Target) -> None:
    """The end of the system's support is more than six months away."""
    system = on.facts["system"]
    known = lifecycle(system["id"], system["version"])
    if known is None:
        not_run("no_calendar", product=system["id"], version=system["version"])
    if day(on) > known.standard_until - NOTICE:
        broken("ends", day=known.standard_until)


@check("postgresql-supported", "SW-01")
def test_supported_postgresql(on: Target) -> None:
    """PostgreSQL's branch is maintained today."""
    supported(on, "postgresql", package(on, "postgresql-"))


@check("ruby-supported", "SW-02")
def test_supported_ruby(on: Target) -> None:
    """Ruby's branch is maintained today."""
    supported(on, "ruby", package(on, "ruby"))


@check("updates-waiting", "PATCH-01", against=("patching.security_interval_days",))
def test_no_security_update_waits(on: Target) -> None:
    """No security update waits for longer than the inventory allows."""
    updates, now = on.facts["updates"], on.facts["system"]["now"]
    if now - updates["lists"] > LISTS_DAYS * DAY:
        days = round((now - updates["lists"]) / DAY)
        if "apt-mirror" in on.facts.known("preflight").get("lines", {}) and not on.answers("apt-mirror"):
            broken("old_lists_mirror_silent", days=days)
        broken("old_lists", days=days)
    if updates["held"]:
        broken("held", packages=updates["held"])
    waiting, limit = updates["waiting"], on.inventory.patching.security_interval_days * DAY
    # Updates of today wait for tonight's run; not those that a run left, or that no run took in time.
    left = (
        updates["applied"] > updates["lists"] or now - max(updates["applied"], on.facts["system"]["installed"]) > limit
    )
    if waiting and left:
        broken("waiting", packages=waiting)


@check("updates-automatic", "PATCH-01")
def test_security_updates_come_by_themselves(on: Target) -> None:
    """Security updates are installed every day without anyone."""
    settings, units = on.facts["updates"]["settings"], on.facts["units"]["units"]
    for name in ("APT::Periodic::Unattended-Upgrade", "APT::Periodic::Update-Package-Lists"):
        if settings[name] == "1":
            continue
        if files := on.set_elsewhere("apt", APT, {name: "1"}):
            broken("overridden", setting=name, value=settings[name] or "-", files=files)
        broken("changed", setting=name, value=settings[name] or "-")
    if not any("security" in origin.lower() for origin in on.facts["updates"]["origins"]):
        broken("no_origin")
    for timer in ("apt-daily.timer", "apt-daily-upgrade.timer"):
        if units.get(timer, {}).get("ActiveState") != "active":
            broken("service_stopped", unit=timer)


@check("packages-trusted", "PATCH-03")
def test_packages_are_signed(on: Target) -> None:
    """No package source is used without its signature."""
    if untrusted := on.facts["updates"]["untrusted"]:
        broken("untrusted", sources=untrusted)


@check("reboot-pending", "PATCH-05")
def test_no_restart_is_due(on: Target) -> None:
    """No update waits for a restart."""
    system = on.facts["system"]
    if system["reboot_required"]:
        broken("due", packages=system["reboot_for"])


@check("provision-finished", "OPS-10")
def test_no_provisioning_was_cut(on: Target) -> None:
    """Everything that the last provisioning placed was also put into force."""
    if unfinished := on.facts["system"]["unfinished"]:
        broken("unfinished", files=unfinished)


@check("clock-synchronised", "LOG-04")
def test_the_clock_is_right(on: Target) -> None:
    """The clock follows a time server, within a second."""
    clock, now = on.facts["clock"], on.facts["system"]["now"]
    if clock["leap"] not in ("Normal", "Insert second", "Delete second") or clock["source"] in ("", "0.0.0.0"):
        if on.answers("time-source"):
            broken("follows_none")
        broken("servers_silent", servers=on.inventory.network.time_sources)
    if now - clock["reference"] > STALE_S:
        hours = round((now - clock["reference"]) / 3600)
        if on.answers("time-source"):
            broken("stale", hours=hours)
        broken("stale_servers_silent", hours=hours, servers=on.inventory.network.time_sources)
    if abs(clock["offset"]) > OFFSET_S:
        broken("wrong", seconds=abs(clock["offset"]))


@check("clock-zone", "LOG-04", against=("site.timezone",))
def test_the_time_zone_is_declared(on: Target) -> None:
    """The machine lives in the site's time zone."""
    if on.facts["system"]["timezone"] != on.inventory.site.timezone:
        broken("different", found=on.facts["system"]["timezone"] or "-", declared=on.inventory.site.timezone)


@check("journal-kept", "LOG-07")
def test_the_journal_is_kept(on: Target) -> None:
    """The journal is kept across restarts, within bounds."""
    journal = on.facts["journal"]
    storage = journal["settings"].get("Storage", "-")
    if storage != "persistent":
        if files := on.set_elsewhere("journald", JOURNALD, {"Storage": "persistent"}):
            broken("overridden", storage=storage, files=files)
        broken("changed", storage=storage)
    if not journal["persistent"]:
        broken("not_written")
    if "SystemMaxUse" not in journal["settings"]:
        broken("unbounded")


@check("journal-application", "LOG-07")
def test_the_application_s_journal_is_its_own(on: Target) -> None:
    """What the application writes is kept in a journal of its own, within bounds."""
    if not on.deployed:
        return
    own = on.facts["journal"]["application"]
    storage = own["settings"].get("Storage", "-")
    if storage != "persistent":
        broken("changed", storage=storage)
    if not own["persistent"]:
        broken("not_written")
    if missing := [name for name in ("SystemMaxUse", "MaxRetentionSec") if name not in own["settings"]]:
        broken("unbounded", settings=missing)
