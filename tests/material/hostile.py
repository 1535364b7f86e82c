"""Texts that somebody outside may give where a value is wanted, and how to see that a file took one as one value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

HOSTILE = {
    "a line more": "a\nb",
    "a directive of ssh": "fe80::1%h\n  ProxyCommand touch ${X}",
    "a directive of systemd": "x\nExecStartPre=+/bin/touch /pwned",
    "a line of sudoers": "x\n%group ALL=(ALL) NOPASSWD: ALL",
    "a Windows line": "a\r\nb",
    "a carriage return": "a\rb",
    "a tab": "a\tb",
    "a NUL": "a\0b",
    "an escape sequence": "\x1b[2K\x1b[1Aok",
    "an 8-bit escape": "\x9b2Kok",
    "a line separator": "a\u2028b",
    "a turned text": "\u202etxt.exe",
    "a double quote": 'a"; b "c',
    "a quote": "a'; b 'c",
    "a directive of apt": 'http://a:3128/";APT::Update::Pre-Invoke{"touch /pwned"};//',
    "a block of nginx": "a; } location / { root /; }",
    "a rule of nftables": "10.0.0.0/8 } accept; add rule x { 10.0.0.1",
    "a brace": "{",
    "a closing brace": "}",
    "a semicolon": "a;b",
    "a comment": "a #b",
    "a backslash": "a\\",
    "a specifier": "%h",
    "a variable": "${HOME}",
    "a command": "$(touch /pwned)",
    "backquotes": "`touch /pwned`",
    "a template": "{{ lookup('pipe', 'touch /pwned') }}",
    "a statement": "{% raw %}",
    "an option": "-oProxyCommand=touch",
    "a long option": "--help",
    "a space inside": "a b",
    "a path above": "../../etc/sudoers.d/x",
    "another's home": "~root/x",
    "a jinja comment": "{# x",
    "a YAML mapping": "a: b",
    "a YAML list": "- a",
    "an alias": "*a",
    "a tag": "!!python/object:x",
    "markup": '<script>alert(1)</script><img src="x">',
    "a formula": '=HYPERLINK("http://x")',
    "a cell": "a|b",
    "very long": "x" * 70_000,
    "an escape in an address": "a\x1b[2K@chv.example",
    "markup in an address": "<script>@chv.example",
    "a scope": "fe80::1%eth0",
    "an octal address": "0177.0.0.1",
    "a wide digit": "\uff1127.0.0.1",
}

_QUOTED = re.compile(r'"[^"\n]*"')
_WORD = re.compile(r"[\w.:/@+=~-]+")


def skeleton(text: str) -> str:
    """Return a file without its values: each word or quoted text is one letter, whatever it says."""
    return _WORD.sub("w", _QUOTED.sub("w", text))


def leaves(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the place of each text of a tree."""
    if isinstance(value, str):
        yield place
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield from leaves(inner, (*place, key))


def replaced(tree: Any, place: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """Return a tree with the value at a place changed; only what leads there is copied."""
    if not place:
        return change(tree)
    copy = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[place[0]] = replaced(tree[place[0]], place[1:], change)
    return copy
