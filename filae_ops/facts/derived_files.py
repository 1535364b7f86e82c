"""Files that no package holds and that its scripts made: compared with what they were made from.

Sources: ucf(1), update-ca-certificates(8), pam-auth-update(8), pg_createcluster(1), update-shells(8).
"""

# One process, many files: plain functions are enough, and quick.
# ruff: noqa: PTH114, PTH119, PTH207, S324

from __future__ import annotations

import functools
import glob
import hashlib
import os
import pwd
import re
from collections.abc import Callable, Mapping

from filae_ops.facts import byte_code, cluster_files, derived_links, network_files, package_files, pam_profiles
from filae_ops.facts.gathering import Unmeasured, command, read

# The same bytes as a template of a package.
COPIES = {
    "/etc/profile": "/usr/share/base-files/profile",
    "/etc/motd": "/usr/share/base-files/motd",
    "/etc/inputrc": "/usr/share/readline/inputrc",
    "/etc/nsswitch.conf": "/usr/share/libc-bin/nsswitch.conf",
    "/root/.bashrc": "/usr/share/base-files/dot.bashrc",
    "/root/.profile": "/usr/share/base-files/dot.profile",
    "/usr/share/info/dir": "/usr/share/base-files/info.dir",
    "/var/www/html/index.nginx-debian.html": "/usr/share/nginx/html/index.html",
}
# What the system keeps of itself, caches, and what the installer says of disks and keyboard. Accounts, names and keys
# of the machine are looked at by checks of their own.
KEPT = re.compile(
    r"/etc/((passwd|group|shadow|gshadow)-?|(subuid|subgid)-)|/etc/(\.pwd\.lock|\.updated|machine-id|hostname|adjtime)|"
    r"/etc/(ld\.so\.cache|localtime|timezone|udev/hwdb\.bin|ca-certificates\.conf(\.dpkg-old)?)|"
    r"/etc/(python3/debian_config|security/opasswd|kernel-img\.conf|papersize|mailname|console-setup/cached_.*)|"
    r"/etc/lvm/(archive|backup)/.*|"
    r"/etc/ssh/ssh_host_(rsa|ecdsa|ed25519)_key(\.pub)?|/etc/ssl/private/ssl-cert-snakeoil\.key|"
    r"/usr/lib/(locale/locale-archive|udev/hwdb\.bin|[^/]+/(gconv/gconv-modules\.cache|gdk-pixbuf-.*\.cache))|"
    r"/usr/lib/modules/[^/]+/modules\.[a-z.]+|/usr/share/(mime|icons|applications|fonts|glib-2\.0/schemas)/.*|"
    r"/etc/pam\.d/.*\.pam-old|/etc/\.resolv\.conf\.systemd-resolved\.bak|"
    r"/usr/share/perl5/XML/SAX/ParserDetails\.ini|/etc/postgresql-common/root\.crt|/etc/postfix/.*\.db"
)
# What may be there without deciding anything: nothing but comments.
SILENT = re.compile(
    r"/etc/(environment|modules|hosts\.(allow|deny)|apparmor\.d/local/.*|fstab|crypttab|subuid|subgid|exports)"
)
# Where links of packages lead out of what packages hold: the kernel's places, and what changes while it runs.
# Without these, other rules hold than Debian's.
ALWAYS = (
    "/etc/group", "/etc/gshadow", "/etc/hosts", "/etc/nsswitch.conf", "/etc/pam.d/common-account",
    "/etc/pam.d/common-auth", "/etc/pam.d/common-password", "/etc/pam.d/common-session",
    "/etc/pam.d/common-session-noninteractive", "/etc/passwd", "/etc/profile", "/etc/shadow", "/etc/shells",
    "/etc/ssl/certs/ca-certificates.crt",
)  # fmt: skip
ELSEWHERE = ("/proc/", "/run/", "/dev/", "/var/", "/etc/ssl/certs")
GENERATED = "/run/systemd/generator"
GENERATORS = (
    r".*\.(mount|automount|swap|target|device)|sshd-unix-local(@\.service|\.socket)|sshd-vsock(@\.service|\.socket)|"
    r"systemd-(fsck|cryptsetup|veritysetup|growfs|remount-fs|hibernate-resume|tmpfiles-setup)[@\w.\\-]*\.(service|conf)|"
    r"(serial-|container-)?getty@[\w-]+\.service|50-[\w-]+\.conf|90-[\w-]+\.conf|netplan-[\w-]+\.service"
)
DEBIAN = re.compile(r"https?://(deb|security|ftp\.[a-z]{2}|cloudfront)\.debian\.(org|net)/debian(-security)?/?")
KEYRING = "/usr/share/keyrings/debian-archive-keyring"


