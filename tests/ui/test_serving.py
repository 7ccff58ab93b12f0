import asyncio
import re
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from synthetic.concluded import concluded

from triage.model.errors import UsageError
from triage.session.host import person
from triage.session.pin import Pin
from triage.ui.serving import ConsoleServer, _listening, serve_console

TOKEN = "a-token-of-the-test"
Ask = Callable[[aiohttp.ClientSession, str], Awaitable[None]]


def serving(ask: Ask, command: str = "true") -> None:
    """Serve on a free port and ask with a client that keeps cookies."""

    async def whole() -> None:
        with _listening(0) as listener:
            port = listener.getsockname()[1]
            runner = web.AppRunner(await ConsoleServer(command, port, TOKEN).application(), access_log=None)
            await runner.setup()
            await web.SockSite(runner, listener).start()
            try:
                async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
                    await ask(session, f"http://127.0.0.1:{port}")
            finally:
                await runner.cleanup()

    asyncio.run(whole())


def test_without_the_token_there_is_nothing_to_see() -> None:
    async def ask(session: aiohttp.ClientSession, url: str) -> None:
        for path in (
            "/",
            "/ws",
            "/static/js/textual.js",
            "/download/x",
            "/?token=",
            "/?token=wrong",
            "/ws?token=wrong",
        ):
            async with session.get(url + path, headers={"Origin": url}) as answer:
                assert answer.status == 403, path
                assert TOKEN not in await answer.text()

    serving(ask)


def test_the_token_opens_the_page_and_leaves_the_address() -> None:
    async def ask(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/?token={TOKEN}", allow_redirects=False) as answer:
            assert answer.status == 303
            assert answer.headers["Location"] == "/"
            cookie = answer.headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
        async with session.get(url) as answer:
            page = await answer.text()
            assert answer.status == 200
            assert "DigiVan triage" in page
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert {url, url.replace("http", "ws")} >= set(re.findall(r"(?:http|ws)s?://[^/\"]+", page))
        async with session.get(f"{url}/static/js/textual.js") as answer:
            assert answer.status == 200

    serving(ask)


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "127.0.0.1:1"}],
    ids=str,
)
def test_a_page_of_somebody_else_is_refused_even_with_the_cookie(headers: dict[str, str]) -> None:
    async def ask(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/?token={TOKEN}") as answer:
            assert answer.status == 200
        async with session.get(url, headers=headers) as answer:
            assert answer.status == 403

    serving(ask)


def test_a_socket_needs_the_origin_of_the_console() -> None:
    async def ask(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/?token={TOKEN}"):
            pass
        async with session.get(f"{url}/ws") as answer:
            assert answer.status == 403

    serving(ask)


def test_the_page_gets_a_console_that_ends_with_it(tmp_path: Path) -> None:
    command = f"{sys.executable} -m triage.ui --case {tmp_path / 'case'}"

    async def ask(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/?token={TOKEN}"):
            pass
        for _ in range(2):  # a page loaded anew comes before the console of the old one has ended
            async with session.ws_connect(f"{url}/ws?width=80&height=24", headers={"Origin": url}) as socket:
                seen = b""
                while b"No device yet" not in seen:
                    message = await socket.receive(timeout=20)
                    assert message.type is not aiohttp.WSMsgType.CLOSED
                    seen += message.data if isinstance(message.data, bytes) else b""
                async with session.get(f"{url}/ws", headers={"Origin": url}) as second:
                    assert second.status == 409

    serving(ask, command)


def test_a_page_that_is_opened_or_loaded_anew_begins_with_the_lock_where_there_is_a_pin(tmp_path: Path) -> None:
    Pin(person()).set("83517294")
    concluded(tmp_path / "case", exhibit="ABCD/77")
    command = f"{sys.executable} -m triage.ui --case {tmp_path / 'case'}"

    async def ask(session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(f"{url}/?token={TOKEN}"):
            pass
        async with session.ws_connect(f"{url}/ws?width=80&height=24", headers={"Origin": url}) as socket:
            seen = b""
            with suppress(TimeoutError):
                async with asyncio.timeout(5):  # seconds: the case is read in the background
                    while True:
                        message = await socket.receive()
                        assert message.type is not aiohttp.WSMsgType.CLOSED
                        seen += message.data if isinstance(message.data, bytes) else b""
            assert b"Locked" in seen
            assert b"ABCD/77" not in seen

    serving(ask, command)


def test_the_address_is_printed_once_and_a_signal_ends_the_server(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "triage.ui", "--case", str(tmp_path / "case"), "--serve", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        server.send_signal(signal.SIGTERM)
        rest, errors = server.communicate(timeout=20)
    assert re.fullmatch(r"The console is at http://127\.0\.0\.1:\d+/\?token=[\w-]{43}  \(Ctrl\+C ends it\)\n", line)
    assert (rest, errors, server.returncode) == ("", "", 0)


def test_a_port_that_is_taken_is_told_in_one_line(tmp_path: Path) -> None:
    with _listening(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} of this machine cannot be used: .*; name another"):
            serve_console(tmp_path, None, port)
