# Measures the machine and says go or no-go, line by line; changes nothing. Standard library only.
# Read from standard input after a line `EXPECTED = "<JSON>"`; prints {"facts": …, "lines": [...]}.
# A line: {"id", "owner", "status": "go" | "warn" | "no-go", "message", "next", "values": what the message shows}.
import contextlib
import fcntl
import json
import os
import re
import socket
import struct
import subprocess
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor

MEMORY_FLOOR_MIB = 1024
FREE_FLOOR_GIB = 3
WRITTEN = ("/", "/var", "/srv", "/opt")  # where a provisioning and a deployment write
APART = ("/home", "/srv/filae", "/var/backups", "/var/lib/postgresql")  # may be file systems of their own
TOLERANCE = 0.9  # a machine ordered with 4 GiB shows a little less: the firmware's and the kernel's share
CLOCK_LIMIT_S = 60
TIMEOUT_S = 5
DEBIAN_FILES = ("/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources")
SOURCES = (".list", ".sources")  # apt reads no other file there

LINES = []
FACTS = {}


def line(identity, good, message, step, owner="dsi", warn=False, **values):
    status = "go" if good else ("warn" if warn else "no-go")
    told = {"message": message, "next": "" if good else step, "values": values}
    LINES.append({"id": identity, "owner": owner, "status": status, **told})


def read(path):
    with open(path, encoding="utf-8", errors="replace") as handle:
        return handle.read()


def output(*argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=30).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def problem_of(attempt, *words, **options):
    try:
        attempt(*words, **options)
    except OSError as error:
        return error.strerror or str(error)
    return ""


def listed(found):
    return ", ".join(found) or "none"


def system(expected):
    path = next((path for path in ("/etc/os-release", "/usr/lib/os-release") if os.path.isfile(path)), os.devnull)
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', read(path), re.M))
    name, version = release.get("ID", "?"), release.get("VERSION_ID", "?")
    FACTS["os"] = {"id": name, "version": version}
    good = (name, version) == ("debian", "13")
    line("os", good, f"system: {name} {version} (wanted: debian 13)", "deliver the machine with Debian 13")
    first = read("/proc/1/comm").strip()
    line("systemd", first == "systemd", f"process 1 is {first}", "deliver a machine booted by systemd")
    text = f"root rights through sudo: uid {os.geteuid()}"
    line("root", os.geteuid() == 0, text, "let the first account use sudo without a password")


def sizes():
    total, free = {}, []
    for path in filter(os.path.isdir, (*WRITTEN, *APART)):
        stat = os.statvfs(path)
        total[os.stat(path).st_dev] = stat.f_frsize * stat.f_blocks / 2**30
        if path in WRITTEN:
            free.append(stat.f_frsize * stat.f_bavail / 2**30)
    return sum(total.values()), min(free)


def resources(expected):
    want = expected["machine"]
    cpus = len(os.sched_getaffinity(0))
    memory = int(re.search(r"MemTotal:\s+(\d+)", read("/proc/meminfo")).group(1)) // 1024
    floor = max(MEMORY_FLOOR_MIB, int(want["memory_mib"] * TOLERANCE))
    total, free = sizes()
    text = f"processors: {cpus} (declared: {want['cpus']})"
    line("cpu", cpus >= want["cpus"], text, "give the machine its processors", found=cpus)
    text = f"memory: {memory} MiB (declared: {want['memory_mib']}, at least {floor})"
    line("memory", memory >= floor, text, "give the machine its memory", found=memory, least=floor)
    text = f"disk: {total:.1f} GiB (declared: {want['disk_gib']})"
    line("disk", total >= want["disk_gib"] * TOLERANCE, text, "give the machine its disk", found=round(total, 1))
    text = f"free disk: {free:.1f} GiB (at least {FREE_FLOOR_GIB})"
    line("disk-free", free >= FREE_FLOOR_GIB, text, "enlarge the file system, or free space on it")


