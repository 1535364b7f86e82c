"""The kinds of values that `release.yml` may hold, each as narrow as its use on the machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from filae_ops.agent.bundle.manifest import path_problem
from filae_ops.agent.system.versions import version_key

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_RESERVED_ENV = frozenset({
    "BUNDLE_APP_CONFIG", "CREDENTIALS_DIRECTORY", "DATABASE_URL", "HOME", "LANG", "LC_ALL", "LOGNAME",
    "NOTIFY_SOCKET", "PATH", "PUBLIC_HOST", "RACK_ENV", "RAILS_ENV", "SHELL", "USER",
})  # fmt: skip
_RESERVED_PREFIXES = ("LD_", "LISTEN_", "PG", "SYSTEMD_")
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


def _matching(pattern: str, meaning: str) -> Callable[[str], str]:
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(f"is not {meaning}")
        return value

    return check


def _version(value: str) -> str:
    try:
        version_key(value)
    except ValueError:
        raise ValueError("is not a version such as 2.1.0 or 2.1.0-rc.1") from None
    return value


def _path(value: str) -> str:
    if problem := path_problem(value):
        raise ValueError(f"is not a relative path inside the release: {problem}")
    return value


def _text(value: str) -> str:
    if _CONTROL.search(value) or len(value) > 4096:
        raise ValueError("has a control character, or is longer than 4096 characters")
    return value


def _word(value: str) -> str:
    if not value:
        raise ValueError("is an empty word in a command")
    return _text(value)


def _command(words: list[str]) -> list[str]:
    if not 1 <= len(words) <= 100:
        raise ValueError("is not a command: a list of 1 to 100 words, run without a shell")
    if "/" not in words[0]:
        _matching(r"[A-Za-z0-9][A-Za-z0-9._+-]*", "the name of a program of /usr/bin")(words[0])
    elif problem := path_problem(words[0]):
        raise ValueError(f"starts with {words[0]!r}, not a path inside the release: {problem}")
    return words


def reserved(name: str) -> bool:
    """Tell whether the toolkit or the system sets this variable, so that nobody else may."""
    return name in _RESERVED_ENV or name.startswith(_RESERVED_PREFIXES)


def _env_name(value: str) -> str:
    _matching(r"[A-Z_][A-Z0-9_]{0,63}", "the name of an environment variable (capitals, digits, _)")(value)
    if reserved(value):
        raise ValueError("is set by the toolkit or the system, and not by a release")
    return value


def _bytes(value: Any) -> Any:
    if isinstance(value, str):
        match = re.fullmatch(r"([1-9][0-9]{0,8})([KMG])", value, re.ASCII)
        value = int(match[1]) * _UNITS[match[2]] if match else 0
    if type(value) is not int or not 2**24 <= value <= 2**40:
        raise ValueError("is not an amount of memory such as 400M or 1G (16M to 1024G)")
    return value


def _unique(values: list[str]) -> list[str]:
    if double := next((value for value in values if values.count(value) > 1), None):
        raise ValueError(f"holds {double!r} twice")
    return values


Slug = Annotated[
    str,
    AfterValidator(_matching(r"(?=.{1,40}\Z)[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*", "a name (a-z, 0-9, - and _ inside)")),
]
Version = Annotated[str, AfterValidator(_version)]
RubyVersion = Annotated[str, AfterValidator(_matching(r"[1-9]\.[0-9]{1,2}", 'a Ruby series such as "3.3"'))]
RelativePath = Annotated[str, AfterValidator(_path)]
Text = Annotated[str, AfterValidator(_text)]
Command = Annotated[list[Annotated[str, AfterValidator(_word)]], AfterValidator(_command)]
EnvName = Annotated[str, AfterValidator(_env_name)]
Memory = Annotated[int, BeforeValidator(_bytes)]
Packages = Annotated[
    list[Annotated[str, AfterValidator(_matching(r"[a-z0-9][a-z0-9+.-]{1,99}", "the name of a Debian package"))]],
    AfterValidator(_unique),
]
Extensions = Annotated[
    list[Annotated[str, AfterValidator(_matching(r"[a-z][a-z0-9_-]{0,62}", "the name of a PostgreSQL extension"))]],
    AfterValidator(_unique),
]
Locale = Annotated[
    str,
    AfterValidator(_matching(r"(?:C|[a-z]{2,3}_[A-Z]{2})\.UTF-8(?:@[a-z]+)?", "a UTF-8 locale such as C.UTF-8")),
]
Calendar = Annotated[
    str,
    AfterValidator(
        _matching(
            r"(?=.{1,100}\Z)[A-Za-z0-9*][A-Za-z0-9*/:,.~ _+-]*",
            "a systemd calendar such as daily or *-*-* 02:30",
        )
    ),
]
SchemaVersion = Annotated[str, AfterValidator(_matching(r"[0-9]{1,20}", "a schema version (digits only)"))]
UrlPath = Annotated[
    str,
    AfterValidator(
        _matching(r"(?!.*\.\.)/(?!/)[A-Za-z0-9._~!&()*+,;=:@%/?-]{0,500}", "a path of a URL such as /health")
    ),
]
JsonKey = Annotated[str, AfterValidator(_matching(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", "a key of a JSON object"))]
HeaderName = Annotated[str, AfterValidator(_matching(r"[A-Za-z][A-Za-z0-9-]{0,63}", "the name of a header"))]
BodySize = Annotated[str, AfterValidator(_matching(r"[1-9][0-9]{0,5}[kKmMgG]", "a size for nginx such as 20m"))]
