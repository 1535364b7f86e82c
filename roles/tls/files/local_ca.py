# Ensures an authority of the machine's own, a server certificate for the names given, and a revocation list.
# For demonstrations and tests: a hospital's posts do not trust it. Prints `changed: …` for each change.
import datetime as dt
import ipaddress
import os
import re
import subprocess
import sys

DIRECTORY = "/etc/filae/tls"
CA = DIRECTORY + "/local-ca"
DAYS = 397  # longest life that browsers accept (CA/Browser Forum, Baseline Requirements 6.3.2)
CRL_DAYS = 90
RENEW_DAYS = 30  # before `verify` asks for a new one
UNFINISHED = "/var/lib/filae-ops/unfinished"  # see place_files: what a run that was cut left to act on
SERVED = DIRECTORY + "/fullchain.pem"
APPLY = sys.argv[1] == "apply"
NAMES = sys.argv[2].split(",")
# They become lines of openssl's settings: whatever gave them, these characters alone.
if not all(re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|[0-9A-Fa-f:.]{2,45}", name) for name in NAMES):
    sys.exit("a name that no certificate can hold: %r\n  who acts: provider\n  next: correct the inventory" % NAMES)
CONFIG = """[ca]
default_ca = local
[local]
database = {ca}/index.txt
serial = {ca}/serial
crlnumber = {ca}/crlnumber
new_certs_dir = {ca}/issued
certificate = {ca}/ca.pem
private_key = {ca}/ca.key
default_md = sha256
default_crl_days = {crl_days}
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
crlDistributionPoints = URI:http://{name}/ca.crl
subjectAltName = {san}
"""


def openssl(*argv):
    return subprocess.run(["openssl", *argv], check=True, capture_output=True, text=True).stdout


def path(name):
    return os.path.join(DIRECTORY, name)


def write(where, text, mode):
    handle = os.open(where + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.rename(where + ".new", where)


def same(name):
    """Return a name or address in one spelling: openssl prints IPv6 addresses in full and in capitals."""
    try:
        return ipaddress.ip_address(name).compressed
    except ValueError:
        return name


def alternative(name):
    return ("IP:" if re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]+", name) else "DNS:") + name


def authority():
    os.makedirs(CA + "/issued", mode=0o700, exist_ok=True)
    os.chmod(DIRECTORY, 0o755)
    os.chmod(CA, 0o700)
    for name, text in (("index.txt", ""), ("crlnumber", "01\n")):
        if not os.path.exists(os.path.join(CA, name)):
            write(os.path.join(CA, name), text, 0o600)
    openssl(
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "3650",
        "-subj",
        "/CN=Filae local authority of %s" % NAMES[0],
        "-addext",
        "basicConstraints=critical,CA:TRUE,pathlen:0",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
        "-keyout",
        CA + "/ca.key",
        "-out",
        CA + "/ca.pem",
    )


def configuration():
    san = ",".join(alternative(name) for name in NAMES)
    write(CA + "/ca.cnf", CONFIG.format(ca=CA, crl_days=CRL_DAYS, name=NAMES[0], san=san), 0o600)


def certificate():
    openssl(
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=%s" % NAMES[0],
        "-keyout",
        path("key.pem.new"),
        "-out",
        CA + "/request.pem",
    )
    openssl(
        "ca",
        "-batch",
        "-notext",
        "-config",
        CA + "/ca.cnf",
        "-extensions",
        "server",
        "-days",
        str(DAYS),
        "-in",
        CA + "/request.pem",
        "-out",
        CA + "/server.pem",
    )
    with open(CA + "/server.pem", encoding="utf-8") as server, open(CA + "/ca.pem", encoding="utf-8") as root:
        chain, trust = server.read(), root.read()
    os.chmod(path("key.pem.new"), 0o600)
    os.rename(path("key.pem.new"), path("key.pem"))
    write(path("fullchain.pem"), chain, 0o644)
    write(path("served-ca.pem"), trust, 0o644)
    os.chmod(path("fullchain.pem"), 0o644)
    os.chmod(path("served-ca.pem"), 0o644)


def revocation_list():
    openssl("ca", "-config", CA + "/ca.cnf", "-gencrl", "-crldays", str(CRL_DAYS), "-out", path("ca.crl.new"))
    os.chmod(path("ca.crl.new"), 0o644)
    os.rename(path("ca.crl.new"), path("ca.crl"))


def certificate_stands():
    if not all(os.path.exists(path(name)) for name in ("key.pem", "fullchain.pem", "served-ca.pem")):
        return False
    soon = subprocess.run(
        ["openssl", "x509", "-checkend", str(RENEW_DAYS * 86400), "-noout", "-in", path("fullchain.pem")],
        capture_output=True,
    )
    text = openssl("x509", "-noout", "-ext", "subjectAltName", "-in", path("fullchain.pem"))
    have = {same(name) for name in re.findall(r"(?:DNS|IP Address):([^,\s]+)", text)}
    pair = openssl("x509", "-noout", "-pubkey", "-in", path("fullchain.pem")) == openssl(
        "pkey", "-pubout", "-in", path("key.pem")
    )
    known = subprocess.run(["openssl", "verify", "-CAfile", CA + "/ca.pem", path("fullchain.pem")], capture_output=True)
    return soon.returncode == 0 and have == set(map(same, NAMES)) and pair and known.returncode == 0


def list_stands():
    if not os.path.exists(path("ca.crl")):
        return False
    until = openssl("crl", "-noout", "-nextupdate", "-in", path("ca.crl")).split("=", 1)[1].strip()
    end = dt.datetime.strptime(until, "%b %d %H:%M:%S %Y GMT").replace(tzinfo=dt.timezone.utc)
    return end - dt.datetime.now(dt.timezone.utc) > dt.timedelta(days=RENEW_DAYS)


if not APPLY and not os.path.exists("/usr/bin/openssl"):
    print("changed: openssl is not installed yet; authority, certificate and revocation list would be made")
    sys.exit()


def cut():
    if not os.path.exists(UNFINISHED):
        return False
    with open(UNFINISHED, encoding="utf-8") as handle:
        return SERVED in handle.read().splitlines()


def promise():
    os.makedirs(os.path.dirname(UNFINISHED), mode=0o700, exist_ok=True)
    with open(UNFINISHED, "a", encoding="utf-8") as handle:
        handle.write(SERVED + "\n")
        handle.flush()
        os.fsync(handle.fileno())


steps = []
if not os.path.exists(CA + "/ca.key"):
    steps += [("local authority", authority)]
if steps or not certificate_stands():
    steps += [("authority's settings", configuration), ("server certificate", certificate)]
if steps or not list_stands():
    steps += [("revocation list", revocation_list)]
if cut():
    print("changed: an earlier run was cut before nginx read its certificate")
elif steps and APPLY:
    promise()
os.umask(0o077)  # openssl writes the authority's files anew at each use
for title, act in steps:
    print("changed: " + title)
    if APPLY:
        act()
