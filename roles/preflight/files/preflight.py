# Measures the machine and says go or no-go, line by line; changes nothing. Standard library only.
# Read from standard input after a line `EXPECTED = "<JSON>"`; prints {"facts": …, "lines": [...]}.
# A line: {"id", "owner", "status": "go" | "warn" | "no-go", "message", "next"}.
import datetime as dt
import fcntl
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request

MEMORY_FLOOR_MIB = 1024
FREE_FLOOR_GIB = 3
TOLERANCE = 0.9  # a machine ordered with 4 GiB shows a little less: the firmware's and the kernel's share
CLOCK_LIMIT_S = 60
TIMEOUT_S = 5
NTP_EPOCH = 2208988800  # seconds from 1900 to 1970, RFC 5905

LINES = []
FACTS = {}


def line(identity, owner, good, message, step="", warn=False):
    status = "go" if good else ("warn" if warn else "no-go")
    LINES.append(
        {"id": identity, "owner": owner, "status": status, "message": message, "next": "" if good else step}
    )


def output(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def system(expected):
    path = next((path for path in ("/etc/os-release", "/usr/lib/os-release") if os.path.isfile(path)), os.devnull)
    with open(path, encoding="utf-8") as handle:
        release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', handle.read(), re.M))
    name, version = release.get("ID", "?"), release.get("VERSION_ID", "?")
    FACTS["os"] = {"id": name, "version": version}
    line(
        "os",
        "dsi",
        (name, version) == ("debian", "13"),
        "system: %s %s (wanted: debian 13)" % (name, version),
        "deliver the machine with Debian 13",
    )
    with open("/proc/1/comm", encoding="utf-8") as handle:
        line(
            "systemd",
            "dsi",
            handle.read().strip() == "systemd",
            "process 1 is systemd",
            "deliver a machine booted by systemd",
        )
    line(
        "root",
        "dsi",
        os.geteuid() == 0,
        "root rights through sudo: uid %d" % os.geteuid(),
        "let the first account use sudo without a password",
    )


def resources(expected):
    cpus = len(os.sched_getaffinity(0))
    with open("/proc/meminfo", encoding="utf-8") as handle:
        memory = int(re.search(r"MemTotal:\s+(\d+)", handle.read()).group(1)) // 1024
    seen, total, free = set(), 0, None
    for path in ("/", "/var", "/srv", "/opt", "/home"):
        stat = os.statvfs(path)
        device = os.stat(path).st_dev
        if device not in seen:
            seen.add(device)
            total += stat.f_frsize * stat.f_blocks
        if path in ("/", "/var", "/srv", "/opt"):
            here = stat.f_frsize * stat.f_bavail / 2**30
            free = here if free is None else min(free, here)
    total /= 2**30
    FACTS.update(
        {"cpus": cpus, "memory_mib": memory, "disk_gib": round(total, 1), "free_gib": round(free, 1)}
    )
    want = expected["machine"]
    line(
        "cpu",
        "dsi",
        cpus >= want["cpus"],
        "processors: %d (declared: %d)" % (cpus, want["cpus"]),
        "give the machine its processors",
    )
    floor = max(MEMORY_FLOOR_MIB, int(want["memory_mib"] * TOLERANCE))
    line(
        "memory",
        "dsi",
        memory >= floor,
        "memory: %d MiB (declared: %d, at least %d)" % (memory, want["memory_mib"], floor),
        "give the machine its memory",
    )
    line(
        "disk",
        "dsi",
        total >= want["disk_gib"] * TOLERANCE,
        "disk: %.1f GiB (declared: %d)" % (total, want["disk_gib"]),
        "give the machine its disk",
    )
    line(
        "disk-free",
        "dsi",
        free >= FREE_FLOOR_GIB,
        "free disk: %.1f GiB (at least %d)" % (free, FREE_FLOOR_GIB),
        "enlarge the file system, or free space on it",
    )


def clock(expected):
    skew = abs(time.time() - expected["now"])
    line(
        "clock",
        "dsi",
        skew <= CLOCK_LIMIT_S,
        "clock: %.0f s from the controller's (limit %d s)" % (skew, CLOCK_LIMIT_S),
        "set the machine's clock from the hospital's time servers",
    )
    answers = [source for source in expected["time_sources"] if ntp_answers(source)]
    line(
        "time-source",
        "dsi",
        bool(answers),
        "time servers that answer: %s of %s"
        % (", ".join(answers) or "none", ", ".join(expected["time_sources"])),
        "open UDP 123 from the machine to the time servers",
        warn=True,
    )


def ntp_answers(source):
    try:
        with socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(2)
            udp.sendto(b"\x23" + 47 * b"\0", (source, 123))
            return len(udp.recv(512)) >= 48
    except OSError:
        return False


def names(expected):
    question = (
        b"".join(bytes([len(part)]) + part.encode() for part in expected["public_name"].split(".")) + b"\0"
    )
    packet = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0" + question + b"\0\x01\0\x01"
    answers = []
    for server in expected["dns_servers"]:
        try:
            with socket.socket(
                socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM
            ) as udp:
                udp.settimeout(2)
                udp.sendto(packet, (server, 53))
                if udp.recv(512)[:2] == b"\x12\x34":
                    answers.append(server)
        except OSError:
            pass
    wanted = expected["dns_servers"]
    line(
        "dns",
        "dsi",
        len(answers) == len(wanted),
        "name servers that answer: %s of %s" % (", ".join(answers) or "none", ", ".join(wanted)),
        "open UDP 53 from the machine to its name servers",
    )
    try:
        found = sorted({entry[4][0] for entry in socket.getaddrinfo(expected["public_name"], 443)})
    except OSError:
        found = []
    line(
        "public-name",
        "dsi",
        bool(found),
        "%s resolves on the machine to: %s" % (expected["public_name"], ", ".join(found) or "nothing"),
        "create the DNS record of the public name",
        warn=True,
    )


def apt(expected):
    mirrors = [expected["mirror"]["url"]] if expected.get("mirror") else apt_uris()
    proxy = expected.get("proxy") or re.sub(
        r'.*"(.*)".*', r"\1", output("apt-config", "dump", "Acquire::http::Proxy").strip()
    )
    handler = urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {})
    opener = urllib.request.build_opener(handler)
    dead = []
    for mirror in mirrors:
        try:
            opener.open(urllib.request.Request(mirror.rstrip("/") + "/", method="HEAD"), timeout=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            # Mirrors may refuse to list a directory; a proxy that refuses or cannot reach them says 403 or 5xx.
            if error.code >= 500 or (error.code == 403 and proxy):
                dead.append("%s (%s)" % (mirror, error))
        except OSError as error:
            dead.append("%s (%s)" % (mirror, getattr(error, "reason", error)))
    text = "package mirrors answer%s: %s" % (
        " through " + proxy if proxy else "",
        ", ".join(mirrors) or "none configured",
    )
    if dead:
        text = "package mirrors that do not answer: " + ", ".join(dead)
    line(
        "apt-mirror",
        "dsi",
        bool(mirrors) and not dead,
        text,
        "open the flow from the machine to the mirror or its proxy",
    )
    busy = dpkg_holder()
    limit = time.monotonic() + expected.get("patience", 0)
    while busy and busy["ours"] and time.monotonic() < limit:  # of a run that was interrupted: it ends by itself
        time.sleep(0.5)
        busy = dpkg_holder()
    line(
        "dpkg",
        "provider",
        not busy,
        "dpkg is free" if not busy else "dpkg is locked: %s" % busy["words"],
        "wait for the other installation to end, then run the same command again",
    )
    broken = output("dpkg", "--audit").strip()
    line(
        "dpkg-state",
        "provider",
        not broken,
        "dpkg has no half-installed package" if not broken else "dpkg --audit: " + broken.splitlines()[0],
        "on the machine: dpkg --configure -a",
    )


def apt_uris():
    paths = [
        os.path.join("/etc/apt/sources.list.d", name)
        for name in sorted(os.listdir("/etc/apt/sources.list.d"))
    ]
    found = set()
    for path in ["/etc/apt/sources.list", *paths]:
        if os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as handle:
                for entry in handle:
                    if re.match(r"\s*(deb\s|URIs:)", entry):
                        found.update(re.findall(r"https?://[^\s\]]+", entry))
    return sorted(found)


def held(path):
    if not os.path.exists(path) or not os.access(path, os.W_OK):
        return False
    with open(path, "r+", encoding="utf-8") as handle:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def dpkg_holder():
    path = next((path for path in ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock") if held(path)), None)
    if path is None:
        return None
    inode = os.stat(path).st_ino
    with open("/proc/locks", encoding="utf-8") as handle:
        pids = [entry.split()[4] for entry in handle if entry.split()[5].endswith(":%d" % inode)]
    try:
        with open("/proc/%s/cmdline" % pids[0], encoding="utf-8") as command:
            words = command.read().replace("\0", " ").strip()
        with open("/proc/%s/environ" % pids[0], "rb") as environment:
            ours = b"FILAE_OPS=provision" in environment.read().split(b"\0")
    except (IndexError, OSError):  # it has just ended
        return {"words": path, "ours": False}
    return {"words": "%s is held by process %s (%s)" % (path, pids[0], words[:200]), "ours": ours}


def ports(expected):
    for entry in output("ss", "-H", "-ltnp").splitlines():
        local = entry.split()[3]
        port = local.rsplit(":", 1)[1]
        owner = re.search(r'\(\("([^"]+)"', entry)
        program = owner.group(1) if owner else "unknown"
        if port in ("80", "443") and program != "nginx":
            line(
                "port-%s" % port,
                "dsi",
                False,
                "port %s is taken by %s (%s)" % (port, program, local),
                "remove %s from this machine: it is dedicated to Filaé" % program,
            )
    if not any(each["id"].startswith("port-") for each in LINES):
        line("ports", "dsi", True, "ports 80 and 443 are free, or nginx's")


def flows(expected):
    for target in expected["tcp_out"]:
        try:
            with socket.create_connection((target["host"], target["port"]), timeout=TIMEOUT_S):
                good = True
        except OSError:
            good = False
        line(
            "flow-" + target["id"],
            "dsi",
            good,
            "flow %s: TCP %s:%s %s"
            % (target["id"], target["host"], target["port"], "answers" if good else "does not answer"),
            "open the declared flow from the machine",
            warn=True,
        )


def transaction(expected):
    state = output("systemctl", "show", "filae-transaction.service", "--property=ActiveState,Description")
    busy = "ActiveState=active" in state or "ActiveState=activating" in state
    who = re.search(r"Description=(.*)", state)
    line(
        "transaction",
        "provider",
        not busy,
        "nothing changes the machine" if not busy else "being changed by: %s" % (who.group(1) if who else "?"),
        "wait for its end, then run the same command again",
    )
    if os.access("/usr/local/sbin/filaectl", os.X_OK) and not busy:
        unfinished = subprocess.run(
            ["/usr/local/sbin/filaectl", "_replaceable"], capture_output=True, text=True, timeout=30
        ).stderr
        told = re.search(r"filaectl: (.*)\n\s*who acts: (\w+)(?:\n\s*next: (.*))?", unfinished)
        if told:
            line("open-transaction", told.group(2), False, told.group(1), told.group(3) or "filaectl attach")


def main():
    expected = json.loads(EXPECTED)  # noqa: F821
    for check in (system, resources, clock, names, apt, ports, flows, transaction):
        try:
            check(expected)
        except Exception as error:  # one check that breaks must not hide the others, nor pass
            line(
                check.__name__,
                "provider",
                False,
                "check %s broke: %s: %s" % (check.__name__, type(error).__name__, error),
                "report this",
            )
    FACTS["at"] = dt.datetime.now(dt.timezone.utc).isoformat()
    print(json.dumps({"facts": FACTS, "lines": LINES}))
    return 0


sys.exit(main())
