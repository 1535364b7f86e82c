"""`filae-ops deploy`, `status` and `journal`: what the agent is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from filae_ops.cli.options import Check, Json, Key, Operator, inventory_of
from filae_ops.console import err, out, print_json, say

Bundle = Annotated[
    Path,
    typer.Argument(metavar="BUNDLE", help="The release: filae-VERSION.tar.zst, its .sig beside it.", dir_okay=False),
]


def deploy(
    context: typer.Context,
    bundle: Bundle,
    user: Operator = None,
    key: Key = None,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Put a signed release into service. A failure leaves the previous one serving."""
    from filae_ops.agent.attach import line as words
    from filae_ops.errors import OpsError
    from filae_ops.inventory.load import load
    from filae_ops.refusal import INTERRUPTED
    from filae_ops.release import deploy as ask_deploy
    from filae_ops.release import failure, send
    from filae_ops.remote import connect
    from filae_ops.ssh import Login

    site, login, results = load(inventory_of(context)), Login(user, key), []
    for host in site.hosts.values():

        def show(event: dict[str, Any]) -> None:
            if "time" in event and (text := words(event)):
                say(text)

        with connect(host, login) as remote:
            with err.status(f"sending {bundle.name} to {host.name}"):
                path = send(remote, bundle)
            try:
                events = ask_deploy(remote, path, login.user_for(host), check=check, on_event=show)
            except KeyboardInterrupt:
                raise OpsError(
                    f"{host.name}: you left; if the transaction had begun, it goes on without you",
                    next_step=f"filae-ops -i {site.directory} journal; then status",
                    exit_code=INTERRUPTED,
                ) from None
        results.append({"host": host.name, "ok": failure(events, host.name) is None, "events": events})
        if as_json and (host is list(site.hosts.values())[-1] or not results[-1]["ok"]):
            print_json({"ok": all(result["ok"] for result in results), "hosts": results})
        if problem := failure(events, host.name):
            raise problem
        _conclude(host.name, events, as_json)


def _conclude(host: str, events: list[dict[str, Any]], as_json: bool) -> None:
    for event in events:
        if event.get("event") == "unchanged":
            say(f"{host}: {event['version']} is live and healthy: nothing to do")
        if event.get("event") == "check" and not as_json:
            for name, value in event.items():
                if name != "event":
                    out.print(f"{name:<12} {_plain(value)}", markup=False)
            say("nothing was changed")


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return (
        ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value if value is not None else "none")
    )


def status(context: typer.Context, user: Operator = None, key: Key = None, as_json: Json = False) -> None:
    """Say what runs, and whether it is healthy. Also how the last transaction went."""
    _each(context, user, key, ["status"], as_json)


def journal(
    context: typer.Context,
    user: Operator = None,
    key: Key = None,
    number: Annotated[int, typer.Option("-n", metavar="N", min=1, help="How many events.")] = 50,
    as_json: Json = False,
) -> None:
    """Show the last events of the machine's transactions."""
    _each(context, user, key, ["journal", "-n", str(number)], as_json)


def _each(context: typer.Context, user: str | None, key: Path | None, words: list[str], as_json: bool) -> None:
    """Ask every machine; one machine gives its own document, several a map by name."""
    from filae_ops.inventory.load import load
    from filae_ops.refusal import lines as reasons
    from filae_ops.refusal import together
    from filae_ops.release import ask
    from filae_ops.remote import connect
    from filae_ops.ssh import Login

    site, documents = load(inventory_of(context)), {}
    for host in site.hosts.values():
        with connect(host, Login(user, key)) as remote:
            answer = ask(remote, *words, *(["--json"] if as_json else []))
        if answer.status != 0:
            found = reasons(answer.stderr.strip() or "no word of why", f"filaectl {words[0]}")
            raise together([each._replace(message=f"{host.name}: {each.message}") for each in found])
        if as_json:
            lines = [json.loads(line) for line in answer.stdout.splitlines()]
            documents[host.name] = lines[0] if words[0] == "status" else lines
        else:
            prefix = f"{host.name}\n" if len(site.hosts) > 1 else ""
            out.print(prefix + answer.stdout.rstrip(), markup=False, soft_wrap=True)
    if as_json:
        print_json(next(iter(documents.values())) if len(documents) == 1 else documents)
