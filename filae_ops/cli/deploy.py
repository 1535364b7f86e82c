"""`filae-ops deploy` and `rollback`: the transactions that the agent is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filae_ops.cli.options import Check, Json, Key, Operator, targets_of
from filae_ops.console import err, out, print_json, say

if TYPE_CHECKING:
    from filae_ops.remote.connection import Remote
    from filae_ops.remote.rollout import Act

Bundle = Annotated[
    Path,
    typer.Argument(metavar="BUNDLE", help="The release: filae-VERSION.tar.zst, its .sig beside it.", dir_okay=False),
]
Version = Annotated[
    str | None, typer.Argument(metavar="VERSION", help="A kept release; default: the one that served before.")
]
Event = dict[str, Any]


def deploy(
    context: typer.Context,
    bundle: Bundle,
    user: Operator = None,
    key: Key = None,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Put a signed release into service. A failure leaves the previous one serving."""
    from filae_ops.remote.filaectl import send, transact
    from filae_ops.remote.rollout import ASKING
    from filae_ops.remote.ssh import Login

    login = Login(user, key)

    def act(remote: Remote, show: Callable[[Event], None], state: Callable[[str], None]) -> list[Event]:
        state(f"sending {bundle.name}")
        path = send(remote, bundle)
        state(ASKING)
        return transact(remote, ["deploy", path], login.user_for(remote.host), check=check, on_event=show)

    _roll_out(context, login, act, as_json)


def rollback(
    context: typer.Context,
    version: Version = None,
    user: Operator = None,
    key: Key = None,
    check: Check = False,
    as_json: Json = False,
) -> None:
    """Put a kept release back into service. By the same switch; data stays as it is."""
    from filae_ops.remote.filaectl import transact
    from filae_ops.remote.rollout import ASKING
    from filae_ops.remote.ssh import Login

    login = Login(user, key)

    def act(remote: Remote, show: Callable[[Event], None], state: Callable[[str], None]) -> list[Event]:
        state(ASKING)
        words = ["rollback", *([version] if version else [])]
        return transact(remote, words, login.user_for(remote.host), check=check, on_event=show)

    _roll_out(context, login, act, as_json)


def _roll_out(context: typer.Context, login: Any, act: Act, as_json: bool) -> None:
    from filae_ops.remote.progress import Rollout
    from filae_ops.remote.rollout import Results, roll_out

    todo, results = targets_of(context), Results()
    try:
        with Rollout(err, [target.label for target in todo]) as progress:
            roll_out(todo, login, act, progress, results)
    finally:
        if as_json and results.hosts:
            print_json(results.document())
    for result in results.hosts:
        _conclude(result["host"], result["events"], as_json, several=len(todo) > 1)


def _conclude(host: str, events: list[Event], as_json: bool, *, several: bool) -> None:
    from filae_ops.agent.preflight.preview import words

    for event in events:
        if event.get("event") == "unchanged":
            say(f"{host}: {event['version']} is live and healthy: nothing to do")
        if event.get("event") == "check" and not as_json:
            text = "\n".join(words(event))
            out.print(f"{host}\n{text}\n" if several else text, soft_wrap=True)