def made_by(path: str, target: str) -> str:
    """Return which tool made a file or link from what packages hold; nothing when none would have made it so.

    `target`: of a link, else empty.
    """
    if path.startswith(GENERATED):
        return "a generator" if _generated(path) else ""
    if KEPT.fullmatch(path) or package_files.READING.match(path):
        return "the system"
    if target:
        return derived_links.made_by(path, target)
    if path in COPIES:
        return "a copy" if _bytes(path) == _bytes(COPIES[path]) else ""
    if path in ucf() and ucf()[path] == hashlib.md5(_bytes(path)).hexdigest():
        return "ucf"
    if SILENT.fullmatch(path) and not pam_profiles.effective(read(path)):
        return "comments alone"
    for pattern, judge in FILES.items():
        if re.fullmatch(pattern, path):
            return judge.__name__.strip("_") if judge(path) else ""
    return ""


def leads_well(path: str) -> bool:
    """Tell whether a package's link leads to nothing, or where all is looked at, or changes as the system runs."""
    real = package_files.merged(os.path.realpath(path))
    return real.startswith(("/etc/", "/usr/", *ELSEWHERE)) or not os.path.lexists(real)


@functools.cache
def ucf() -> Mapping[str, str]:
    """Return the digest of the version that ucf wrote last, by path, of the files that packages have it keep."""
    registered = _registered()
    rows = (row.split(None, 1) for row in read("/var/lib/ucf/hashfile").splitlines())
    return {row[1].strip(): row[0] for row in rows if len(row) == 2 and row[1].strip() in registered}


def _registered() -> set[str]:
    """Return the paths that a package registered and that its own script names."""
    rows = [row.split() for row in read("/var/lib/ucf/registry").splitlines()]
    return {row[-1] for row in rows if len(row) == 2 and row[1] in package_files.script(row[0], "postinst")}


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            return stream.read()
    except OSError:
        return b"\0absent"


def _pam_auth_update(path: str) -> bool:
    return pam_profiles.effective(read(path)) == pam_profiles.common(os.path.basename(path))


def _update_shells(path: str) -> bool:
    return all(package_files.packaged(row) for row in pam_profiles.effective(read(path)))


def _adduser(path: str) -> bool:
    """Tell whether numbers are lent to people's accounts alone, subuid(5): to one of the system's, nobody does."""
    system = {entry.pw_name for entry in pwd.getpwall() if entry.pw_uid < 1000}
    system |= {str(number) for number in range(1000)}
    rows = [row.split(":") for row in pam_profiles.effective(read(path))]
    return all(len(row) == 3 and row[0] not in system for row in rows)


def _generated(path: str) -> bool:
    """Tell whether a unit is one that systemd's and PostgreSQL's generators make: systemd.generator(7)."""
    name = os.path.basename(path)
    if re.fullmatch(GENERATORS, name) or os.path.islink(path):
        return True
    script = re.search(r"^SourcePath=(/etc/init\.d/[^/]+)$", read(path), re.M)
    return bool(script) and package_files.packaged(script[1]) and name == f"{os.path.basename(script[1])}.service"  # type: ignore[index]


def _installer(path: str) -> bool:
    """Tell whether a file that a shell reads sets plain values alone."""
    return all(
        re.fullmatch(
            r"(XKB|CODESET|CHARMAP|FONT|VIDEO|ACTIVE_|BACKSPACE|RESUME)[A-Z]*=(\"[^\"$`\\\\]*\"|'[^'$`]*'|[\w.,:/=+-]*)",
            row,
        )
        for row in pam_profiles.effective(read(path))
    )


def _py3compile(path: str) -> bool:
    return byte_code.of_a_module(path)


