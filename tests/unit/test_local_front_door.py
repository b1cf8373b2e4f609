"""The front door, with an engine of the test's own; both are reached by Unix sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, UnixConnector, WSMsgType, WSServerHandshakeError, web

from local.front_door import FrontDoor, application

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
THROTTLE = {"__type": "TooManyRequestsException", "message": "Rate Exceeded", "Reason": "ConcurrentInvocationLimit"}


def through(directory: Path, engine: Handler, talk: Callable[[ClientSession], Awaitable[Any]], **settings: Any) -> Any:
    """Run a conversation with a front door before an engine."""

    async def run() -> Any:
        async with AsyncExitStack() as stack:
            behind = web.Application()
            behind.router.add_route("*", "/{path:.*}", engine)
            await listen(stack, behind, directory / "engine")
            door = FrontDoor(
                **{
                    "engine": "http://engine",
                    "http_api": "aaaa0000",
                    "websocket_api": "bbbb0000",
                    "host": "localhost:8000",
                    "at_once": 4,
                    "connector": lambda: UnixConnector(str(directory / "engine"), limit=0),
                    **settings,
                }
            )
            await listen(stack, application(door), directory / "door")
            connector = UnixConnector(str(directory / "door"), limit=0)
            session = await stack.enter_async_context(ClientSession("http://door", connector=connector))
            return await talk(session)

    return asyncio.run(run())


async def listen(stack: AsyncExitStack, app: web.Application, path: Path) -> None:
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.UnixSite(runner, str(path)).start()


def test_a_request_reaches_the_engine_byte_by_byte(tmp_path: Path) -> None:
    seen: dict[str, Any] = {}

    async def engine(request: web.Request) -> web.Response:
        seen.update(path=request.raw_path, method=request.method, body=await request.read(), headers=request.headers)
        return web.Response(status=201, headers={"X-Answer": "1", "Keep-Alive": "timeout=5"}, body=b"\x00made")

    async def talk(session: ClientSession) -> None:
        from yarl import URL

        url = URL("http://door/api/a%2Fb//c?x=%20&y=+&x=2&empty", encoded=True)
        headers = {"Connection": "x-private", "X-Private": "1", "X-Forwarded-For": "192.0.2.1", "Host": "evil.test"}
        async with session.request("PATCH", url, data=b"\xff\x00body", headers=headers) as answer:
            assert answer.status == 201
            assert answer.headers["x-answer"] == "1"
            assert "keep-alive" not in answer.headers
            assert await answer.read() == b"\x00made"

    through(tmp_path, engine, talk)
    assert seen["path"] == "/_aws/execute-api/aaaa0000/$default/api/a%2Fb//c?x=%20&y=+&x=2&empty"
    assert seen["method"] == "PATCH"
    assert seen["body"] == b"\xff\x00body"
    assert "x-private" not in seen["headers"]
    assert seen["headers"]["host"] == "localhost:8000"
    assert seen["headers"]["x-forwarded-for"].startswith("192.0.2.1, ")


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:8080", "http://localhost"])
def test_a_page_on_any_port_of_this_machine_may_read_answers(tmp_path: Path, origin: str) -> None:
    seen: list[str] = []

    async def engine(request: web.Request) -> web.Response:
        seen.append(request.headers["origin"])
        return web.Response(status=401, headers={"Retry-After": "1"})

    async def talk(session: ClientSession) -> None:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        async with session.options("/api/deployments", headers=asked) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, origin)
            assert "PATCH" in answer.headers["Access-Control-Allow-Methods"].split(",")
            assert "authorization" in answer.headers["Access-Control-Allow-Headers"].split(",")
        async with session.post("/api/deployments", headers={"Origin": origin}) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (401, origin)
            assert "retry-after" in answer.headers["Access-Control-Expose-Headers"].split(",")

    through(tmp_path, engine, talk)
    assert seen == [origin]


@pytest.mark.parametrize(
    "origin", ["https://evil.test", "http://localhost.evil.test", "http://localhost:80@evil.test", "null", "file://"]
)
def test_a_page_from_elsewhere_is_the_engines_matter(tmp_path: Path, origin: str) -> None:
    async def engine(request: web.Request) -> web.Response:
        return web.Response(status=403)

    async def talk(session: ClientSession) -> None:
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        for request in (session.options("/x", headers=asked), session.get("/x", headers={"Origin": origin})):
            async with request as answer:
                assert answer.status == 403
                assert "Access-Control-Allow-Origin" not in answer.headers

    through(tmp_path, engine, talk)


def test_an_answer_is_passed_on_as_it_comes(tmp_path: Path) -> None:
    more = asyncio.Event()

    async def engine(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await more.wait()
        await response.write(b"second")
        await response.write_eof()
        return response

    async def talk(session: ClientSession) -> None:
        async with session.get("/stream") as answer:
            assert await answer.content.read(5) == b"first"
            more.set()
            assert await answer.content.read() == b"second"

    through(tmp_path, engine, talk)


def test_an_answer_that_breaks_off_is_not_passed_on_as_whole(tmp_path: Path) -> None:
    async def engine(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"part")
        assert request.transport
        request.transport.close()
        return response

    async def talk(session: ClientSession) -> None:
        from aiohttp import ClientPayloadError

        async with session.get("/broken") as answer:
            with pytest.raises(ClientPayloadError):
                await answer.read()

    through(tmp_path, engine, talk)


def test_the_engines_throttle_is_tried_again_with_the_same_body(tmp_path: Path) -> None:
    bodies: list[bytes] = []

    async def engine(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        return web.json_response(THROTTLE, status=429) if len(bodies) < 3 else web.json_response({"done": True})

    async def talk(session: ClientSession) -> None:
        async with session.post("/x", data=b"once") as answer:
            assert (answer.status, await answer.json()) == (200, {"done": True})

    through(tmp_path, engine, talk)
    assert bodies == [b"once"] * 3


def test_a_functions_own_429_is_the_callers(tmp_path: Path) -> None:
    body = {"success": False, "error": {"code": "RATE_LIMIT_EXCEEDED", "message": "slow down"}}
    calls = []

    async def engine(request: web.Request) -> web.Response:
        calls.append(request)
        return web.json_response(body, status=429, headers={"Retry-After": "7"})

    async def talk(session: ClientSession) -> None:
        async with session.get("/x") as answer:
            assert (answer.status, answer.headers["retry-after"], await answer.json()) == (429, "7", body)

    through(tmp_path, engine, talk)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ({"errorMessage": "secret", "errorType": "KeyError", "stackTrace": ["…"]}, (500, "Internal Server Error")),
        ({"message": "a function's own 502"}, (502, "a function's own 502")),
    ],
)
def test_what_a_broken_function_says_is_not_for_callers(
    tmp_path: Path, sent: dict[str, Any], received: tuple[int, str]
) -> None:
    async def engine(request: web.Request) -> web.Response:
        return web.json_response(sent, status=502)

    async def talk(session: ClientSession) -> None:
        async with session.get("/x") as answer:
            assert (answer.status, (await answer.json())["message"]) == received

    through(tmp_path, engine, talk)


def test_long_polls_take_nobody_elses_turn(tmp_path: Path) -> None:
    over, all_there = asyncio.Event(), asyncio.Event()
    asked: list[str] = []

    async def engine(request: web.Request) -> web.Response:
        if request.path.endswith("/logs"):
            asked.append(request.path)
            if len(asked) == 10:
                all_there.set()
            await over.wait()
        return web.Response()

    async def talk(session: ClientSession) -> None:
        polls = [asyncio.create_task(session.get(f"/api/deployments/{number}/logs")) for number in range(10)]
        async with asyncio.timeout(5):
            await all_there.wait()
        async with asyncio.timeout(5), session.get("/api/deployments") as answer:
            assert answer.status == 200
        over.set()
        assert [(await poll).status for poll in polls] == [200] * 10

    through(tmp_path, engine, talk, at_once=1)


def test_only_so_many_requests_at_once(tmp_path: Path) -> None:
    now, most = 0, 0

    async def engine(request: web.Request) -> web.Response:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)  # noqa: TID251 (others would come meanwhile, if they might)
        now -= 1
        return web.Response()

    async def talk(session: ClientSession) -> list[int]:
        async def one() -> int:
            async with session.get("/x") as answer:
                return answer.status

        return await asyncio.gather(*(one() for _ in range(20)))

    assert through(tmp_path, engine, talk, at_once=3) == [200] * 20
    assert most == 3


def test_who_waits_too_long_gets_503(tmp_path: Path) -> None:
    async def engine(request: web.Request) -> web.Response:
        await asyncio.sleep(5)  # noqa: TID251 (longer than the front door waits)
        return web.Response()

    async def talk(session: ClientSession) -> int:
        async with session.get("/x") as answer:
            return answer.status

    assert through(tmp_path, engine, talk, deadline_seconds=0.2) == 503


def test_an_engine_that_is_gone_is_503(tmp_path: Path) -> None:
    async def engine(request: web.Request) -> web.Response:
        raise AssertionError

    async def talk(session: ClientSession) -> int:
        async with session.get("/x") as answer:
            return answer.status

    nowhere = {"connector": lambda: UnixConnector(str(tmp_path / "nothing"))}
    assert through(tmp_path, engine, talk, **nowhere) == 503


def test_more_than_ten_megabytes_is_413_without_asking_the_engine(tmp_path: Path) -> None:
    async def engine(request: web.Request) -> web.Response:
        raise AssertionError

    async def talk(session: ClientSession) -> int:
        async with session.post("/x", data=bytes(10 * 1024 * 1024 + 1)) as answer:
            return answer.status

    assert through(tmp_path, engine, talk) == 413


# ── WebSocket ───────────────────────────────────────────────────────────────────────────────────


def test_messages_go_both_ways_and_the_closing_code_too(tmp_path: Path) -> None:
    seen: dict[str, str] = {}

    async def engine(request: web.Request) -> web.WebSocketResponse:
        seen.update(path=request.raw_path, offered=request.headers["sec-websocket-protocol"])
        far = web.WebSocketResponse()
        await far.prepare(request)
        await far.send_str("welcome")
        await far.send_bytes((await far.receive_bytes())[::-1])
        await far.close(code=4001)
        return far

    async def talk(session: ClientSession) -> None:
        path = "/api/v1/builds/b-1/stream?after=3"
        async with session.ws_connect(path, protocols=["bearer", "token"]) as near:
            assert near.protocol == "bearer"
            assert await near.receive_str() == "welcome"
            await near.send_bytes(b"abc")
            assert await near.receive_bytes() == b"cba"
            assert await code_of_close(near) == 4001

    through(tmp_path, engine, talk)
    assert seen["path"] == "/_aws/execute-api/bbbb0000/v1?build_id=b-1&after=3"
    assert [part.strip() for part in seen["offered"].split(",")] == ["bearer", "token"]


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["bearer", "token"], "bearer"), (["chat", "bearer", "token"], "bearer"), (["chat"], None)]
)
def test_only_the_subprotocol_of_streams_is_chosen(tmp_path: Path, offered: list[str], chosen: str | None) -> None:
    async def engine(request: web.Request) -> web.WebSocketResponse:
        far = web.WebSocketResponse()
        await far.prepare(request)
        await far.close()
        return far

    async def talk(session: ClientSession) -> str | None:
        async with session.ws_connect("/?build_id=b-1", protocols=offered) as near:
            return near.protocol

    assert through(tmp_path, engine, talk) == chosen


def test_the_path_alone_names_the_build(tmp_path: Path) -> None:
    seen: list[str] = []

    async def engine(request: web.Request) -> web.WebSocketResponse:
        seen.append(request.raw_path)
        far = web.WebSocketResponse()
        await far.prepare(request)
        await far.close()
        return far

    async def talk(session: ClientSession) -> None:
        async with session.ws_connect("/api/v1/builds/b-1/stream?build_id=b-2&after=3&build_id"):
            pass

    through(tmp_path, engine, talk)
    assert seen == ["/_aws/execute-api/bbbb0000/v1?build_id=b-1&after=3"]


async def code_of_close(connection: ClientWebSocketResponse) -> int | None:
    assert (await connection.receive()).type is WSMsgType.CLOSE
    return connection.close_code


def test_the_engine_learns_that_the_caller_left(tmp_path: Path) -> None:
    left = asyncio.Event()

    async def engine(request: web.Request) -> web.WebSocketResponse:
        far = web.WebSocketResponse()
        await far.prepare(request)
        async for _ in far:
            pass
        left.set()
        return far

    async def talk(session: ClientSession) -> None:
        async with session.ws_connect("/?build_id=b-1"):
            pass
        await asyncio.wait_for(left.wait(), 5)

    through(tmp_path, engine, talk)


def test_a_refused_connection_keeps_its_status(tmp_path: Path) -> None:
    async def engine(request: web.Request) -> web.Response:
        return web.Response(status=403)

    async def talk(session: ClientSession) -> int:
        with pytest.raises(WSServerHandshakeError) as refused:
            await session.ws_connect("/?build_id=b-1")
        return refused.value.status

    assert through(tmp_path, engine, talk) == 403


def test_requests_are_counted_as_api_gateway_does(tmp_path: Path) -> None:
    counted: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def engine(request: web.Request) -> web.Response:
        if request.headers.get("X-Amz-Target", "").endswith(".PutMetricData"):
            await counted.put(await request.json())
            return web.Response()
        return web.Response(status=503 if request.raw_path.endswith("/broken") else 200)

    async def talk(session: ClientSession) -> dict[str, Any]:
        for path in ("/health", "/broken"):
            async with session.get(path):
                pass
        return await asyncio.wait_for(counted.get(), 5)

    body = through(tmp_path, engine, talk, metrics_seconds=0.2)
    found = {entry["MetricName"]: entry["Values"] for entry in body["MetricData"]}
    assert (body["Namespace"], found["Count"], found["5xx"], found["4xx"]) == ("AWS/ApiGateway", [1, 1], [0, 1], [0, 0])
    assert len(found["Latency"]) == 2
    assert body["MetricData"][0]["Dimensions"] == [{"Name": "ApiId", "Value": "aaaa0000"}]
