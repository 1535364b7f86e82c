"""What every document shares: its words, its templates, and how it is written to disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filae_ops.agent.system.plain_text import plain
from filae_ops.errors import OpsError
from filae_ops.language import Lang, typography
from filae_ops.paths import data_path
from filae_ops.report.document.markdown import escaped

if TYPE_CHECKING:
    from jinja2 import Environment

MODE = 0o644
_DECLARING = ("hosts.yml", "secrets.yml", "group_vars/**/*.yml", "tls/*.pem")


@cache
def words(folder: str, lang: Lang) -> Mapping[str, Any]:
    """Return the labels of templates/FOLDER/words.LANG.yml, with those that all documents share."""

    def read(name: str) -> dict[str, Any]:
        return shipped(data_path("templates", name, f"words.{lang}.yml"))

    return read("document") | (read(folder) if folder != "document" else {})


def shipped(path: Path) -> dict[str, Any]:
    """Return the mapping of a YAML file that the toolkit ships, read by the fast parser when there is one."""
    import yaml

    return dict(yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader)) or {})  # noqa: S506


@cache
def environment(lang: Lang) -> Environment:
    """Return the templates' environment: HTML is escaped, an unknown variable is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        if isinstance(value, str):
            spaced = typography(value, lang)
            return Markup(spaced) if isinstance(value, Markup) else spaced  # noqa: S704 - as safe as it was
        return value

    made = Environment(
        loader=FileSystemLoader(data_path("templates")), autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, finalize=finalize,
    )  # fmt: skip
    made.filters["css_string"] = css_string
    made.filters["cell"] = escaped
    return made


def render(template: str, lang: Lang, **values: Any) -> str:
    """Return a document from `templates/TEMPLATE`; `words`, `lang`, `title`, `site`, `day` and `footer` are wanted.

    HTML templates have the suffix .html.j2 and are escaped; Markdown ones have .md.j2 and use the filter `cell`.
    """
    return environment(lang).get_template(template).render(lang=lang, **values)


def css_string(text: str) -> Any:
    """Return a CSS string that no text can leave."""
    from markupsafe import Markup

    inner = "".join(each if each.isalnum() else f"\\{ord(each):x} " for each in text)
    return Markup(f'"{inner}"')  # noqa: S704 - letters, digits and escapes only


def write_document(path: Path, text: str) -> None:
    """Write a document whole or not at all, readable by all (0644); only a file, or a link to one, is replaced.

    What a terminal would obey is spelt out: documents quote machines, and people `cat` them.
    """
    if path.exists() and not path.is_file():  # renamed over, a device such as /dev/stdout would be gone
        what = "a folder" if path.is_dir() else "no file but a device, a pipe or a socket"
        raise OpsError(f"{path} is {what}", next_step="name a file, such as review.html", exit_code=2)
    if path.is_file() and _declares(path.absolute()):
        raise OpsError(f"{path} is a file of an inventory", next_step="name another file", exit_code=2)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as stream:
            try:
                stream.write("\r\n".join(map(plain, text.split("\r\n"))))  # CSV ends its lines so
                stream.flush()
                os.fchmod(stream.fileno(), MODE)
                os.fsync(stream.fileno())
                Path(stream.name).replace(path)
            except BaseException:
                Path(stream.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise OpsError(f"{path} cannot be written: {error.strerror}", next_step="name another file") from None


def _declares(path: Path) -> bool:
    """Tell whether a file is part of an inventory: a document is never written over what it is made from."""
    roots = [up for up in path.parents[:3] if (up / "hosts.yml").is_file()]
    return any(path in root.glob(pattern) for root in roots for pattern in _DECLARING)