def asked(server, port, packet):
    """What a server answers to a datagram, sent three times within 5 s: one may be lost. Empty: nothing."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as udp:
        udp.connect((server, port))  # else it would count among the sockets that wait for anyone
        for wait_s in (1, 1, 3):
            udp.settimeout(wait_s)
            try:
                udp.send(packet)
                return udp.recv(512)
            except TimeoutError:
                continue
            except OSError:  # refused: it may be about to start
                time.sleep(wait_s / 2)
    return b""


def clock(expected):
    skew = abs(time.time() - expected["now"])
    text = f"clock: {skew:.0f} s from the controller's (limit {CLOCK_LIMIT_S} s)"
    line("clock", skew <= CLOCK_LIMIT_S, text, "set the machine's clock from the hospital's time servers")
    wanted = expected["time_sources"]
    answers = [source for source in wanted if len(asked(source, 123, b"\x23" + 47 * b"\0")) >= 48]
    text = f"time servers that answer: {listed(answers)} of {listed(wanted)}"
    line("time-source", bool(answers), text, "open UDP 123 from the machine to the time servers", warn=True)


def names(expected):
    name, wanted = expected["public_name"], expected["dns_servers"]
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    packet = b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"
    answers = [server for server in wanted if asked(server, 53, packet)[:2] == b"\x12\x34"]
    text = f"name servers that answer: {listed(answers)} of {listed(wanted)}"
    silent = [server for server in wanted if server not in answers]
    line("dns", not silent, text, "open UDP 53 from the machine to its name servers", silent=silent)
    try:
        found = sorted({entry[4][0] for entry in socket.getaddrinfo(name, 443)})
    except OSError:
        found = []
    text = f"{name} resolves on the machine to: {', '.join(found) or 'nothing'}"
    line("public-name", bool(found), text, "create the DNS record of the public name", warn=True)


def mirrors(expected):
    found = apt_sources()
    declared = [url for url in (expected.get("mirror") or {}).values() if url]
    # Without a declared mirror, those that the machine came with: in Debian's own files, or wherever it has them.
    own = declared or sorted({uri for uri, path in found if path in DEBIAN_FILES} or {uri for uri, _ in found})
    others = {uri: path for uri, path in found if uri not in own and path not in DEBIAN_FILES}
    configured_proxy = output("apt-config", "dump", "Acquire::http::Proxy").strip()
    proxy = expected.get("proxy") or re.sub(r'.*"(.*)".*', r"\1", configured_proxy)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy, "https": proxy} if proxy else {}))
    with ThreadPoolExecutor(8) as pool:
        looks = {uri: pool.submit(silence, opener, uri, proxy) for uri in [*own, *others]}
        dead = {uri: problem for uri, look in looks.items() if (problem := look.result())}
    silent = [f"{uri} ({dead[uri]})" for uri in own if uri in dead]
    text = f"package mirrors answer{' through ' + proxy if proxy else ''}: {listed(own)}"
    step = "open the flow from the machine to the mirror or its proxy"
    if silent:
        text = "package mirrors that do not answer: " + ", ".join(silent)
    elif not own:
        text, step = "no package mirror is set up", "give the machine Debian's package sources in /etc/apt/sources.list"
    line("apt-mirror", bool(own) and not silent, text, step, silent=silent, proxy=proxy)
    silent = [f"{uri} ({others[uri]}: {dead[uri]})" for uri in others if uri in dead]
    text = f"other package sources that do not answer: {', '.join(silent)}"
    if not silent:
        text = f"other package sources that answer: {listed(others)}"
    step = "remove them from the machine, or have the DSI open their flow"
    line("apt-other", not silent, text, step, "provider", warn=True, silent=silent)


def silence(opener, uri, proxy):
    """Why a mirror does not answer, or nothing."""
    try:
        opener.open(urllib.request.Request(uri.rstrip("/") + "/", method="HEAD"), timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        # Mirrors may refuse to list a directory; a proxy that refuses or cannot reach them says 403 or 5xx.
        return str(error) if error.code >= 500 or (error.code == 403 and proxy) else ""
    except OSError as error:
        return str(getattr(error, "reason", error))
    return ""


def apt_sources():
    """Each address of a package source, with the file that names it."""
    folder = "/etc/apt/sources.list.d"
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    found = []
    for path in [DEBIAN_FILES[0], *(os.path.join(folder, name) for name in names if name.endswith(SOURCES))]:
        for entry in read(path).splitlines() if os.path.isfile(path) else ():
            if re.match(r"\s*(deb\s|URIs:)", entry):
                found += [(uri, path) for uri in re.findall(r"https?://[^\s\]]+", entry)]
    return found


def dpkg(expected):
    limit = time.monotonic() + expected.get("patience", 0)
    busy, ours = dpkg_holder()
    while ours and time.monotonic() < limit:  # of a run that was interrupted: it ends by itself
        time.sleep(0.5)
        busy, ours = dpkg_holder()
    text = f"dpkg is locked: {busy}" if busy else "dpkg is free"
    line("dpkg", not busy, text, "wait for the other installation to end, then run the same command again", "provider")
    broken = output("dpkg", "--audit").strip()
    text = "dpkg --audit: " + broken.splitlines()[0] if broken else "dpkg has no half-installed package"
    line("dpkg-state", not broken, text, "on the machine: dpkg --configure -a", "provider")


def held(path):
    if not os.access(path, os.W_OK):
        return False
    # Asked, not taken: two who look must not take each other for apt.
    asked = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with open(path, "r+", encoding="utf-8") as handle:
        return struct.unpack("hhqqi4x", fcntl.fcntl(handle, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK


def dpkg_holder():
    """Who holds dpkg's lock, and whether it is a provisioning of ours."""
    path = next((path for path in ("/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock") if held(path)), None)
    if path is None:
        return "", False
    inode = os.stat(path).st_ino
    pids = [entry.split()[4] for entry in read("/proc/locks").splitlines() if entry.split()[5].endswith(f":{inode}")]
    try:
        words = read(f"/proc/{pids[0]}/cmdline").replace("\0", " ").strip()
        ours = "FILAE_OPS=provision" in read(f"/proc/{pids[0]}/environ").split("\0")
    except (IndexError, OSError):  # it has just ended
        return path, False
    return f"{path} is held by process {pids[0]} ({words[:200]})", ours


