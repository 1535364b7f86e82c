"""The files of PostgreSQL's cluster as pg_createcluster(1) writes them: no setting but those of its own."""

from __future__ import annotations

import re

from filae_ops.facts.gathering import read

_HOME = r"'?/(var/lib|etc)/postgresql/\d+/main"
_LOCALE, _ZONE = r"'[A-Za-z0-9_.@-]+'", r"'[A-Za-z0-9_+/-]+'"
SETTINGS = {
    "data_directory": rf"{_HOME}'",
    "hba_file": rf"{_HOME}/pg_hba\.conf'",
    "ident_file": rf"{_HOME}/pg_ident\.conf'",
    "external_pid_file": r"'/var/run/postgresql/\d+-main\.pid'",
    "port": r"5432",
    "max_connections": r"\d+",
    "unix_socket_directories": r"'/var/run/postgresql'",
    "ssl": r"on|off",
    "ssl_cert_file": r"'/etc/ssl/certs/ssl-cert-snakeoil\.pem'",
    "ssl_key_file": r"'/etc/ssl/private/ssl-cert-snakeoil\.key'",
    "shared_buffers": r"\d+MB",
    "dynamic_shared_memory_type": r"posix",
    "max_wal_size": r"1GB",
    "min_wal_size": r"80MB",
    "log_line_prefix": r"'%m \[%p\] %q%u@%d '",
    "log_timezone": _ZONE,
    "cluster_name": r"'\d+/main'",
    "datestyle": r"'iso, [mdy]{3}'",
    "timezone": _ZONE,
    "lc_messages": _LOCALE,
    "lc_monetary": _LOCALE,
    "lc_numeric": _LOCALE,
    "lc_time": _LOCALE,
    "default_text_search_config": r"'pg_catalog\.[a-z]+'",
    "include_dir": r"'conf\.d'",
}
OTHERS = {"environment": (), "pg_ident.conf": (), "pg_ctl.conf": ("pg_ctl_options = ''",), "start.conf": ("auto",)}


def as_made(path: str) -> bool:
    """Tell whether a file of /etc/postgresql/VERSION/main says what its maker has it say, and no more."""
    rows = _settings(read(path))
    name = path.rpartition("/")[2]
    if name != "postgresql.conf":
        return name in OTHERS and set(rows) <= set(OTHERS[name])
    for row in rows:
        setting, _, value = row.partition("=")
        if not re.fullmatch(SETTINGS.get(setting.strip(), "(?!)"), value.strip()):
            return False
    return True


def _settings(text: str) -> list[str]:
    """Return the lines without their comments; a `#` inside quotes is none."""
    rows = (re.sub(r"""^((?:[^'#]|'[^']*')*)#.*$""", r"\1", row).strip() for row in text.splitlines())
    return [" ".join(row.split()) for row in rows if row]
