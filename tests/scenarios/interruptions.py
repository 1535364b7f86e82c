"""A machine whose transactions are struck one after the other under load, and never cleaned up in between."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from load import TIMEOUT, Load, Place, Records
from sites import LONG, Site

from filae_ops.agent.steps import catalogue
from filae_ops.lab import lifecycle

STRIKER = (Path(__file__).parent / "striker.py").read_text()
BOUND = 45  # seconds in which a recovery must end, on a machine that others load too
LATER = 0.15  # seconds into a long step
# Some steps last a millisecond. A blow that comes a step late is judged like any other; then another one is aimed.
AIMS = 12

PREPARE = """
python3 - <<'END'
import json
path = "/etc/filae/agent.json"
config = json.load(open(path))
config["timings"].update(soak={soak}, settle=0.2, lock_wait=0.2)
json.dump(config, open(path, "w"))
END
systemctl stop filae-refresh.timer
sed 's/^MemAvailable:.*/MemAvailable: 20480 kB/' /proc/meminfo >/run/meminfo
"""
# What each mode and kind needs beforehand: little memory, a package that changed after the release was started.
MODE = {
    "one": "mountpoint -q /proc/meminfo || mount --bind /run/meminfo /proc/meminfo",
    "two": "! mountpoint -q /proc/meminfo || umount /proc/meminfo",
}
# So that each deploy of the minimal application has all to do: a migration and the setup of a first day.
NARROW = """rm -f /var/lib/filae-ops/setup-done; runuser -u postgres -- psql -q filae -c "
    ALTER TABLE records DROP COLUMN IF EXISTS note;
    DELETE FROM schema_migrations WHERE version = '20260201000000'" 2>/dev/null"""
STALE = "touch /var/lib/dpkg/info/libruby3.3*.list"


