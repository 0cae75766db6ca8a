"""The page in Chromium, from an origin of its own, through a real Envoy."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio
from aiohttp import web

from grpc_service_kit.testing.processes import server_processes
from tests.clients import toolchain
from tests.clients.browser import Browser, Page, browser
from tests.envoy.protocols.backends import user_descriptor
from tests.envoy.protocols.gateway import Exposed, running_gateway
from tests.waiting import until

pytestmark = [pytest.mark.clients, pytest.mark.asyncio(loop_scope="module")]

GATEWAY = "users.test"


@dataclass(frozen=True)
class Site:
    """A browser, the port that serves the page, and the port of the gateway."""

    browser: Browser
    page: int
    gateway: int

    def url(self, host: str = "127.0.0.1") -> str:
        """Returns the page's address; another host is another origin."""
        return f"http://{host}:{self.page}/index.html?gateway=" + quote(
            f"http://{GATEWAY}:{self.gateway}", safe=""
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(page: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """An empty user service behind a gateway that allows pages of 127.0.0.1."""
    async with AsyncExitStack() as stack:
        port = await _serve(page, stack)
        folder = tmp_path_factory.mktemp("users")
        start = stack.enter_context(server_processes("user_service", folder))
        process = start(DATABASE_PATH=str(folder / "users.db"))
        upstream = await asyncio.to_thread(lambda: process.port)
        made = await stack.enter_async_context(running_gateway())
        gateway = {
            "hostnames": [GATEWAY],
            "protocols": ["GRPCWeb"],
            "cors": {"allowOrigins": [f"http://127.0.0.1:{port}"]},
        }
        await made.serve(Exposed("users", user_descriptor(), (upstream,), gateway))
        chromium = await asyncio.to_thread(toolchain.chromium)
        running = browser(chromium, tmp_path_factory.mktemp("chromium"))
        yield Site(await stack.enter_async_context(running), port, made.port)


async def _serve(directory: Path, stack: AsyncExitStack) -> int:
    """Serves the built page; returns the port."""
    application = web.Application()
    application.router.add_static("/", directory)
    runner = web.AppRunner(application)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    return int(runner.addresses[0][1])


async def status(page: Page, wanted: str) -> str:
    """Waits until the page shows what a regular expression matches, from the beginning on."""

    async def shown() -> str:
        text = await page.text("#status")
        return text if re.match(wanted, text) else ""

    return await until(shown, f"the status is {wanted!r}")


async def create(page: Page, name: str, email: str) -> None:
    """Fills the form and sends it."""
    await page.evaluate("document.querySelector('form').reset()")
    await page.fill("[name=name]", name)
    await page.fill("[name=email]", email)
    await page.click("form button")


async def test_users_are_created_and_listed(site: Site) -> None:
    async with site.browser.page(site.url()) as page:
        await status(page, "0 users")
        for name in ("Ada", "Grace", "Edsger", "Barbara"):
            await create(page, name, f"{name}@example.com")
            await status(page, f"created {name}")
        shown = await page.texts("#users li")
    assert shown[0] == "Ada <Ada@example.com>"
    assert len(shown) == 4

    async with site.browser.page(site.url()) as page:
        await status(page, "3 users")  # A server stream, whose trailers say that more follow.
        assert await page.texts("#users li") == shown[:3]
        await page.click("#more")
        await status(page, "4 users")
        assert await page.texts("#users li") == shown
        assert await page.evaluate("document.querySelector('#more').hidden")


async def test_an_error_is_shown_with_its_status_and_details(site: Site) -> None:
    async with site.browser.page(site.url()) as page:
        await status(page, r"\d users")
        await create(page, "Linus", "taken@example.com")
        await status(page, "created Linus")
        await create(page, "Another", "taken@example.com")
        taken = await status(page, "gRPC status 6 AlreadyExists: ")
        assert "taken@example.com" in taken
        assert "reason " in taken
        await create(page, "Nobody", "no-address")
        wrong = await status(page, "gRPC status 3 InvalidArgument: ")
        assert "email" in wrong
        assert "reason " in wrong


async def test_a_page_of_another_origin_gets_nothing(site: Site) -> None:
    async with site.browser.page(site.url("other.test")) as page:
        assert "Failed to fetch" in await status(page, "gRPC status ")
        assert await page.texts("#users li") == []
