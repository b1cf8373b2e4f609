"""The log viewer on a stream that breaks, ends, and has many lines."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.stack.web.conftest import connect
from tests.stack.web.mocked import MockedList, answer, refusal, workload

LINES = 10_000
# Half of all frames are drawn in less, which a list of 10,000 elements is far from.
MAX_FRAME_MILLISECONDS = 50


def block(identity: str, line: str, service: str = "web", event: str | None = None) -> str:
    """One event of the stream."""
    told = {"message": line} if event else {"service": service, "pod": f"{service}-1", "line": line}
    named = f"event: {event}\n" if event else ""
    return f"id: {identity}\n{named}data: {json.dumps(told)}\n\n"


class MockedLogs:
    """Answers the log's requests one after the other; after the last one it is as silent as the API."""

    def __init__(self, page: Page, answers: list[str | tuple[int, dict[str, Any]]]) -> None:
        self.answers = answers
        self.last_event_ids: list[str | None] = []
        self.authorized: list[bool] = []
        page.route("**/api/deployments/*/logs?*", self._answer)

    def _answer(self, route: Route) -> None:
        if route.request.method == "OPTIONS":
            route.continue_()
            return
        headers = route.request.headers
        self.last_event_ids.append(headers.get("last-event-id"))
        self.authorized.append(
            headers.get("authorization", "").startswith("Bearer ey") and "ey" not in route.request.url
        )
        if not self.answers:
            return
        told = self.answers.pop(0)
        if isinstance(told, str):
            origin = {"access-control-allow-origin": headers["origin"]}
            route.fulfill(status=200, headers={**origin, "content-type": "text/event-stream"}, body=told)
        else:
            answer(route, told[1], told[0])


def open_logs(page: Page) -> Locator:
    """Open the log of the only workload."""
    MockedList([workload()]).serve(page)
    connect(page)
    page.get_by_role("button", name="View logs of").click()
    return page.get_by_role("dialog", name="Logs of web")


def test_a_stream_goes_on_where_it_broke_off(page: Page) -> None:
    failure = (502, refusal("UPSTREAM_UNAVAILABLE", "The provider does not answer"))
    logs = MockedLogs(
        page,
        [
            "retry: 50\n\n" + block("a", "one") + block("b", "two"),
            failure,
            block("c", "three", "redis") + block("d", "lines may be missing", event="gap"),
            block("e", "The workload is closed", event="end"),
        ],
    )
    dialog = open_logs(page)
    expect(dialog.get_by_role("alert")).to_contain_text("taken up again by itself")
    expect(dialog.get_by_role("status")).to_have_text("ended")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    shown = dialog.get_by_role("log").inner_text()
    for text in ("one", "two", "three", "lines may be missing", "The workload is closed"):
        assert shown.count(text) == 1
    assert logs.last_event_ids == [None, "b", "b", "d"]
    assert all(logs.authorized)


def test_ten_thousand_lines_are_searched_paused_and_downloaded(page: Page, tmp_path: Path) -> None:
    body = "".join(block(str(n), f"GET /{n} 200", "web" if n % 2 else "redis") for n in range(LINES + 500))
    logs = MockedLogs(page, ["retry: 600000\n\n" + body])
    dialog = open_logs(page)
    started = time.monotonic()
    expect(dialog.get_by_text("10,000 lines", exact=True)).to_be_visible()
    expect(dialog.get_by_role("log")).to_contain_text(f"GET /{LINES + 499} 200")
    assert logs.answers == []
    rows = dialog.get_by_role("log").locator("div > div")
    assert rows.count() < 200, "rows out of sight are not drawn"

    dialog.get_by_role("searchbox").fill("GET /777 ")
    expect(dialog.get_by_text("1 of 10,000 lines")).to_be_visible()
    dialog.get_by_role("searchbox").fill("")
    dialog.get_by_label("Service").select_option("redis")
    expect(dialog.get_by_text("5,000 of 10,000 lines")).to_be_visible()
    print(f"10,000 lines shown, searched and filtered in {time.monotonic() - started:.2f} s")

    # Beside frames in which nothing happens, since the machine may be busy.
    frame, idle = page.evaluate(
        """async () => {
            const box = document.querySelector('[role=log]');
            const median = async (act) => {
                const taken = [];
                let before = performance.now();
                for (let step = 0; step < 60; step++) {
                    act(step);
                    await new Promise(requestAnimationFrame);
                    const now = performance.now();
                    taken.push(now - before);
                    before = now;
                }
                return taken.sort((one, other) => one - other)[30];
            };
            const scroll = (step) => { box.scrollTop = (step * 7919) % box.scrollHeight; };
            return [await median(scroll), await median(() => {})];
        }"""
    )
    print(f"a frame while scrolling: {frame:.0f} ms, while nothing happens: {idle:.0f} ms")
    assert frame < max(MAX_FRAME_MILLISECONDS, 2 * idle)
    with page.expect_download() as downloading:
        dialog.get_by_role("button", name="Download").click()
    file = tmp_path / "log"
    downloading.value.save_as(file)
    assert len(file.read_text(encoding="utf-8").splitlines()) == LINES // 2
    dialog.get_by_role("button", name="Pause").click()
    expect(dialog.get_by_role("button", name="Resume")).to_have_attribute("aria-pressed", "true")


def test_pausing_holds_what_is_shown_and_copied(page: Page, context: BrowserContext) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    logs = MockedLogs(page, ["retry: 1500\n\n" + block("a", "one")])
    logs.answers += ["retry: 600000\n\n" + block("b", "two")]
    dialog = open_logs(page)
    expect(dialog.get_by_role("log")).to_contain_text("one")
    dialog.get_by_role("button", name="Pause").click()
    resume = dialog.get_by_role("button", name="Resume (1 new)")
    expect(resume).to_be_visible()
    expect(dialog.get_by_role("log")).not_to_contain_text("two")
    dialog.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("1 line copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "[web] one\n"
    resume.click()
    expect(dialog.get_by_role("log")).to_contain_text("two")


def test_a_log_that_there_is_none_of_says_why(page: Page) -> None:
    MockedLogs(page, [(409, refusal("CONFLICT", "The workload has no lease yet"))])
    dialog = open_logs(page)
    expect(dialog.get_by_role("alert")).to_contain_text("The workload has no lease yet")
    expect(dialog.get_by_role("status")).to_have_text("not available")
