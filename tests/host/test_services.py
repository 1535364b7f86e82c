"""What runs, starts with the machine, and stays closed in. The provider answers."""

from __future__ import annotations

from filae_ops.verification.check import NOTHING_DEPLOYED, Target, broken, check, not_run

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


def runs(on: Target, unit: str, step: str) -> None:
    service = on.host.service(unit)
    if not service.is_running:
        broken(f"{unit} does not run", f"provider: on the machine: systemctl status {unit}; {step}")
    if not service.is_enabled:
        broken(f"{unit} runs but does not start with the machine", f"provider: systemctl enable {unit}")


@check("service-nginx", "OPS-02")
def test_nginx(on: Target) -> None:
    """nginx runs and starts with the machine."""
    runs(on, "nginx.service", "nginx -t says what is wrong in its settings")


@check("service-postgresql", "OPS-02")
def test_postgresql(on: Target) -> None:
    """PostgreSQL runs and starts with the machine."""
    runs(on, "postgresql.service", "journalctl -u postgresql@17-main")
    cluster = on.facts["units"]["units"].get("postgresql@17-main.service", {})
    if cluster.get("ActiveState") != "active":
        broken(
            "the database cluster 17/main does not run", "provider: on the machine: systemctl status postgresql@17-main"
        )


@check("service-ssh", "OPS-02")
def test_ssh(on: Target) -> None:
    """sshd runs and starts with the machine."""
    runs(on, "ssh.service", "sshd -t says what is wrong in its settings")


@check("service-clock", "OPS-02")
def test_chrony(on: Target) -> None:
    """chrony runs and starts with the machine."""
    runs(on, "chrony.service", "without it traces and certificates have no sure date")


@check("service-failed", "OPS-02")
def test_no_unit_failed(on: Target) -> None:
    """No unit of the machine has failed."""
    if failed := on.facts["units"]["failed"]:
        broken(
            f"failed units: {', '.join(failed)}",
            f"provider: on the machine: systemctl status {failed[0]}; then systemctl reset-failed",
        )


@check("app-units", "OPS-02")
def test_the_application_s_units_run(on: Target) -> None:
    """The live colour's units run and start with the machine."""
    if not on.deployed:
        not_run(NOTHING_DEPLOYED)
    colour, units = on.facts["agent"]["status"]["colour"], on.facts["units"]
    wanted = [f"filae-web@{colour}.socket", f"filae-web@{colour}.service", "filae.target"]
    wanted += [name for name in units["own"] if name.startswith("filae-worker@") and name.endswith(f"{colour}.service")]
    wanted += [name for name in units["own"] if name.endswith(".timer")]
    for name in wanted:
        unit = units["units"].get(name, {})
        if unit.get("ActiveState") != "active":
            broken(
                f"{name} is {unit.get('ActiveState', 'absent')}",
                f"provider: on the machine: journalctl --namespace=+filae -u {name} -n 50",
            )
        if unit.get("UnitFileState") not in ("enabled", "static"):
            broken(f"{name} does not start with the machine", f"provider: systemctl enable {name}")


@check("app-sandbox", "OPS-02")
def test_the_application_is_closed_in(on: Target) -> None:
    """systemd rates the application's exposure at 2.0 at most."""
    open_ones = {name: value for name, value in on.facts["sandbox"].items() if value > EXPOSURE}
    if open_ones:
        broken(f"too exposed (at most {EXPOSURE}): {open_ones}")


@check("app-writes", "OPS-02")
def test_the_application_writes_in_its_own_places_alone(on: Target) -> None:
    """The application can write in its files and its scratch directory, and nowhere else."""
    if not on.deployed:
        not_run(NOTHING_DEPLOYED)
    if not (tried := on.facts["writes"]):
        not_run("no process of the application runs")
    for unit, answers in tried.items():
        opened = sorted(place for place, answer in answers.items() if answer == "written" and not place.startswith(OWN))
        if opened:
            broken(
                f"{unit} can write in {', '.join(opened)}",
                f"provider: on the machine: systemctl cat {unit} shows what opens it; remove that, restart the unit",
            )
    odd = [
        f"{place} ({answer}, {unit})"
        for unit, answers in tried.items()
        for place, answer in answers.items()
        if answer not in (("written",) if place.startswith(OWN) else SHUT)
    ]
    if odd:
        not_run(f"a write that is tried says nothing in {', '.join(odd)}")


@check("app-isolation", "OPS-02")
def test_the_application_sees_and_takes_no_more_than_its_own(on: Target) -> None:
    """Each unit of the application has its own processes, its journal, its limits and a socket of root's."""
    if not on.deployed:
        not_run(NOTHING_DEPLOYED)
    about = on.facts["isolation"]
    if not about["units"]:
        not_run("no process of the application runs")
    spaces = list(about["namespaces"].values())
    for name, unit in about["units"].items():
        odd = [f"{key}={unit.get(key)}" for key, value in HELD.items() if unit.get(key) != value]
        odd += [f"{key}={unit.get(key)}" for key in ("MemoryMax",) if unit.get(key) in (None, "infinity")]
        odd += ["processes shared with others"] if spaces.count(about["namespaces"][name]) > 1 else []
        if odd:
            broken(
                f"{name} is not held by: {', '.join(odd)}",
                f"provider: on the machine: systemctl cat {name} shows what opens it; remove that, restart the unit",
            )
    for path, socket in about["sockets"].items():
        if (socket["mode"], socket["user"], socket["group"]) != DOOR:
            broken(
                f"{path} is {socket['mode']} {socket['user']}:{socket['group']}, not {' '.join(DOOR)}",
                "provider: on the machine: systemctl restart 'filae-web@*.socket'",
            )
    if about["strays"]:
        broken(
            f"run as the application outside of its units: {', '.join(about['strays'][:4])}",
            "provider: find what started them (systemctl status PID), end them, and look for what else was done",
        )


@check("agent-recovery", "OPS-02")
def test_a_cut_transaction_is_taken_up_at_boot(on: Target) -> None:
    """A transaction that was cut is taken up at boot."""
    if not on.host.service("filae-recover").is_enabled:
        broken("filae-recover.service does not start with the machine")


@check("agent-version", "OPS-09")
def test_the_agent_is_this_toolkit_s(on: Target) -> None:
    """The agent on the machine is the one that this toolkit builds."""
    found = on.facts["agent"]["sha256"]
    if found != on.agent_sha256:
        broken(
            f"filaectl is {found[:16] or 'absent'}, this toolkit builds {on.agent_sha256[:16]}",
            "provider: filae-ops provision, with one version of filae-ops",
        )