def _update_ca_certificates(path: str) -> bool:
    """Tell whether each authority in the bundle is one that a package holds."""
    known = {
        _body(read(each))
        for each in glob.glob("/usr/share/ca-certificates/**/*.crt", recursive=True)
        if package_files.packaged(each)
    }
    # These are told themselves, and declared: the bundle that is made of them needs no declaration of its own.
    known |= {_body(read(each)) for each in glob.glob("/usr/local/share/ca-certificates/**/*.crt", recursive=True)}
    return all(_body(each) in known for each in re.findall(r"-----BEGIN.*?-----END[^\n]*", read(path), re.S))


def _body(pem: str) -> str:
    return "".join(re.sub(r"-----[^-]*-----", "", pem).split())


def _snakeoil(path: str) -> bool:
    """Tell whether make-ssl-cert's certificate signs nothing: a link by its hash has it trusted."""
    try:
        return "CA:TRUE" not in command("openssl", "x509", "-in", path, "-noout", "-ext", "basicConstraints")
    except Unmeasured:
        return False


def _pg_updateaptconfig(path: str) -> bool:
    text = re.sub(r"^\s*(//|#).*$", "", read(path), flags=re.M)
    return bool(
        re.fullmatch(r'\s*APT\s*(::\s*)?\{?\s*(::)?NeverAutoRemove\s*\{\s*("[^"\n]*";\s*)*\}\s*;?\s*\}?\s*;?\s*', text)
    )


def _debian_archive(path: str) -> bool:
    """Tell whether a list of sources names Debian's own archive alone, held to Debian's own keys."""
    text = read(path)
    release = re.search(r"^VERSION_CODENAME=([a-z]+)$", read("/usr/lib/os-release"), re.M)
    suite = rf"{release[1] if release else '(?!)'}(-updates|-security|/updates|-backports)?/?"
    if path.endswith(".sources"):
        good = {
            "types": r"(deb|deb-src)( deb-src)?", "uris": DEBIAN.pattern, "suites": rf"{suite}( {suite})*",
            "components": r"[a-z -]+", "signed-by": rf"{KEYRING}\.(gpg|pgp)", "enabled": "yes",
        }  # fmt: skip
        rows = [row.partition(":") for row in pam_profiles.effective(text)]
        stanzas = len(re.findall(r"^URIs:", text, re.M | re.I))
        signed = len(re.findall(r"^Signed-By:", text, re.M | re.I))
        return stanzas == signed and all(
            re.fullmatch(good.get(key.lower(), "(?!)"), value.strip()) for key, _, value in rows
        )
    form = rf"deb(-src)? (\[signed-by={KEYRING}\.(gpg|pgp)\] )?{DEBIAN.pattern} {suite}( [a-z-]+)+"
    return all(re.fullmatch(form, row) for row in pam_profiles.effective(text))


def _pg_createcluster(path: str) -> bool:
    """Tell whether a file of the cluster says nothing but what its maker writes."""
    return cluster_files.as_made(path)


FILES: Mapping[str, Callable[[str], bool]] = {
    r"/etc/pam\.d/common-(account|auth|password|session|session-noninteractive)": _pam_auth_update,
    r"/etc/shells": _update_shells,
    r"/etc/sub[ug]id": _adduser,
    r"/etc/networks": network_files.networks,
    r"/etc/default/(keyboard|console-setup)|/etc/initramfs-tools/conf\.d/resume": _installer,
    r"/etc/hosts": network_files.hosts,
    r"/etc/ssl/certs/ca-certificates\.crt": _update_ca_certificates,
    r"/etc/ssl/certs/ssl-cert-snakeoil\.pem": _snakeoil,
    r"/etc/resolv\.conf": network_files.resolver,
    r"/etc/apt/apt\.conf\.d/(01autoremove-kernels|02autoremove-postgresql)": _pg_updateaptconfig,
    r"/etc/apt/sources\.list(\.d/debian\.sources)?": _debian_archive,
    r"/usr/(lib|share)/.*\.pyc": _py3compile,
    r"/etc/postgresql/\d+/main/[a-z_]+(\.conf)?": _pg_createcluster,
}
