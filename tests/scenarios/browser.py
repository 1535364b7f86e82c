"""A headless Chromium, driven over plain HTTP (WebDriver), that trusts one authority of a lab for real.

It has a network of its own with nothing in it but ways to the driver and to one machine: Chromium fails the requests
that are under way (ERR_NETWORK_CHANGED) whenever an interface comes or goes, and on the host each machine of any test
brings some.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inside import BOUND, front_door, relay

from filae_ops.lab.machine import Machine

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
PORT = 9515
# Ending the first process of its pid namespace ends Chromium too, and with the last of them the network goes.
ALONE = (*BOUND, "unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
DRIVER = f"ip link set lo up && exec chromedriver --port={PORT}"
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--no-proxy-server", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--lang=fr")  # fmt: skip


class Browser:
    """One window, for files or for a machine's site under its name; `close` ends Chromium and its driver."""

    def __init__(self, home: Path, machine: Machine | None = None, name: str = "", authority: str = "") -> None:
        flags = [*FLAGS, f"--user-data-dir={home}/data"]
        self.base = ""
        with contextlib.ExitStack() as parts:
            driver = parts.enter_context(_driver(home))
            way = parts.enter_context(relay(os.getpid(), 0, driver, PORT))
            if machine is not None:
                door = parts.enter_context(front_door(machine, driver))
                flags.append(f"--host-resolver-rules=MAP {name} 127.0.0.1:{door}")
            if authority:
                _trust(home, authority)
            self.base = f"http://127.0.0.1:{way}/session"
            asked = {"browserName": "chrome", "goog:chromeOptions": {"args": flags},
                     "goog:loggingPrefs": {"browser": "ALL"}}  # fmt: skip
            made = self._call("POST", "", {"capabilities": {"alwaysMatch": asked}}, seconds=120)
            self.base += f"/{made['sessionId']}"
            self._parts = parts.pop_all()

    def open(self, url: str) -> None:
        """Go to an address, as typed."""
        self._call("POST", "/url", {"url": url})

    def reload(self) -> None:
        self._call("POST", "/refresh", {})

    def run(self, script: str, *arguments: object) -> Any:
        """Run JavaScript in the page and return what it returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector: str) -> str:
        """Return the text of the first such element, or nothing."""
        return str(self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def wait(self, selector: str, text: str, seconds: float = 30) -> str:
        """Wait until the first such element holds a text."""
        limit = time.monotonic() + seconds
        while text not in (found := self.text(selector)):
            assert time.monotonic() < limit, f"{selector} says {found!r}, not {text!r}; console: {self.console()}"
            time.sleep(0.1)
        return found

    def fill(self, **values: str) -> None:
        """Fill the form's fields by name."""
        for name, value in values.items():
            self.run("document.querySelector(`[name=${arguments[0]}]`).value = arguments[1]", name, value)

    def click(self, selector: str) -> None:
        """Click as a person does: what is hidden or covered cannot be clicked."""
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        self._call("POST", f"/element/{found[ELEMENT]}/click", {})

    def loaded(self) -> set[str]:
        """Return the paths that the page has fetched since it was loaded."""
        found = self.run("return performance.getEntriesByType('resource').map((each) => new URL(each.name).pathname)")
        return set(found)

    def console(self) -> list[str]:
        """Return the errors and warnings of the console since it was last asked."""
        entries = self._call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] in ("SEVERE", "WARNING")]

    def close(self) -> None:
        """End the browser, its driver and their network."""
        with self._parts:
            self._call("DELETE", "", None)

    def _call(self, method: str, path: str, data: object, seconds: float = 60) -> Any:
        body = None if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, body, headers, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=seconds) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as exc:
            said = json.load(exc)["value"]
            raise AssertionError(f"{method} {path}: {said['error']}: {said['message'][:500]}") from None


@contextlib.contextmanager
def _driver(home: Path) -> Iterator[int]:
    """Start a driver in a network of its own; return a process in it."""
    driver = subprocess.Popen(
        [*ALONE, "sh", "-c", DRIVER], env={**os.environ, "HOME": str(home)}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert driver.stdout is not None
        said: list[str] = []
        for line in driver.stdout:
            said.append(line)
            if "started successfully" in line:
                break
        else:
            raise AssertionError(f"chromedriver does not start:\n{''.join(said)}")
        yield driver.pid
    finally:
        driver.kill()
        driver.wait()


def _trust(home: Path, authority: str) -> None:
    """Put an authority among those that Chromium trusts, in this home alone."""
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    (home / "authority.pem").write_text(authority)
    for words in (["-N", "--empty-password"], ["-A", "-n", "lab", "-t", "C,,", "-i", str(home / "authority.pem")]):
        subprocess.run(["certutil", "-d", f"sql:{database}", *words], check=True, capture_output=True)
