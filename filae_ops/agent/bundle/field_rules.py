"""The kinds of values that a contract holds, each as narrow as its use on the machine.

A rule returns the value that it was given; ValueError says what the value is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import TypeVar

from filae_ops.agent.system.layout import COLOURS
from filae_ops.agent.system.plain_text import one_line
from filae_ops.agent.system.versions import version_key

MANY = 500
_RESERVED_ENV = frozenset({
    "BUNDLE_APP_CONFIG", "CREDENTIALS_DIRECTORY", "DATABASE_URL", "HOME", "LANG", "LC_ALL", "LOGNAME",
    "NOTIFY_SOCKET", "PATH", "PUBLIC_HOST", "RACK_ENV", "RAILS_ENV", "SHELL", "USER",
})  # fmt: skip
_RESERVED_PREFIXES = ("LD_", "LISTEN_", "PG", "SYSTEMD_")
# What the toolkit runs beside the processes of a release, each by this name.
_RESERVED_PROCESSES = ("migrate", "setup", "probe", "files_check", "lock", "gems", "store")
# nginx takes 4096 characters in one parameter; the rest is for the digests and for kept releases.
_HASHED_LENGTH = 1500
_PARTS = 100
MAINTENANCE_PAGE = "maintenance.html"

Rule = Callable[[str], str]
_Several = TypeVar("_Several", bound=Collection[object])


def _matching(pattern: str, meaning: str) -> Rule:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(f"is not {meaning}")
        return value

    return check


slug = _matching(r"(?=.{1,40}\Z)[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", "a name (a-z, 0-9, - and _ inside)")
ruby_series = _matching(r"[1-9]\.[0-9]{1,2}", 'a Ruby series such as "3.3"')
# apt-get removes the package before a final hyphen.
package = _matching(r"[a-z0-9][a-z0-9+.-]{0,98}[a-z0-9+]", "the name of a Debian package")
extension = _matching(r"[a-z][a-z0-9_-]{0,62}", "the name of a PostgreSQL extension")
locale = _matching(r"(?:C|[a-z]{2,3}_[A-Z]{2})\.UTF-8(?:@[a-z]+)?", "a UTF-8 locale such as C.UTF-8")
calendar = _matching(
    r"(?=.{1,100}\Z)[A-Za-z0-9*][A-Za-z0-9*/:,.~ _+-]*", "a systemd calendar such as daily or *-*-* 02:30"
)
schema_version = _matching(r"[0-9]{1,20}", "a schema version (digits only)")
url_path = _matching(
    r"(?!.*(?:\.\.|//|/\.(?:/|\Z)))/[A-Za-z0-9._~/-]{0,500}",
    "a path of a URL such as /health (letters, digits and . _ ~ - only, no `..`, no empty part)",
)
json_key = _matching(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", "a key of a JSON object")
header = _matching(r"[A-Za-z][A-Za-z0-9-]{0,63}", "the name of a header")
body_size = _matching(r"[1-9][0-9]{0,5}[kKmMgG]", "a size for nginx such as 20m")
_variable = _matching(r"[A-Z_][A-Z0-9_]{0,63}", "the name of an environment variable (capitals, digits, _)")
_program = _matching(r"[A-Za-z0-9][A-Za-z0-9._+-]*", "the name of a program of /usr/bin")
# What nginx, systemd and a command line all take as it is.
_plain_path = _matching(r"[A-Za-z0-9._~/-]*", "a path of letters, digits and . _ ~ - only")


def choice(*values: str) -> Rule:
    """Return the rule of a value that is one of these."""

    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"is not one of {', '.join(values)}")
        return value

    return check


def version(value: str) -> str:
    """Require a version that can be ordered."""
    try:
        version_key(value)
    except ValueError:
        raise ValueError("is not a version such as 2.1.0 or 2.1.0-rc.1") from None
    return value


def path_problem(path: object) -> str:
    """Return why this is not a safe relative path of a release, or nothing."""
    if not isinstance(path, str) or not path:
        return "not a path"
    if not one_line(path):
        return "control character in a name"
    if path.startswith("/"):
        return "absolute name"
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "name with an empty, `.` or `..` part"
    if len(parts) > _PARTS:
        return f"path of more than {_PARTS} parts"
    if len(path.encode()) > 1024 or any(len(part.encode()) > 255 for part in parts):
        return "name too long"
    return ""


def relative_path(value: str) -> str:
    """Require a path inside the release that every program of the machine takes as it is."""
    if problem := path_problem(value):
        raise ValueError(f"is not a relative path inside the release: {problem}")
    return _plain_path(value)


def served_path(value: str) -> str:
    """Require a path inside the release that nginx is given, of a directory that it serves or of what is in one."""
    url_path(f"/{relative_path(value)}")
    return value


def client_page(value: str) -> str:
    """Require the file of the client that answers where there is none, or `app`."""
    if served_path(value) == MAINTENANCE_PAGE:
        raise ValueError("is the name of the maintenance page: give the client's page another")
    return value


def health_path(value: str) -> str:
    """Require a page of its own: it answers also while maintenance closes the front door."""
    if url_path(value) in ("/", f"/{MAINTENANCE_PAGE}"):
        raise ValueError("is what people see, and would stay open during maintenance: state a page of its own")
    return value


def folder_pattern(name: str) -> str:
    """Return nginx's expression for whatever is in a directory of the client."""
    return re.escape(name) + "/.+"


