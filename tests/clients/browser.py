"""Chromium without a window, by the DevTools protocol (https://chromedevtools.github.io)."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from tests.waiting import HANG, until

_LISTENING = re.compile(r"DevTools listening on ws://([\d.:]+)/")


class Page:
    """One tab."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends one command and returns its result; events are passed over."""
        number = next(self._ids)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer: dict[str, Any] = await self._socket.receive_json(timeout=HANG)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result

    async def evaluate(self, expression: str) -> Any:
        """Returns the value of a JavaScript expression."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def text(self, selector: str) -> str:
        """Returns the text of the first element that a CSS selector finds, or nothing."""
        found = f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"
        return str(await self.evaluate(found))

    async def texts(self, selector: str) -> list[str]:
        """Returns the texts of all such elements."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.innerText)"
        return list(await self.evaluate(found))

    async def click(self, selector: str) -> None:
        """Clicks an element as a script does."""
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    async def fill(self, selector: str, text: str) -> None:
        """Types into a field."""
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.call("Input.insertText", text=text)


class Browser:
    """A running Chromium."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    @asynccontextmanager
    async def page(self, url: str) -> AsyncIterator[Page]:
        """Opens a page in a tab of its own."""
        base = f"http://{self._address}/json"
        async with self._session.put(f"{base}/new?{url}") as answer:
            tab = await answer.json()
        async with self._session.ws_connect(tab["webSocketDebuggerUrl"]) as socket:
            yield Page(socket)
        async with self._session.get(f"{base}/close/{tab['id']}") as answer:
            answer.raise_for_status()


@asynccontextmanager
async def browser(program: str, directory: Path) -> AsyncIterator[Browser]:
    """Runs Chromium, for which every name is loopback.

    Args:
        program: Its path.
        directory: For its profile and log.
    """
    log = directory / "log"
    # Root has no sandbox in Chromium: https://crbug.com/638180
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(program, "--headless=new", *sandbox, "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-dev-shm-usage"),
            *("--remote-debugging-port=0", f"--user-data-dir={directory / 'profile'}"),
            *("--host-resolver-rules=MAP * 127.0.0.1", "about:blank"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=output,
        )

    async def address() -> str:
        assert process.returncode is None, log.read_text()
        found = _LISTENING.search(log.read_text())
        return found[1] if found else ""

    try:
        async with aiohttp.ClientSession() as session:
            yield Browser(session, await until(address, "Chromium listens"))
    finally:
        process.terminate()
        await process.wait()
