"""Folders too wide to be declared as somebody's addition, and paths that are this toolkit's own."""

from __future__ import annotations

from fnmatch import fnmatchcase

CLOSED = (
    "/dev/shm", "/var/tmp",  # noqa: S108 - named, not used
    "/home/*", "/home/*/.config", "/home/*/.local", "/home/*/.ssh", "/root/.config", "/root/.local", "/root/.ssh",
    "/etc/*.d", "/etc/*/*.d", "/etc/alternatives", "/etc/apparmor", "/etc/apt/keyrings", "/etc/ca-certificates",
    "/etc/chrony", "/etc/cron.daily", "/etc/cron.hourly", "/etc/cron.monthly", "/etc/cron.weekly", "/etc/cron.yearly",
    "/etc/dbus-1", "/etc/default", "/etc/dhcp", "/etc/dpkg", "/etc/gss", "/etc/initramfs-tools/hooks",
    "/etc/initramfs-tools/scripts", "/etc/kernel", "/etc/network", "/etc/nginx/modules-*", "/etc/nginx/sites-*",
    "/etc/nginx/snippets", "/etc/opt", "/etc/perl", "/etc/perl/*", "/etc/pki", "/etc/polkit-1", "/etc/postgresql",
    "/etc/postgresql-common", "/etc/postgresql/*", "/etc/postgresql/*/*", "/etc/postgresql/*/*/conf.d",
    "/etc/python3*", "/etc/security", "/etc/selinux", "/etc/selinux/*", "/etc/skel", "/etc/ssh", "/etc/ssl/certs",
    "/etc/ssl/private", "/etc/systemd/*/*.d", "/etc/systemd/*/*.requires", "/etc/systemd/*/*.upholds",
    "/etc/systemd/*/*.wants", "/etc/systemd/network", "/etc/systemd/system", "/etc/systemd/system-*",
    "/etc/systemd/system.control", "/etc/systemd/user", "/etc/systemd/user-*", "/etc/udev", "/etc/xdg/autostart",
    "/etc/xdg/systemd", "/run/*.d", "/run/postgresql", "/run/sshd", "/run/systemd/*/*.d", "/run/systemd/*/*.requires",
    "/run/systemd/*/*.upholds", "/run/systemd/*/*.wants", "/run/systemd/generator*", "/run/systemd/network",
    "/run/systemd/system", "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/user", "/run/udev",
    "/run/user", "/run/user/*", "/usr/bin", "/usr/include", "/usr/lib/*-linux-gnu", "/usr/lib/*-linux-gnu/engines-*",
    "/usr/lib/*-linux-gnu/gconv", "/usr/lib/*-linux-gnu/ossl-modules", "/usr/lib/*-linux-gnu/perl*",
    "/usr/lib/*-linux-gnu/ruby", "/usr/lib/*-linux-gnu/sasl2", "/usr/lib/*-linux-gnu/security",
    "/usr/lib/*-linux-gnu/systemd", "/usr/lib/*.d", "/usr/lib/*/*.d", "/usr/lib/apt/methods", "/usr/lib/dpkg",
    "/usr/lib/kernel", "/usr/lib/modules", "/usr/lib/modules/*", "/usr/lib/networkd-dispatcher",
    "/usr/lib/nginx/modules", "/usr/lib/openssh", "/usr/lib/postgresql", "/usr/lib/postgresql/*",
    "/usr/lib/postgresql/*/bin", "/usr/lib/postgresql/*/lib", "/usr/lib/python3*", "/usr/lib/python3*/*",
    "/usr/lib/ruby", "/usr/lib/ruby/*", "/usr/lib/ruby/*/*", "/usr/lib/security", "/usr/lib/ssl",
    "/usr/lib/systemd/*/*.d", "/usr/lib/systemd/*/*.requires", "/usr/lib/systemd/*/*.wants", "/usr/lib/systemd/system",
    "/usr/lib/systemd/system-*", "/usr/lib/systemd/user", "/usr/lib/systemd/user-*", "/usr/lib/udev", "/usr/lib32",
    "/usr/lib64", "/usr/libexec", "/usr/libexec/dpkg", "/usr/libexec/sudo", "/usr/local/bin", "/usr/local/etc",
    "/usr/local/games", "/usr/local/include", "/usr/local/lib/*-linux-gnu", "/usr/local/lib/*.d",
    "/usr/local/lib/perl*", "/usr/local/lib/python3*", "/usr/local/lib/python3*/*", "/usr/local/lib/ruby",
    "/usr/local/lib/security", "/usr/local/lib/site_ruby", "/usr/local/lib/systemd/*/*.d",
    "/usr/local/lib/systemd/*/*.requires", "/usr/local/lib/systemd/*/*.wants", "/usr/local/lib/systemd/system",
    "/usr/local/lib/systemd/system-*", "/usr/local/lib/systemd/user", "/usr/local/libexec", "/usr/local/man",
    "/usr/local/sbin", "/usr/local/share/ca-certificates", "/usr/local/share/dbus-1", "/usr/local/share/perl",
    "/usr/local/share/polkit-1", "/usr/local/src", "/usr/sbin", "/usr/share/ca-certificates",
    "/usr/share/dbus-1/system-services", "/usr/share/dbus-1/system.d", "/usr/share/keyrings", "/usr/share/nginx",
    "/usr/share/pam", "/usr/share/pam-configs", "/usr/share/perl*", "/usr/share/polkit-1/actions",
    "/usr/share/polkit-1/rules.d", "/usr/share/postgresql", "/usr/share/ruby*", "/usr/share/rubygems-integration",
    "/usr/src", "/var/backups", "/var/cache/apt", "/var/lib/apt", "/var/lib/apt/lists", "/var/lib/dpkg",
    "/var/lib/dpkg/info", "/var/lib/gems", "/var/lib/gems/*", "/var/lib/pam", "/var/lib/polkit-1",
    "/var/lib/postgresql", "/var/lib/postgresql/*", "/var/lib/postgresql/*/*", "/var/lib/private", "/var/lib/systemd",
    "/var/lib/ucf", "/var/local", "/var/log", "/var/mail", "/var/opt", "/var/spool/cron", "/var/spool/cron/atjobs",
    "/var/spool/cron/crontabs", "/var/www", "/var/www/html",
)  # fmt: skip
"""Folders whose files decide for the whole machine, `*` for a part of a name; those above them are as closed."""

