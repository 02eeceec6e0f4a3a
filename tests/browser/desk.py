"""A browser window in which a member works: what it shows, and what it did that it must not do."""

import os
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, WebSocket

from tests.browser.picture import write_png
from tests.running import ROOT, RunningSystem

IMAGES = ROOT / "docs" / "images"
AUDIT = (Path(__file__).parent / "audit.js").read_text()
LARGEST_IMAGE = 400_000
PATIENCE_S = 60  # where the processor draws the map and other tests run beside, a page may take this long to come
LOCAL = {"localhost", "127.0.0.1"}
DRAWN = "Boolean(window.rtcc?.state().rendered && window.rtcc.state().link.liveness === 'live')"


class Desk:
    """`cookie` signs in before the page opens. `problems` collects requests that leave the machine and errors of the page."""

    def __init__(
        self, browser: Browser, system: RunningSystem, *, cookie: str | None = None, size: tuple[int, int] = (1440, 900), path: str = "/"
    ) -> None:
        self.system = system
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self._context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="en-US", timezone_id="America/Chicago", reduced_motion="reduce"
        )
        if cookie:
            name, _, value = cookie.partition("=")
            self._context.add_cookies([{"name": name, "value": value, "url": system.url}])
        self._context.set_default_timeout(PATIENCE_S * 1000)
        self.page: Page = self._context.new_page()
        self._watch()
        self.page.goto(system.url + path)

    def _watch(self) -> None:
        self.page.on("request", self._on_request)
        self.page.on("websocket", self._on_socket)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self._problem(f"error: {error}"))

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)
        where = urlsplit(request.url)
        if where.scheme not in ("data", "blob") and where.hostname not in LOCAL:
            self._problem(f"request to {request.url}")

    def _on_socket(self, socket: WebSocket) -> None:
        if urlsplit(socket.url).hostname not in LOCAL:
            self._problem(f"socket to {socket.url}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or message.text.startswith("map:"):
            self._problem(f"console: {message.text} ({message.location.get('url', '')})")

    def _problem(self, text: str) -> None:
        if not any(pattern.search(text) for pattern in self._expected):
            self.problems.append(text)

    def expect(self, pattern: str) -> None:
        """Allow a complaint that the test provokes, such as a connection that is refused."""
        self._expected.append(re.compile(pattern))

    def sign_in(self, name: str, password: str) -> None:
        """Sign in as people do, on the page that asks for it."""
        self.page.get_by_label("User name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def lock(self) -> None:
        """Lock the session, as the page does when nobody uses it."""
        self.page.evaluate(LOCK)

    def clear(self) -> None:
        """Bring a window that is used again to what it shows at first: nothing open or selected, the calls board, the whole area.

        Each step is waited for: a key that is pressed while a dialog closes is lost.
        """
        self.problems, self._expected = [], []
        self.until(self._is_clear, what="no dialog and nothing selected")
        self.page.evaluate(BLUR)
        for key in ("q", "h"):
            self.page.keyboard.press(key)

    def _is_clear(self) -> bool:
        is_open = bool(self.page.evaluate(OPEN_DIALOGS))
        if is_open or self.state()["selection"] is not None:
            self.page.keyboard.press("Escape")
            return False
        return True

    def close(self) -> None:
        self._context.close()

    def state(self) -> dict[str, Any]:
        """Return what the page shows, as it tells it itself."""
        return dict(self.page.evaluate("window.rtcc.state()"))

    def until(self, condition: Callable[[], object], *, what: str, within_s: float = 30) -> float:
        """Wait while the browser goes on; return the seconds it took. Raises AssertionError."""
        begun = time.monotonic()
        while not condition():
            assert time.monotonic() < begun + within_s, f"not seen within {within_s:g} s: {what}; the page is at {self.page.url}"
            self.page.wait_for_timeout(50)
        return time.monotonic() - begun

    def until_live(self) -> None:
        """Wait until the map is drawn and the link is live."""
        self.until(lambda: self.page.evaluate(DRAWN), what="a map that is drawn and live", within_s=PATIENCE_S)

    def units(self) -> dict[str, dict[str, Any]]:
        return {unit["unit"]: unit for unit in self.state()["units"].values()}

    def calls(self) -> dict[str, dict[str, Any]]:
        return dict(self.state()["calls"])

    def text(self, selector: str) -> str:
        """Return the text of the first such element, empty while there is none."""
        found = self.page.locator(selector)
        return str(found.first.evaluate(TEXT)) if found.count() else ""

    def until_text(self, selector: str, words: str, *, within_s: float = 30) -> None:
        """Wait until an element says these words. Raises AssertionError, which tells what it said."""
        begun = time.monotonic()
        while words not in (said := self.text(selector)):
            assert time.monotonic() < begun + within_s, f"{selector} said {said!r}, not {words!r}"
            self.page.wait_for_timeout(50)

    def liveness(self) -> str:
        return str(self.state()["link"]["liveness"])

    def pixels_like(self, color: str, *, within: int = 14) -> int:
        """Count the map's pixels whose channels are at most `within` away from a `#rrggbb` color."""
        box = self.page.locator("#stage").bounding_box()
        pixels = self._pixels(self.page.screenshot(clip=box))
        wanted = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
        return int((np.abs(pixels.astype(int) - wanted).max(axis=2) <= within).sum())

    def _pixels(self, png: bytes) -> NDArray[np.uint8]:
        """Return the picture's pixels, shape (height, width, 3); the browser decodes it."""
        told = self.page.evaluate(DECODE, b64encode(png).decode())
        shape = (told["height"], told["width"], 4)
        return np.frombuffer(b64decode(told["data"]), np.uint8).reshape(shape)[:, :, :3]

    def assert_texts_are_readable(self, *, at_least: int = 10) -> None:
        """No text is cut off, none covers another, each has a contrast of 4.5 or more."""
        found = self.page.evaluate(AUDIT)
        assert found["problems"] == []
        assert found["texts"] >= at_least, f"only {found['texts']} texts were looked at"

    def picture(self, name: str) -> None:
        """Write a screenshot for the documents, when RTCC_SCREENSHOTS is set."""
        if os.environ.get("RTCC_SCREENSHOTS"):
            file = IMAGES / f"{name}.png"
            write_png(self._pixels(self.page.screenshot()), file)
            assert file.stat().st_size <= LARGEST_IMAGE, f"{file.name} has {file.stat().st_size:,} bytes"


# An element with a shadow root tells no text of its own.
TEXT = "(one) => (one.shadowRoot ? [...one.shadowRoot.children].map((child) => child.innerText).join('\\n') : one.innerText)"
LOCK = """
() => fetch("/accounts/session/lock/", { method: "POST", headers: { "x-csrftoken": document.getElementById("page").dataset.csrf } })
"""
OPEN_DIALOGS = """
() => {
  const inside = (root) => [...root.querySelectorAll("*")].flatMap((one) => [one, ...(one.shadowRoot ? inside(one.shadowRoot) : [])]);
  return inside(document).filter((one) => one.matches("dialog[open]")).length;
}
"""
BLUR = """
() => {
  let at = document.activeElement;
  while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  at.blur();
}
"""
DECODE = """
async (png) => {
  const bitmap = await createImageBitmap(new Blob([Uint8Array.fromBase64(png)], { type: "image/png" }));
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
  return { width: bitmap.width, height: bitmap.height, data: new Uint8Array(data.buffer).toBase64() };
}
"""
