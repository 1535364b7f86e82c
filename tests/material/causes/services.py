"""What is wrong with the services: those that provisioning starts, the application's, the agent's."""

from __future__ import annotations

from typing import Any

from material.causes.cause import PROVISION, Cause, agent, unit


def service(check: str, name: str, more: dict[str, Any] | None = None) -> list[Cause]:
    """Return the ways in which a service that provisioning starts does not run."""

    def facts(**state: str) -> dict[str, Any]:
        return (more or {}) | unit(name, **state)

    return [
        Cause(check, "service_absent", "provider", (name, PROVISION), facts(LoadState="not-found")),
        Cause(check, "service_masked", "provider", (name, f"systemctl unmask {name}"),
              facts(LoadState="masked", ActiveState="inactive")),
        Cause(check, "service_failed", "provider", (name, "journalctl", "filae-ops provision"),
              facts(ActiveState="failed")),
        Cause(check, "service_stopped", "provider", (name, PROVISION), facts(ActiveState="inactive")),
    ]  # fmt: skip


def not_at_start(check: str, name: str) -> Cause:
    return Cause(check, "service_off", "provider", (name, PROVISION), unit(name, UnitFileState="disabled"))


def running(name: str, **state: str) -> dict[str, Any]:
    names = ("filae.target", "filae-web@blue.socket", "filae-web@blue.service")
    usual = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled"}
    units = {each: usual | (state if each == name else {}) for each in names}
    return agent() | {"units": {"units": units, "own": [], "failed": []}}


CLUSTER = unit("postgresql@17-main.service")["units"]["units"]
POSTGRESQL_OFF = unit("postgresql.service", UnitFileState="disabled")
POSTGRESQL_OFF["units"]["units"] |= CLUSTER
WEB = "filae-web@blue.service"


def isolation(**changes: Any) -> dict[str, Any]:
    """Return an application that runs, held as it should be but for what is changed."""
    held = {
        "PrivatePIDs": "yes", "LogNamespace": "filae", "Slice": "filae.slice", "TasksMax": "1024",
        "LimitNOFILE": "16384", "LimitCORE": "0", "MemoryMax": "1000",
    }  # fmt: skip
    settings = {name: changes.pop(name) for name in list(changes) if name in held}
    name = "filae-web@blue.service"
    spaces = {name: "pid:[2]", "": "pid:[1]"}
    about = {"units": {name: held | settings}, "namespaces": spaces, "sockets": {}, "strays": []}
    return agent() | {"isolation": about | changes}


SERVICES = [
    *service("service-nginx", "nginx.service"),
    not_at_start("service-nginx", "nginx.service"),
    *service("service-postgresql", "postgresql@17-main.service"),
    Cause("service-postgresql", "service_off", "provider", ("postgresql.service", PROVISION), POSTGRESQL_OFF),
    *service("service-clock", "chrony.service"),
    not_at_start("service-clock", "chrony.service"),
    Cause("service-ssh", "stopped", "provider", ("inactive", "sshd -t"), unit("ssh.service", ActiveState="inactive")),
    Cause("service-ssh", "not_at_start", "provider", ("systemctl enable ssh",),
          unit("ssh.service", UnitFileState="disabled")),
    Cause("service-failed", "failed", "provider", ("falcon.service", "systemctl status falcon.service"),
          {"units": {"failed": ["falcon.service"]}}),
    *service("app-units", "filae.target", agent()),
    Cause("app-units", "stopped", "provider", (WEB, "inactive", f"systemctl start {WEB}"),
          running(WEB, ActiveState="inactive")),
    Cause("app-units", "not_at_start", "provider", (WEB, f"systemctl enable {WEB}"),
          running(WEB, UnitFileState="disabled")),
    Cause("app-sandbox", "exposed", "provider", (f"{WEB} (4.5)", f"systemctl cat {WEB}", "remove those"),
          {"sandbox": {WEB: 4.5}}),
    Cause("app-writes", "open", "provider", (WEB, "/etc/systemd", f"systemctl cat {WEB}"),
          agent() | {"writes": {WEB: {"/etc/systemd": "written"}}}),
    Cause("app-isolation", "not_held", "provider", ("filae-web@blue.service", "PrivatePIDs=no", "systemctl cat"),
          isolation(PrivatePIDs="no")),
    Cause("app-isolation", "shares_processes", "provider", ("filae-web@blue.service", "systemctl cat"),
          isolation(namespaces={"filae-web@blue.service": "pid:[1]", "": "pid:[1]"})),
    Cause("app-isolation", "another_door", "provider", ("/run/filae/web-blue.sock (0777 filae:filae", "restart"),
          isolation(sockets={"/run/filae/web-blue.sock": {"mode": "0777", "user": "filae", "group": "filae"}})),
    Cause("app-isolation", "strays", "provider", ("sh (77)", "systemctl status PID"), isolation(strays=["sh (77)"])),
    Cause("agent-recovery", "service_off", "provider", ("filae-recover.service", PROVISION), enabled=False),
    Cause("agent-version", "different", "provider", ("0000000000000000", "1111111111111111", "filae-ops provision"),
          agent()),
]  # fmt: skip
