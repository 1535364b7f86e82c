"""What nginx serves of a release: the client's files, those of the kept releases, and what the application answers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from filae_ops.agent.bundle import field_rules
from filae_ops.agent.bundle.contract import Contract, of_release
from filae_ops.agent.bundle.contract_rules import REBUILD
from filae_ops.agent.frontdoor import nginx
from filae_ops.agent.release import store
from filae_ops.agent.system.errors import Refused
from filae_ops.agent.system.layout import Layout
from filae_ops.agent.system.machine import Machine
from filae_ops.agent.system.process import Failed

# A digest before the extension, as webpack, Rollup, Sprockets and Ember write it: main.1a2b3c4d.js, app-<64>.css.
# Eight digits that look like a day are not one.
_DIGEST = r"(?:.*/)?[^/]*[-.](?!(?:19|20)[0-9]{6}\.)[0-9a-f]{8,64}\.[A-Za-z0-9.]{1,20}$"
# nginx takes 4096 characters in one parameter.
_FOLDERS_LENGTH = 3500
# Under its name such a file never changes; `include`, since an add_header of a location hides the server's.
_FOREVER = 'include /etc/nginx/filae/headers.conf; add_header Cache-Control "max-age=31536000, immutable";'


def pair(machine: Machine, contract: Contract, colour: str, *, without: Collection[str] = ()) -> dict[str, str | bytes]:
    """Return nginx's two includes for a release on a colour, beside the releases that stay on the machine."""
    live = machine.live()
    never = {contract.version, live.version if live else ""}
    gone = {*without, *store.surplus(machine, machine.config.keep_releases, never)}
    kept = [each for v in reversed(machine.kept()) if v not in gone and (each := _contract(machine, v))]
    return {
        "upstream.conf": nginx.upstream(colour),
        "live.conf": server(machine.layout, contract, [each for each in kept if each.version != contract.version]),
    }


def refresh(machine: Machine, *, without: Collection[str] = ()) -> bool:
    """Have nginx serve the live release as this agent would switch to it now; True when that changed anything."""
    live = machine.live()
    contract = _contract(machine, live.version) if live else None
    if live is None or contract is None:
        return False
    texts = pair(machine, contract, live.colour, without=without)
    if all((machine.layout.nginx / name).read_text() == text for name, text in texts.items()):
        return False
    nginx.put(machine, texts)
    return True


def server(layout: Layout, contract: Contract, kept: Sequence[Contract] = ()) -> str:
    """Return the include of the server context; `kept`: the other releases whose hashed files stay served."""
    client = contract.get("client")
    version = _checked("version", contract.version, field_rules.version)
    lines = [f"# written by filaectl for release {version}", *_health(contract)]
    if size := str(client.get("max_body") or ""):
        lines.append(f"client_max_body_size {_checked('client.max_body', size, field_rules.body_size)};")
    if not client.get("directory"):
        return "\n".join([*lines, _proxied("location /")]) + "\n"
    page = client_page(contract)
    lines += [
        f"root {_client(layout, contract)};",
        *_hashed(layout, [contract, *kept], "@application" if page is None else "=404"),
    ]
    if page is None:
        lines += ["location / { expires -1; try_files $uri @application; }", _proxied("location @application")]
    else:
        lines += [
            _proxied("location /api/"),
            f"location = /{page} {{ expires -1; }}",
            f"location / {{ expires -1; try_files $uri /{page}; }}",
        ]
    return "\n".join(lines) + "\n"


def client_page(contract: Contract) -> str | None:
    """Return the file that answers where there is none, or None where the application does."""
    client = contract.get("client")
    page = str(client.get("otherwise") or "app")
    if not client.get("directory") or page == "app":
        return None
    return _checked("client.otherwise", page, field_rules.client_page)


def _health(contract: Contract) -> list[str]:
    """Return what keeps the health page answering, also while maintenance closes the front door."""
    path = str(contract.get("health").get("path") or "")
    if not path:
        return []
    _checked("health.path", path, field_rules.health_path)
    return [f'if ($uri = "{path}") {{ set $filae_closed ""; }}', _proxied(f"location = {path}")]


def _hashed(layout: Layout, contracts: Sequence[Contract], otherwise: str) -> list[str]:
    """Return the locations of files whose names hold their digest: the live release's, then the others', in order."""
    clients = [each for each in contracts if each.get("client").get("directory")]
    folders = _folders(clients)
    lines = []
    for index, each in enumerate(clients):
        where = f"location @release_{index} {{ root {_client(layout, each)};"
        if index == 0:
            where = f'location ~ "^/(?!api/)(?:{folders + "|" if folders else ""}{_DIGEST})" {{'
        following = f"@release_{index + 1}" if index + 1 < len(clients) else otherwise
        lines.append(f"{where} {_FOREVER} try_files $uri {following}; }}")
    return lines


def _folders(contracts: Sequence[Contract]) -> str:
    """Return the expression of the directories that the contracts name, of the first ones as nginx takes them."""
    names = [name for each in contracts for name in sorted(each.get("client").get("hashed") or [])]
    patterns = [field_rules.folder_pattern(_checked("client.hashed", name, field_rules.served_path)) for name in names]
    folders = ""
    for pattern in dict.fromkeys(patterns):
        longer = f"{folders}|{pattern}" if folders else pattern
        folders = longer if len(longer) < _FOLDERS_LENGTH else folders
    return folders


def _client(layout: Layout, contract: Contract) -> str:
    directory = _checked("client.directory", str(contract.get("client")["directory"]), field_rules.served_path)
    return f"{layout.release(_checked('version', contract.version, field_rules.version))}/{directory}"


def _contract(machine: Machine, version: str) -> Contract | None:
    try:
        return of_release(machine.layout.release(version))
    except Refused:
        return None


def _checked(key: str, value: str, rule: field_rules.Rule) -> str:
    """Return a value that nginx reads as one word and nothing more."""
    try:
        return rule(value)
    except ValueError as exc:
        raise Failed(f"nginx cannot be given {key} {value!r:.100}: it {exc}", next_step=REBUILD) from None


def _proxied(location: str) -> str:
    return f"{location} {{ include /etc/nginx/filae/proxy-headers.conf; proxy_pass http://filae_live; }}"