def ports(expected):
    taken = False
    for entry in output("ss", "-H", "-ltnp").splitlines():
        local = entry.split()[3]
        port = local.rsplit(":", 1)[1]
        owner = re.search(r'\(\("([^"]+)"', entry)
        program = owner.group(1) if owner else "unknown"
        if port in ("80", "443") and program != "nginx":
            taken = True
            step = f"remove {program} from this machine: it is dedicated to Filaé"
            line(f"port-{port}", False, f"port {port} is taken by {program} ({local})", step)
    if not taken:
        line("ports", True, "ports 80 and 443 are free, or nginx's", "")


def ipv6(expected):
    """nginx listens on [::], and Debian's package fails to install where it cannot; no address is needed for it."""
    problem = problem_of(socket.create_server, ("::", 0), family=socket.AF_INET6)
    cause = ", ipv6.disable=1 on the kernel's command line" if "ipv6.disable=1" in read("/proc/cmdline") else ""
    text = f"nginx cannot listen on [::]: {problem}{cause}" if problem else "nginx can listen on [::]"
    step = "start the kernel without ipv6.disable=1; net.ipv6.conf.all.disable_ipv6=1 keeps IPv6 off the network"
    line("ipv6", not problem, text, step)


def flows(expected):
    for target in expected["tcp_out"]:
        problem = problem_of(socket.create_connection, (target["host"], target["port"]), TIMEOUT_S)
        text = "flow {id}: TCP {host}:{port} ".format(**target) + ("does not answer" if problem else "answers")
        line("flow-" + target["id"], not problem, text, "open the declared flow from the machine", warn=True)


def transaction(expected):
    state = output("systemctl", "show", "filae-transaction.service", "--property=ActiveState,Description")
    busy = "ActiveState=active" in state or "ActiveState=activating" in state
    who = re.search(r"Description=(.*)", state)
    text = f"being changed by: {who.group(1) if who else '?'}" if busy else "nothing changes the machine"
    line("transaction", not busy, text, "wait for its end, then run the same command again", "provider")
    agent = "/usr/local/sbin/filaectl"
    if os.access(agent, os.X_OK) and not busy:
        said = subprocess.run([agent, "_replaceable"], capture_output=True, text=True, timeout=30).stderr
        told = re.search(r"filaectl: (.*)\n\s*who acts: (\w+)(?:\n\s*next: (.*))?", said)
        if told:
            line("open-transaction", False, told.group(1), told.group(3) or "filaectl attach", told.group(2))


def main():
    expected = json.loads(EXPECTED)  # noqa: F821
    for check in (system, resources, clock, names, mirrors, dpkg, ports, ipv6, flows, transaction):
        name = check.__name__
        try:
            check(expected)
        except Exception as error:  # one check that breaks must not hide the others, nor pass
            line(name, False, f"check {name} broke: {type(error).__name__}: {error}", "report this", "provider")
    print(json.dumps({"facts": FACTS, "lines": LINES}))


main()
