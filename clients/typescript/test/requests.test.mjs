// Sessions, repeats, errors, pages: what the Python client's tests hold as well.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { verifyMessage } from "viem";
import { memoryStore, StillUnderWayError } from "../dist/index.js";
import { errorOf, retryAfter } from "../dist/errors.js";
import { account, answered, Api, bearer, down, lost, refused } from "./api.mjs";

const HEALTH = "GET /health";
const LAUNCH = "POST /api/deployments";
const REFRESH = "POST /api/auth/refresh";
const LAUNCHED = answered({ success: true, deployment_id: "d-1", status_url: "/x" }, 202);
const THROTTLED = answered({ message: "Too Many Requests" }, 429);
const UNAVAILABLE = answered({ message: "Service Unavailable" }, 503);
const api = () => new Api().on(HEALTH, answered({ status: "ok" })).on(LAUNCH, LAUNCHED);
const old = { accessToken: "old", expiresAt: 1, refreshToken: "refresh", refreshExpiresAt: 4e9 };

describe("sessions", () => {
  it("begin when they are first needed, with a message of the API's domain", async () => {
    const world = api();
    const client = world.client();
    await client.health();
    await client.health();
    const [verified, ...more] = world.asked("POST /api/auth/verify");
    assert.deepEqual(more, []);
    const { message, signature } = verified?.body;
    assert.ok(await verifyMessage({ address: account.address, message, signature }));
    assert.match(message, /^api\.example\.com wants you to sign in/);
    assert.match(message, /\nURI: https:\/\/api\.example\.com\nVersion: 1\nChain ID: 31337\nNonce: nonce/);
    assert.deepEqual(world.asked(HEALTH).map(bearer), ["access-1", "access-1"]);
  });

  it("are renewed before they end, once for all that wait", async () => {
    const world = api();
    const client = world.client();
    await client.health();
    world.waited.push(845);
    await Promise.all(Array.from({ length: 20 }, () => client.health()));
    assert.deepEqual(world.asked(REFRESH).map(({ body }) => body), [{ refresh_token: "refresh-1" }]);
    assert.deepEqual(new Set(world.asked(HEALTH).map(bearer)), new Set(["access-1", "access-2"]));
  });

  it("that have ended begin anew by the signer, and are forgotten without one", async () => {
    const world = api().on(REFRESH, refused("AUTH_FAILED", 401));
    const client = world.client({ sessionStore: memoryStore(old) });
    await client.health();
    assert.equal(world.asked("POST /api/auth/verify").length, 1);
    const store = memoryStore(old);
    world.on(HEALTH, refused("AUTH_FAILED", 401));
    await assert.rejects(world.client({ sessionStore: store, signer: undefined }).health(), { code: "AUTH_FAILED" });
    assert.equal(store.load(), null);
  });

  it("outlive an API that does not answer", async () => {
    const world = api().on(REFRESH, UNAVAILABLE);
    const store = memoryStore(old);
    await assert.rejects(world.client({ sessionStore: store }).health(), { status: 503 });
    assert.equal(store.load(), old);
  });

  it("replace a token that is refused early, once", async () => {
    const world = api().on(HEALTH, (request) => (bearer(request) === "access-2" ? answered({}) : refused("AUTH_FAILED", 401))());
    const client = world.client();
    await client.health();
    assert.deepEqual(world.asked(HEALTH).map(bearer), ["access-1", "access-2"]);
    world.on(HEALTH, refused("AUTH_FAILED", 401));
    await assert.rejects(client.health(), { status: 401 });
    assert.equal(world.asked(HEALTH).length, 4);
  });

  it("are not what an API key is", async () => {
    const world = api().on(HEALTH, refused("AUTH_FAILED", 401));
    await assert.rejects(world.client({ signer: undefined, apiKey: "slk_x" }).health(), { status: 401 });
    assert.deepEqual(world.requests.map((request) => [request.path, bearer(request)]), [["/health", "slk_x"]]);
  });

  it("are forgotten before they are ended", async () => {
    const world = api().on("POST /api/auth/logout", answered({ ended: true }));
    const store = memoryStore();
    const client = world.client({ sessionStore: store });
    await client.signIn();
    await client.signOut({ everywhere: true });
    assert.equal(store.load(), null);
    assert.deepEqual(world.asked("POST /api/auth/logout")[0]?.body, { refresh_token: "refresh-1", everywhere: true });
  });
});