@dataclass
class Subject:
    """A machine, two releases of its application (the lower one is live at first), and all that it acknowledged."""

    site: Site
    records: Records
    bundles: Mapping[str, Path]
    rate: float = 40
    before_deploy: str = "true"
    kept: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.low, self.high = sorted(self.bundles)
        self.live = self.low
        said = json.loads(self.run("cat /etc/filae/agent.json"))
        self.place = Place(self.site.machine.address, said["public_name"], self.run(f"cat {said['ca_file']}"))
        self.run(PREPARE.format(soak=1))
        for path in (self.bundles[self.high], Path(f"{self.bundles[self.high]}.sig")):
            argv = lifecycle.ssh_argv(self.site.machine, [f"sudo tee /root/{path.name}"])
            subprocess.run(argv, input=path.read_bytes(), stdout=subprocess.DEVNULL, check=True, timeout=60)

    def run(self, line: str) -> str:
        """Run a shell line on the machine; return what it prints."""
        done = self.site.run(line, timeout=120)
        assert done.returncode == 0, f"{line[:200]}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def striker(self, *words: str) -> str:
        """Run the striker on the machine; return what it prints."""
        done = self.site.run("python3", "-c", STRIKER, *words, timeout=LONG)
        assert done.returncode == 0, f"{words}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        return done.stdout

    def load(self, timeout: float = TIMEOUT) -> Load:
        """Return a load on this machine; what it acknowledges is kept with all before."""
        return Load(self.place, self.records, rate=self.rate, kept=self.kept, timeout=timeout)

    def command(self, kind: str) -> list[str]:
        """Return the operation's words."""
        return ["filaectl", kind, *([f"/root/{self.bundles[self.high].name}"] if kind == "deploy" else [])]

    def prepare(self, kind: str, mode: str) -> None:
        """Bring the machine to where this kind begins: a deploy goes up, a rollback goes down."""
        wanted = {"deploy": self.low, "rollback": self.high}.get(kind, self.live)
        if self.live != wanted:
            self.run(MODE["two"])
            left = json.loads(self.striker("done", *self.command("rollback" if kind == "deploy" else "deploy")))
            self.live = wanted
            self.assert_whole(left)
        self.run("; ".join([MODE[mode], {"deploy": self.before_deploy, "refresh": STALE}.get(kind, "true")]))

    @contextmanager
    def struck(self, kind: str, mode: str) -> Iterator[list[str]]:
        """Prepare; after the block, in which the transaction is struck, wait for its end and judge what is left.

        The list that it yields holds the steps begun before the blow, once the block has ended.
        """
        begun: list[str] = []
        self.prepare(kind, mode)
        yield begun
        left = json.loads(self.striker("settled"))
        events = left["events"]
        names = [event["event"] for event in events]
        before = events[: names.index("recover")] if "recover" in names else []
        pivoted = any(event["event"] == "done" and event["step"] == catalogue.PIVOT for event in before or events)
        wanted = "committed" if pivoted else "rolled-back"
        assert [name for name in names if name in ("committed", "rolled-back", "gave-up")] == [wanted], told(events)
        assert left["waited"] < BOUND, told(events)
        if pivoted and kind != "refresh":
            self.live = self.high if kind == "deploy" else self.low
        self.assert_whole(left)
        begun.extend(event["step"] for event in before if event["event"] == "step")

    def assert_whole(self, left: Mapping[str, Any]) -> None:
        """Exactly one version is live, all of it, on one colour; nothing is left of what was struck."""
        status, events = left["status"], told(left["events"])
        assert (status["version"], status["healthy"], status["lock"]) == (self.live, True, None), f"{status}\n{events}"
        colour = status["colour"]
        web = {f"filae-web@{colour}.{kind}" for kind in ("service", "socket")}
        workers = {f"filae-worker@worker-{colour}.service"} & {*left["active"], *left["enabled"]}
        assert set(left["active"]) == set(left["enabled"]) == web | workers, f"{left}\n{events}"
        assert left["colours"][colour] == self.live
        assert left["current"].endswith(f"/{self.live}"), left["current"]
        assert set(left["releases"]) <= {self.low, self.high}, left["releases"]
        assert self.live in left["releases"]
        assert (left["failed"], left["leftovers"]) == ([], []), f"{left}\n{events}"

    def assert_nothing_lost(self, load: Load) -> None:
        """All that was ever acknowledged is there, and each answer is of the live release."""
        assert load.missing() == []
        assert set(load.answering(10)) <= {self.live, ""}

    def kill(self, kind: str, mode: str, step: str, later: float = 0) -> None:
        """Kill a transaction in a step, under load: no request fails, whatever becomes of it."""
        assert any(self.killed(kind, mode, step, later) for _ in range(AIMS)), f"{step} was never struck"

    def killed(self, kind: str, mode: str, step: str, later: float) -> bool:
        """Kill a transaction once; return whether the step that was aimed at was struck."""
        with self.load() as load, self.struck(kind, mode) as begun:
            print(self.striker("strike", step, str(later), "kill", *self.command(kind)), end="")
        assert load.outcome.failed == [], str(load.outcome)
        self.assert_nothing_lost(load)
        print(f"{kind} {mode} {step}+{later}: struck in {begun[-1:]}, {load.outcome}")
        return begun[-1:] == [step]

    def cut(self, kind: str, step: str, how: str, later: float = 0) -> None:
        """Cut the power in a step, or reboot: requests fail while the machine is off, and none before or after."""
        assert any(self.was_cut(kind, step, how, later) for _ in range(AIMS)), f"{step} was never struck"

    def was_cut(self, kind: str, step: str, how: str, later: float) -> bool:
        """Cut or reboot once; return whether the step that was aimed at was struck.

        A machine that reboots stops in its own time: the transaction may be steps further then.
        """
        reboots = how == "reboot"
        self.run(PREPARE.format(soak=4 if reboots else 1))
        with self.struck(kind, "two") as begun, self.load(timeout=2) as load:
            if reboots:
                self.reboot("strike", step, str(later), "reboot", *self.command(kind))
            else:
                print(self.striker("strike", step, str(later), "stop", *self.command(kind)), end="")
                lifecycle.stop(self.site.machine, cut=True)
                lifecycle.start(self.site.machine)
        assert self.kept
        self.assert_nothing_lost(load)
        with self.load() as after:
            time.sleep(0.5)
        assert after.outcome.failed == [], str(after.outcome)
        return step in (begun if reboots else begun[-1:])

    def reboot(self, *words: str) -> None:
        """Have the striker reboot the machine, and wait until it is there again."""
        boot = "cat /proc/sys/kernel/random/boot_id"
        before, limit = self.run(boot), time.monotonic() + LONG
        self.site.run("python3", "-c", STRIKER, *words)
        while (done := self.site.run(boot)).returncode != 0 or done.stdout == before:
            assert time.monotonic() < limit, "it does not come back"
            time.sleep(0.1)


def told(events: list[dict[str, Any]]) -> str:
    """Return events as lines, without what all have."""
    common = {"format", "time", "boot", "machine", "tx", "bundle", "sha256"}
    return "\n".join(str({k: v for k, v in e.items() if k not in common}) for e in events)
