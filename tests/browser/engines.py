"""Firefox and WebKit, as systems install them, driven through the protocols of WebDriver."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import websocket

PATIENCE = 60
# Firefox lays a formula out as soon as a part of it has come, and complains of what is still
# missing. Whether formulas are whole is a test of their own.
_HALF_READ = re.compile(r"Incorrect number of children for <m\w+/> tag")


class Missing(RuntimeError):
    """The system has no such browser."""


class Firefox:
    """Firefox by WebDriver BiDi, which needs no program between."""

    name = "Firefox"

    def __init__(self, folder: Path) -> None:
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        if program is None:
            raise Missing("no Firefox")
        self.folder = folder / "firefox"
        self.folder.mkdir()
        self.log = self.folder / "log"
        command = [program, "--headless", "--no-remote", "--remote-debugging-port=0"]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [*command, "--profile", str(self.folder), "about:blank"], stdout=log, stderr=log
            )
        address = self._address()
        self.socket = websocket.create_connection(
            f"{address}/session", timeout=PATIENCE, suppress_origin=True
        )
        self.events: list[dict] = []
        self.count = 0
        self.send("session.new", capabilities={})
        self.page = self.send("browsingContext.getTree")["contexts"][0]["context"]
        self.send("session.subscribe", events=["network.beforeRequestSent", "log.entryAdded"])

    def _address(self) -> str:
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            found = re.search(r"ws://[\d.:]+", self.log.read_text(errors="replace"))
            if found:
                return found[0]
            time.sleep(0.1)
        raise AssertionError(self.log.read_text(errors="replace"))

    def send(self, method: str, **params: object) -> dict:
        """Send a command and wait for its result; events that arrive meanwhile are kept."""
        self.count += 1
        self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.count:
                assert answer["type"] == "success", answer
                return answer["result"]
            self.events.append(answer)

    def open(self, address: str, width: int, height: int) -> None:
        """Open a page in a tab of its own, and wait until it is loaded.

        A page that writes its state into the address ends a navigation that has begun, of which
        no answer comes. So no page is left for another: its tab is closed.
        """
        former = self.page
        self.page = self.send("browsingContext.create", type="tab")["context"]
        self.send("browsingContext.close", context=former)
        size = {"width": width, "height": height}
        self.send("browsingContext.setViewport", context=self.page, viewport=size)
        self.events.clear()
        self.send("browsingContext.navigate", context=self.page, url=address, wait="complete")

    def evaluate(self, expression: str) -> object:
        """Return the value of an expression, a promise's when it is settled."""
        result = self.send(
            "script.evaluate",
            expression=f"Promise.resolve({expression}).then((v) => JSON.stringify(v ?? null))",
            target={"context": self.page},
            awaitPromise=True,
        )
        assert result["type"] == "success", result["exceptionDetails"]["text"]
        return json.loads(result["result"]["value"])

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag by mouse from one point of the window to another."""
        self.send("input.performActions", context=self.page, actions=[_mouse(start, end)])

    def troubles(self) -> list[str]:
        """Return requests to other hosts, and errors of scripts."""
        found = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "network.beforeRequestSent":
                url = params["request"]["url"]
                if url.startswith("http"):
                    found.append(f"request: {url}")
            elif event.get("method") == "log.entryAdded" and (
                params["level"] == "error" and not _HALF_READ.search(params["text"])
            ):
                found.append(f"error: {params['text']}")
        return found

    def close(self) -> None:
        """End the browser."""
        with contextlib.suppress(Exception):
            self.send("browser.close")
        self.socket.close()
        self.process.terminate()
        self.process.wait()


class WebKit:
    """WebKitGTK's small browser by its driver, on a screen that nobody sees."""

    name = "WebKit"

    def __init__(self, folder: Path) -> None:
        driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
        browsers = sorted(Path("/usr").glob("lib*/**/webkit2gtk-4*/MiniBrowser"))
        if driver is None or screen is None or not browsers:
            raise Missing("no WebKitWebDriver, Xvfb or MiniBrowser")
        read, write = os.pipe()
        self.screen = subprocess.Popen(
            [screen, "-displayfd", str(write), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"],
            pass_fds=[write],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(write)
        with os.fdopen(read) as number:
            display = number.readline().strip()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.home = folder / "webkit"
        self.home.mkdir()
        own = {
            "DISPLAY": f":{display}",
            "HOME": str(self.home),
            "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
        }
        own |= {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        self.process = subprocess.Popen(
            [driver, f"--port={port}"],
            env=os.environ | own,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.address = f"http://127.0.0.1:{port}"
        options = {"binary": str(browsers[-1]), "args": ["--automation"]}
        session = self._begin({"alwaysMatch": {"webkitgtk:browserOptions": options}})
        self.address += f"/session/{session['sessionId']}"

    def _begin(self, capabilities: dict) -> dict:
        limit = time.monotonic() + PATIENCE
        while True:
            try:
                return self.send("POST", "/session", capabilities=capabilities)
            except (urllib.error.URLError, ConnectionError):
                if time.monotonic() > limit:
                    raise
                time.sleep(0.2)

    def send(self, verb: str, path: str, **body: object) -> object:
        """Send a command and return its value."""
        data = json.dumps(body).encode() if verb == "POST" else None
        asked = urllib.request.Request(self.address + path, data, method=verb)
        asked.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(error.read().decode()) from None

    def open(self, address: str, width: int, height: int) -> None:
        """Open a page and wait until it is loaded."""
        self.send("POST", "/window/rect", x=0, y=0, width=width, height=height)
        self.send("POST", "/url", url=address)

    def evaluate(self, expression: str) -> object:
        """Return the value of an expression, a promise's when it is settled."""
        script = f"""const done = arguments[0]; Promise.resolve().then(() => {expression}).then(
            (v) => done(["is", JSON.stringify(v ?? null)]), (e) => done(["fails", String(e)]))"""
        how, value = self.send("POST", "/execute/async", script=script, args=[])
        assert how == "is", value
        return json.loads(value)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag by mouse from one point of the window to another."""
        self.send("POST", "/actions", actions=[_mouse(start, end)])

    def troubles(self) -> list[str]:
        """Return requests to other hosts, as far as a page tells of them."""
        names = self.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
        return [f"request: {name}" for name in names if name.startswith("http")]

    def close(self) -> None:
        """End the browser and its screen."""
        with contextlib.suppress(Exception):
            self.send("DELETE", "")
        for process in (self.process, self.screen):
            process.terminate()
            process.wait()


def _mouse(start: tuple[float, float], end: tuple[float, float]) -> dict:
    way = [[a + (b - a) * k / 5 for a, b in zip(start, end, strict=True)] for k in range(6)]
    moves = [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 20} for x, y in way]
    press, release = ({"type": f"pointer{how}", "button": 0} for how in ("Down", "Up"))
    return {
        "type": "pointer",
        "id": "mouse",
        "parameters": {"pointerType": "mouse"},
        "actions": [moves[0], press, *moves[1:], release],
    }