describe("repeats", () => {
  for (const [name, failure] of Object.entries({ THROTTLED, UNAVAILABLE, lost, down })) {
    it(`send a launch with the same key after ${name}`, async () => {
      const world = api().on(LAUNCH, failure, failure, LAUNCHED);
      assert.equal((await world.client().launchToken("m", { initial_supply: "5" })).deployment_id, "d-1");
      const sent = world.asked(LAUNCH);
      assert.equal(sent.length, 3);
      assert.equal(new Set(sent.map(({ headers }) => headers.get("idempotency-key"))).size, 1);
      assert.deepEqual(sent[0]?.body, { model_id: "m", initial_supply: "5", user_address: account.address });
    });
  }

  it("have a key of their own for each launch, or the caller's", async () => {
    const world = api();
    const client = world.client();
    await client.launchToken("m");
    await client.launchToken("m");
    await client.launchToken("m", { idempotencyKey: "mine" });
    const keys = world.asked(LAUNCH).map(({ headers }) => headers.get("idempotency-key"));
    assert.equal(new Set(keys).size, 3);
    assert.equal(keys[2], "mine");
  });

  it("are bounded, and never before Retry-After", async () => {
    const world = api().on(LAUNCH, UNAVAILABLE);
    await assert.rejects(world.client().launchToken("m"), { code: "UPSTREAM_UNAVAILABLE", status: 503 });
    assert.equal(world.asked(LAUNCH).length, 5);
    const later = api().on(LAUNCH, refused("SERVICE_PAUSED", 503, { "retry-after": "7" }), LAUNCHED);
    await later.client().launchToken("m");
    assert.ok(later.waited[0] && later.waited[0] >= 7 && later.waited[0] <= 7.5);
    later.on(LAUNCH, refused("RATE_LIMIT_EXCEEDED", 429, { "retry-after": "3600" }));
    await assert.rejects(later.client().launchToken("m"), { retryAfter: 3600 });
  });

  const cases = /** @type {const} */ ([
    ["UNAVAILABLE", UNAVAILABLE, 1], ["lost", lost, 1], ["502", refused("UPSTREAM_UNAVAILABLE", 502), 1], ["CONFLICT", refused("CONFLICT", 409), 1],
    ["THROTTLED", THROTTLED, 5], ["down", down, 5], ["429", refused("RATE_LIMIT_EXCEEDED", 429, { "retry-after": "1" }), 5],
  ]);
  for (const [name, failure, tries] of cases) {
    it(`of what is not idempotent are ${tries - 1} after ${name}`, async () => {
      const world = api().on("POST /api/webhooks", failure);
      await assert.rejects(world.client().webhooks.create("https://example.com", ["worker.*"]));
      assert.equal(world.asked("POST /api/webhooks").length, tries);
    });
  }

  it("of a deletion whose answer was lost end where nothing is there", async () => {
    const world = api().on("DELETE /api/webhooks/w-1", lost, refused("NOT_FOUND", 404));
    await world.client().webhooks.delete("w-1");
    await assert.rejects(world.client().webhooks.delete("w-1"), { status: 404 });
  });

  it("end when the caller aborts", async () => {
    const controller = new AbortController();
    const world = api().on("GET /api/deployments/d-1/status", () => { controller.abort(new Error("enough")); throw controller.signal.reason; });
    await assert.rejects(world.client().follow("d-1", { signal: controller.signal }), { message: "enough" });
    assert.equal(world.asked("GET /api/deployments/d-1/status").length, 1);
  });
});

describe("errors", () => {
  it("have what the envelope has", async () => {
    const body = await refused("BUDGET_EXCEEDED", 402)().text();
    const error = errorOf(402, new Headers({ "retry-after": "5" }), body);
    assert.deepEqual([error.code, error.status, error.message, error.requestId, error.retryAfter, error.passes],
      ["BUDGET_EXCEEDED", 402, "It is BUDGET_EXCEEDED", "r-1", 5, false]);
  });

  const cases = /** @type {const} */ ([
    [429, '{"message":"Too Many Requests"}', "RATE_LIMIT_EXCEEDED"], [503, '{"message":"Service Unavailable"}', "UPSTREAM_UNAVAILABLE"],
    [500, '{"message":"Internal Server Error"}', "INTERNAL_ERROR"], [502, "<html>Bad gateway</html>", "UPSTREAM_UNAVAILABLE"],
    [504, "", "UPSTREAM_UNAVAILABLE"], [403, '{"message":null}', "FORBIDDEN"], [418, '"a teapot"', "HTTP_418"],
    [400, '{"error":"plain"}', "HTTP_400"], [404, "[]", "NOT_FOUND"],
  ]);
  for (const [status, body, code] of cases) {
    it(`are made of ${status} ${body}`, () => {
      const error = errorOf(status, new Headers(), body);
      assert.deepEqual([error.code, error.status, error.message !== ""], [code, status, true]);
    });
  }

  it("read Retry-After as seconds or a date", () => {
    assert.deepEqual(["12", null, "soon", "Wed, 21 Oct 2015 07:28:00 GMT"].map((value) => retryAfter(value)), [12, null, null, 0]);
  });

  it("are what an answer is that is no JSON", async () => {
    await assert.rejects(api().on(HEALTH, answered("<html>Sign in to this network</html>")).client().health(), /not Slipway's/);
  });
});

describe("paths and pages", () => {
  it("escape what stands in a path", async () => {
    const world = api();
    await assert.rejects(world.client().models.get("a/../b?c"));
    assert.equal(world.requests.at(-1)?.path, "/api/models/a%2F..%2Fb%3Fc");
  });

  it("go through all pages", async () => {
    const world = api().on("GET /workers", ({ url }) => {
      const cursor = url.searchParams.get("cursor");
      return answered({ workers: [{ wallet: `${cursor ?? 0}a` }, { wallet: `${cursor ?? 0}b` }], next_cursor: { 0: "1", 1: "2" }[cursor ?? 0] ?? null })();
    });
    const seen = [];
    for await (const { wallet } of world.client().workers.list({ limit: 2 })) seen.push(wallet);
    assert.deepEqual(seen, ["0a", "0b", "1a", "1b", "2a", "2b"]);
    assert.equal(world.asked("GET /workers")[0]?.url.search, "?limit=2");
  });

  it("follow to the end, through an outage, and not for ever", async () => {
    const states = ["pending", "pending", "deploying", "completed"].map((status) => answered({ status }));
    const world = api().on("GET /api/deployments/d-1/status", /** @type {any} */ (states[0]), ...Array(7).fill(down), ...states.slice(1));
    /** @type {string[]} */
    const seen = [];
    const last = await world.client().follow({ deployment_id: "d-1" }, { onChange: ({ status }) => seen.push(status) });
    assert.equal(last.status, "completed");
    assert.deepEqual(seen, ["pending", "deploying", "completed"]);
    const slow = api().on("GET /api/deployments/d-1/status", answered({ status: "pending" }));
    await assert.rejects(slow.client().follow("d-1", { timeout: 120 }), StillUnderWayError);
    assert.ok(slow.now - 1_800_000_000 <= 120);
  });
});