OURS = (
    "/etc/apt/apt.conf.d/90proxy", "/etc/apt/sources.list", "/etc/apt/sources.list.d/debian.sources",
    "/etc/chrony/chrony.conf", "/etc/group", "/etc/gshadow", "/etc/locale.conf", "/etc/locale.gen", "/etc/localtime",
    "/etc/nginx/nginx.conf", "/etc/passwd", "/etc/postgresql/*/*/pg_hba.conf", "/etc/shadow",
    "/etc/ssh/authorized_keys.d", "/etc/ssh/sshd_config", "/etc/sudoers", "/etc/timezone", "/var/log/journal",
)  # fmt: skip
"""What provisioning places or keeps under a name without `filae` in it, and what decides who enters."""

_LINKS = {"/bin/": "/usr/bin/", "/sbin/": "/usr/sbin/", "/lib/": "/usr/lib/", "/lib64/": "/usr/lib64/",
          "/var/run/": "/run/", "/var/lock/": "/run/lock/"}  # fmt: skip


def is_closed(path: str) -> bool:
    """Tell whether a folder is CLOSED, or holds one that is: so is each folder of the root."""
    above = f"{path.rstrip('/')}/"
    return path.count("/") < 2 or any(_matches(path, each) or _whole_names(each).startswith(above) for each in CLOSED)


def is_ours(path: str) -> bool:
    """Tell whether a path is this toolkit's own, or lies in what is."""
    parts = path.split("/")
    here = ["/".join(parts[:length]) for length in range(2, len(parts) + 1)]
    return "filae" in path.lower() or any(_matches(each, ours) for each in here for ours in OURS)


def without_links(path: str) -> str:
    """Return a path as it lies on the disk, where Debian reaches its folder by a link too."""
    return next((real + path.removeprefix(link) for link, real in _LINKS.items() if path.startswith(link)), path)


def _whole_names(pattern: str) -> str:
    """Return a pattern up to its first `*`, by whole names."""
    return f"{pattern.partition('*')[0].rpartition('/')[0] if '*' in pattern else pattern}/"


def _matches(path: str, pattern: str) -> bool:
    parts, names = path.split("/"), pattern.split("/")
    return len(parts) == len(names) and all(map(fnmatchcase, parts, names))
