import { beforeEach, expect, test, vi } from "vitest";

const tokens = (number: number, expires_in = 900) => ({
  access_token: `a.${btoa(JSON.stringify({ wallet: "0xabc", roles: ["user"] }))}.${number}`,
  expires_in,
  refresh_token: `slr_${number}`,
  refresh_expires_in: 2_592_000,
});
const kept = new Map<string, string>();
const answer = (status: number, body: unknown) => Promise.resolve(new Response(JSON.stringify(body), { status }));

async function fresh() {
  vi.resetModules();
  return { ...(await import("./session")), ...(await import("./renewal")) };
}

beforeEach(() => {
  kept.clear();
  vi.useFakeTimers({ now: 1_800_000_000_000 });
  vi.stubGlobal("window", { addEventListener: () => undefined });
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
});

test("a session is renewed before its token ends, once, however many ask", async () => {
  const { freshSession, getSession, sessionOf, setSession } = await fresh();
  setSession(sessionOf(tokens(1)));
  const refresh = vi.fn(() => answer(200, tokens(2)));
  await freshSession(refresh);
  expect(refresh).not.toHaveBeenCalled();
  vi.setSystemTime(Date.now() + 850_000);
  await Promise.all([freshSession(refresh), freshSession(refresh), freshSession(refresh)]);
  expect(refresh).toHaveBeenCalledExactlyOnceWith("slr_1");
  expect(getSession()?.refreshToken).toBe("slr_2");
});

test("the page renews by itself as long as it is open", async () => {
  const { getSession, keepRenewing, sessionOf, setSession } = await fresh();
  let number = 1;
  keepRenewing(() => answer(200, tokens(++number)));
  setSession(sessionOf(tokens(1)));
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(number).toBe(5);
  expect(getSession()?.refreshToken).toBe("slr_5");
});

test("what another tab has renewed is used, and its old token is not sent again", async () => {
  const { freshSession, getSession, sessionOf, setSession } = await fresh();
  setSession(sessionOf(tokens(1)));
  vi.setSystemTime(Date.now() + 850_000);
  kept.set("slipway.session", JSON.stringify(sessionOf(tokens(7))));
  const refresh = vi.fn(() => answer(200, tokens(2)));
  await freshSession(refresh);
  expect(refresh).not.toHaveBeenCalled();
  expect(getSession()?.refreshToken).toBe("slr_7");
});

test.each([401, 403])("a session that the API has ended is over (%i)", async (status) => {
  const { freshSession, getSession, sessionOf, setSession } = await fresh();
  setSession(sessionOf(tokens(1)));
  vi.setSystemTime(Date.now() + 850_000);
  await freshSession(() => answer(status, {}));
  expect(getSession()).toBeNull();
  expect(kept.size).toBe(0);
});

test("an API that does not answer ends nothing, and is asked again", async () => {
  const { freshSession, getSession, keepRenewing, sessionOf, setSession } = await fresh();
  const refresh = vi.fn().mockRejectedValueOnce(new TypeError("down")).mockReturnValueOnce(answer(502, {}));
  refresh.mockReturnValue(answer(200, tokens(2)));
  keepRenewing(refresh);
  setSession(sessionOf(tokens(1)));
  vi.setSystemTime(Date.now() + 850_000);
  await freshSession(refresh);
  expect(getSession()?.refreshToken).toBe("slr_1");
  await vi.advanceTimersByTimeAsync(40_000);
  expect(refresh).toHaveBeenCalledTimes(3);
  expect(getSession()?.refreshToken).toBe("slr_2");
});

test("a session that can't be renewed any more is not restored", async () => {
  const first = await fresh();
  first.setSession(first.sessionOf(tokens(1)));
  vi.setSystemTime(Date.now() + 2_592_001_000);
  expect((await fresh()).getSession()).toBeNull();
});

test("a session that is refused lapses at once, and one that its owner ends does not", async () => {
  const { freshSession, getLapsed, getSession, sessionOf, setSession, subscribeSession } = await fresh();
  setSession(sessionOf(tokens(1)));
  vi.setSystemTime(Date.now() + 850_000);
  const seen: unknown[] = [];
  subscribeSession(() => seen.push([getSession(), getLapsed()]));
  await freshSession(() => answer(401, {}));
  // Never without both: what is shown would be taken away in between.
  expect(seen).toEqual([[null, "0xabc"]]);
  setSession(sessionOf(tokens(2)));
  expect(getLapsed()).toBeNull();
  setSession(null);
  expect(getLapsed()).toBeNull();
});