def hashed_directories(values: list[str]) -> list[str]:
    """Require directories that together fit in one expression of nginx's."""
    length = len("|".join(folder_pattern(name) for name in few(values)))
    if length > _HASHED_LENGTH:
        raise ValueError(f"takes {length} characters of nginx's expression, {_HASHED_LENGTH} at most: name fewer")
    return values


def timer_name(value: str) -> str:
    """Require a name that no unit takes for a colour's."""
    if slug(value).rpartition("-")[2] in COLOURS:
        raise ValueError(f"ends in the name of a colour ({', '.join(COLOURS)}), by which the machine tells its units")
    return value


def process_name(value: str) -> str:
    """Require a name that no unit takes for a colour's or for a command of the toolkit's own."""
    if timer_name(value) in _RESERVED_PROCESSES:
        raise ValueError("is the name of a command of the toolkit's own: give the process another")
    return value


def text(value: str) -> str:
    """Require a text of one line."""
    if not one_line(value) or len(value) > 4096:
        raise ValueError("has a control character, or is longer than 4096 characters")
    return value


def word(value: str) -> str:
    """Require a word of a command."""
    if not value:
        raise ValueError("is an empty word in a command")
    return text(value)


def command(argv: list[str]) -> list[str]:
    """Require a command, given its words: its program is Debian's, or a file of the release."""
    if not 1 <= len(argv) <= 100:
        raise ValueError("is not a command: a list of 1 to 100 words, run without a shell")
    if "/" not in argv[0]:
        _program(argv[0])
    elif problem := path_problem(argv[0]):
        raise ValueError(f"starts with {argv[0]!r:.100}, not a path inside the release: {problem}")
    return argv


def reserved(name: str) -> bool:
    """Tell whether the toolkit or the system sets this variable, so that nobody else may."""
    return name in _RESERVED_ENV or name.startswith(_RESERVED_PREFIXES)


def env_name(value: str) -> str:
    """Require the name of a variable that a release may set."""
    _variable(value)
    if reserved(value):
        raise ValueError("is set by the toolkit or the system, and not by a release")
    return value


def memory(value: int) -> int:
    """Require bytes of memory that a release may ask for."""
    if not 2**24 <= value <= 2**40:
        raise ValueError("is not an amount of memory such as 400M or 1G (16M to 1024G)")
    return value


def status(value: int) -> int:
    """Require the status of an answer that is well."""
    if not 200 <= value <= 399:
        raise ValueError("is not a status from 200 to 399")
    return value


def few(values: _Several) -> _Several:
    """Require no more entries than a person would state."""
    if len(values) > MANY:
        raise ValueError(f"holds {len(values)} entries, {MANY} at most")
    return values


def unique(values: list[str]) -> list[str]:
    """Require entries that come once."""
    if len(set(few(values))) < len(values):
        double = next(value for value in values if values.count(value) > 1)
        raise ValueError(f"holds {double!r:.100} twice")
    return values
