"""What runs, starts with the machine, and stays closed in. The provider answers."""

from __future__ import annotations

from filae_ops.verification.check import Target, broken, check, not_run

EXPOSURE = 2.0
# The application's own places: its files, its scratch directory, and the /tmp that each unit has for itself.
OWN = ("/srv/filae/files/", "/var/cache/filae/", "/tmp")
# How a write ends where nothing can be written.
SHUT = ("EROFS", "EACCES", "ENOENT")
# As roles/app places them.
HELD = {
    "PrivatePIDs": "yes", "LogNamespace": "filae", "Slice": "filae.slice", "TasksMax": "1024", "LimitNOFILE": "16384",
    "LimitCORE": "0",
}  # fmt: skip
DOOR = ("0660", "root", "filae-door")


# What `systemctl is-enabled` takes for a unit that starts with the machine.
STARTS = ("enabled", "enabled-runtime", "static", "alias", "indirect", "generated")


def runs(on: Target, unit: str) -> None:
    """Judge a unit that provisioning starts, enables and unmasks."""
    state = on.facts["units"]["units"].get(unit, {})
    if state.get("LoadState", "not-found") == "not-found":
        broken("service_absent", unit=unit)
    if state["LoadState"] == "masked":
        broken("service_masked", unit=unit)
    if state["ActiveState"] == "failed":
        broken("service_failed", unit=unit)
    if state["ActiveState"] not in ("active", "reloading"):
        broken("service_stopped", unit=unit)


def starts(on: Target, unit: str) -> None:
    """Judge whether a unit that runs starts with the machine."""
    if on.facts["units"]["units"][unit]["UnitFileState"] not in STARTS:
        broken("service_off", unit=unit)


@check("service-nginx", "OPS-02")
def test_nginx(on: Target) -> None:
    """nginx runs and starts with the machine."""
    runs(on, "nginx.service")
    starts(on, "nginx.service")


@check("service-postgresql", "OPS-02")
def test_postgresql(on: Target) -> None:
    """PostgreSQL runs and starts with the machine."""
    runs(on, "postgresql@17-main.service")
    runs(on, "postgresql.service")
    starts(on, "postgresql.service")


@check("service-ssh", "OPS-02")
def test_ssh(on: Target) -> None:
    """sshd runs and starts with the machine."""
    state = on.facts["units"]["units"].get("ssh.service", {})
    if state.get("ActiveState") != "active":
        broken("stopped", state=state.get("ActiveState", "-"))
    if state["UnitFileState"] not in STARTS:
        broken("not_at_start")


@check("service-clock", "OPS-02")
def test_chrony(on: Target) -> None:
    """chrony runs and starts with the machine."""
    runs(on, "chrony.service")
    starts(on, "chrony.service")


@check("service-failed", "OPS-02")
def test_no_unit_failed(on: Target) -> None:
    """No unit of the machine has failed."""
    if failed := on.facts["units"]["failed"]:
        broken("failed", units=failed, first=failed[0])


@check("app-units", "OPS-02")
def test_the_application_s_units_run(on: Target) -> None:
    """The live colour's units run and start with the machine."""
    if not on.deployed:
        return
    colour, units = on.facts["agent"]["status"]["colour"], on.facts["units"]
    runs(on, "filae.target")
    wanted = [f"filae-web@{colour}.socket", f"filae-web@{colour}.service", "filae.target"]
    wanted += [name for name in units["own"] if name.startswith("filae-worker@") and name.endswith(f"{colour}.service")]
    wanted += [name for name in units["own"] if name.endswith(".timer")]
    for name in wanted:
        unit = units["units"].get(name, {})
        if unit.get("ActiveState") != "active":
            broken("stopped", unit=name, state=unit.get("ActiveState", "-"))
        if unit.get("UnitFileState") not in ("enabled", "static"):
            broken("not_at_start", unit=name)


@check("app-sandbox", "OPS-02")
def test_the_application_is_closed_in(on: Target) -> None:
    """systemd rates the application's exposure at 2.0 at most."""
    open_ones = {name: value for name, value in on.facts["sandbox"].items() if value > EXPOSURE}
    if open_ones:
        shown = [f"{name} ({value})" for name, value in open_ones.items()]
        broken("exposed", units=shown, first=next(iter(open_ones)), limit=EXPOSURE)


@check("app-writes", "OPS-02")
def test_the_application_writes_in_its_own_places_alone(on: Target) -> None:
    """The application can write in its files and its scratch directory, and nowhere else."""
    if not on.deployed:
        return
    if not (tried := on.facts["writes"]):
        not_run("no_process")
    for unit, answers in tried.items():
        opened = sorted(place for place, answer in answers.items() if answer == "written" and not place.startswith(OWN))
        if opened:
            broken("open", unit=unit, places=opened)
    odd = [
        f"{place} ({answer}, {unit})"
        for unit, answers in tried.items()
        for place, answer in answers.items()
        if answer not in (("written",) if place.startswith(OWN) else SHUT)
    ]
    if odd:
        not_run("unclear", places=odd)


@check("app-isolation", "OPS-02")
def test_the_application_sees_and_takes_no_more_than_its_own(on: Target) -> None:
    """Each unit of the application has its own processes, its journal, its limits and a socket of root's."""
    if not on.deployed:
        return
    about = on.facts["isolation"]
    if not about["units"]:
        not_run("no_process")
    spaces = list(about["namespaces"].values())
    for name, unit in about["units"].items():
        odd = [f"{key}={unit.get(key)}" for key, value in HELD.items() if unit.get(key) != value]
        odd += [f"{key}={unit.get(key)}" for key in ("MemoryMax",) if unit.get(key) in (None, "infinity")]
        if odd:
            broken("not_held", unit=name, settings=odd)
        if spaces.count(about["namespaces"][name]) > 1:
            broken("shares_processes", unit=name)
    doors = [
        f"{path} ({door['mode']} {door['user']}:{door['group']} ≠ {' '.join(DOOR)})"
        for path, door in about["sockets"].items()
        if (door["mode"], door["user"], door["group"]) != DOOR
    ]
    if doors:
        broken("another_door", sockets=doors)
    if about["strays"]:
        broken("strays", processes=about["strays"])


@check("agent-recovery", "OPS-02")
def test_a_cut_transaction_is_taken_up_at_boot(on: Target) -> None:
    """A transaction that was cut is taken up at boot."""
    if not on.host.service("filae-recover").is_enabled:
        broken("service_off", unit="filae-recover.service")


@check("agent-version", "OPS-09")
def test_the_agent_is_this_toolkit_s(on: Target) -> None:
    """The agent on the machine is the one that this toolkit builds."""
    found = on.facts["agent"]["sha256"]
    built = on.placed["/usr/local/sbin/filaectl"].sha256 or ""
    if found != built:
        broken("different", found=found[:16] or "-", built=built[:16])
