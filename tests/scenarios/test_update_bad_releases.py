"""Bad releases and bad moments: said and undone, the one before serves, and the machine takes the next good one."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bad_releases import CASES, PRIVATE, built
from load import Load, Minimal, Place, Request
from minimal_site import QUICK, Deploy, look, people, place_of, release, set_agent
from sites import Site, say

from filae_ops.agent.steps import catalogue
from filae_ops.bundle import source_tree
from filae_ops.errors import OpsError
from filae_ops.lab import fleet, lifecycle
from filae_ops.lab.machine import Machine

# Also as a relay would ask: what it says of its client is not believed, since none is declared.
ASK_ITSELF = """
import http.client, ssl, sys
name, address = sys.argv[1:]
answers = []
for place in ("127.0.0.1", "[::1]", address):
    link = http.client.HTTPSConnection(place, context=ssl._create_unverified_context())
    link.request("GET", "/records", headers={"Host": name, "X-Forwarded-For": "192.0.2.7"})
    answers.append(link.getresponse().status)
print(answers)
"""


@pytest.fixture(scope="module")
def site(minimal_template: Machine) -> Iterator[Site]:
    """A copy of the machine with the minimal application, for all of this file's tests."""
    made = Site(fleet.up("releases", source=minimal_template, say=say))
    set_agent(made, timings=QUICK)
    yield made
    lifecycle.remove(made.machine)


@pytest.fixture(scope="module")
def place(site: Site) -> Place:
    return replace(place_of(site), people=people(site))


class Disguised(Minimal):
    """The minimal application's records, asked for by people who say that they are our own program."""

    def post(self, text: str) -> Request:
        return replace(super().post(text), headers={"User-Agent": "filaectl"})

    def read(self, name: str) -> Request:
        return replace(super().read(name), headers={"User-Agent": "filaectl"})


def test_of_people_a_number_is_logged_and_of_the_machine_itself_nothing(site: Site, place: Place) -> None:
    log = "/var/log/nginx/filae-outcome.log"
    before = int(site.run(f"stat -c %s {log}").stdout)
    for person in place.people:
        ask = Load(replace(place, people=(person,)), Minimal()).ask(Request("/records"))
        assert asyncio.run(ask).status == 200
    asked = site.run("runuser", "-u", "filae", "--", "python3", "-c", ASK_ITSELF, place.name, place.address)
    assert asked.stdout == "[200, 200, 200]\n", asked.stderr
    lines = site.run(f"tail -c +{before + 1} {log}").stdout.splitlines()
    assert len(lines) == len(place.people), lines
    assert len({line.split("\t")[1] for line in lines}) >= 3, "two of them may share a number"
    assert not any(person in line for person in place.people for line in lines)
    assert site.run("stat -c '%U %a' /etc/nginx/filae/clients.conf").stdout == "root 600\n"


async def upload_slowly(load: Load) -> None:
    """Send a record in four pieces, for longer than any release may take to answer."""
    name = load.place.name
    *_, sender = load.place.people
    reader, writer = await asyncio.open_connection(
        load.place.address, load.place.port, ssl=load.context, server_hostname=name, local_addr=(sender, 0)
    )
    whole = load.records.post("x" * 400).bytes(name)
    for begin in range(0, 400, 100):
        writer.write(whole[begin : begin + 100])
        await asyncio.sleep(0.4)
    writer.write(whole[400:])
    assert b" 201 " in await reader.readline()
    writer.transport.abort()


async def ask_for_an_error(load: Load) -> None:
    """Send what no release can keep."""
    stranger = Load(replace(load.place, people=load.place.people[-1:]), load.records)
    assert (await stranger.ask(load.records.post("\0"))).status == 500


@pytest.mark.parametrize(
    ("does", "at_once", "soak"),
    [
        pytest.param(upload_slowly, 5, 14, id="uploads slowly"),
        pytest.param(ask_for_an_error, 5, 4, id="asks for an error"),
    ],
)
def test_a_stranger_who_is_alone_undoes_no_update(
    does: Callable[[Load], Coroutine[Any, Any, None]], at_once: int, soak: int, site: Site, place: Place, tmp_path: Path
) -> None:
    before = look(site)
    minor, patch = before.version.split(".")[1:]
    good = release(f"1.{minor}.{int(patch) + 1}", tmp_path, {})
    set_agent(site, timings={"soak": soak})
    load, done = Load(place, Minimal()), 0

    async def at_the_same_time() -> None:
        await asyncio.gather(*(does(load) for _ in range(at_once)))

    with Deploy(site, good) as run:
        run.until(lambda: bool(re.search(r"switch +done", run.told())))
        while not re.search(r"soak +(done|FAILED)", run.told()) and run.process.poll() is None:
            asyncio.run(at_the_same_time())
            done += at_once
        ended = run.end()
    set_agent(site, timings=QUICK)
    assert ended.returncode == 0, ended.stderr
    assert done >= 20
    assert look(site).version == f"1.{minor}.{int(patch) + 1}"


@pytest.mark.parametrize("name", CASES)
def test_a_bad_release_is_undone_or_refused(
    name: str, site: Site, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    if case.refused_at_build:
        with pytest.raises(OpsError, match=case.refused_at_build):
            built(name, tmp_path / "refused")
        monkeypatch.setattr(source_tree, "_check_promises", lambda *_: None)  # somebody else's tool built and signed it
    bad = built(name, tmp_path)
    before = look(site)
    if case.timings:
        set_agent(site, timings=case.timings)
    with case.during(site), Load(place, Disguised(), rate=20) as load:
        done = site.ops("deploy", str(bad))
    if case.timings:
        set_agent(site, timings=QUICK)

    assert done.returncode == 1, done.stderr
    for words in case.said:
        assert words in done.stderr
    assert all(float(told) >= 1.5 for told in re.findall(r"half of the requests take ([\d.]+) s", done.stderr))
    after = look(site)
    if case.step:
        assert_undone(after.events, case.step, done.stderr)
    else:
        assert after.events == before.events, "refused before anything was begun"
    assert PRIVATE not in done.stdout + done.stderr + json.dumps(after.events)
    assert (after.version, after.healthy) == (before.version, True)
    assert after.lying - before.lying == set()
    idle = {"blue": "green", "green": "blue"}[before.colour]  # may be bound to a former release, or to none
    assert [line for line in before.lying - after.lying if idle not in line] == []
    assert case.fails or (load.outcome.failed, load.outcome.last) == ([], before.version), load.outcome
    assert load.missing() == []
    if case.again:
        with Load(place, Minimal(), rate=20, kept=load.kept) as load:
            done = site.ops("deploy", str(bad))
        assert done.returncode == 0, done.stderr
        assert load.outcome.failed == [], load.outcome
        assert load.missing() == []


def assert_undone(events: list[dict[str, Any]], step: str, said: str) -> None:
    """Check what the journal and people were told of a deploy that failed at a step."""
    (failed,) = [event for event in events if event["event"] == "failed"]
    assert failed["step"] == step
    names = catalogue.names("deploy", "two")
    undone = names[names.index(step) :: -1]
    assert [event["step"] for event in events if event["event"] == "undone"] == undone
    assert events[-1]["event"] == "rolled-back"
    assert failed["reason"] in said
    for key, value in failed.get("evidence", {}).items():
        assert f"{key} {value}" in said
    assert re.findall(r"^\[.*\]   (\w+) +undone$", said, re.M) == undone
    assert f"step {step} failed: " in said
    assert "undone: what served before serves" in said
