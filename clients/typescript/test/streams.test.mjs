// Logs, streams of builds, webhooks and wallets.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import { Wallet as EthersWallet } from "ethers";
import { createWalletClient, custom, getAddress, verifyMessage, verifyTypedData } from "viem";
import { verifyWebhook, walletOf, WebhookError } from "../dist/index.js";
import { checksummed } from "../dist/addresses.js";
import { EventParser } from "../dist/events.js";
import { sendAll } from "../dist/signing.js";
import { account, answered, Api, down, KEY, lost, refused } from "./api.mjs";

const LOGS = "GET /api/deployments/d-1/logs";
/** @param {number[]} numbers */
const text = (...numbers) => `retry: 200\n\n${numbers.map((n) => `id: c${n}\ndata: {"service":"web","pod":"p","line":"line ${n}"}\n\n`).join("")}`;
/** @param {number[]} numbers */
const lines = (...numbers) => answered(text(...numbers));
const end = answered('retry: 200\n\nevent: end\nid: e\ndata: {"message":"The workload is closed"}\n\n');

describe("logs", () => {
  it("resume after the last event whatever happens", async () => {
    // Cut in the middle of an event, which comes whole with the next answer.
    const cut = answered(`${text(2)}id: c3\ndata: {"service":"web","li`);
    const world = new Api().on(LOGS, lines(0, 1), lost, cut, refused("UPSTREAM_UNAVAILABLE", 502), lines(3), end);
    const seen = [];
    for await (const event of world.client().logs("d-1", { service: "web", tail: 5 })) seen.push([event.event, event.line || event.message]);
    assert.deepEqual(seen, [...[0, 1, 2, 3].map((n) => ["line", `line ${n}`]), ["end", "The workload is closed"]]);
    assert.deepEqual(world.asked(LOGS).map(({ headers }) => headers.get("last-event-id")), [null, "c1", "c1", "c2", "c2", "c3"]);
    assert.ok(world.asked(LOGS).every(({ url }) => url.search === "?service=web&tail=5"));
  });

  it("end at 204, without following after what is there, and at a refusal", async () => {
    const over = new Api().on(LOGS, answered("", 204));
    for await (const _ of over.client().logs("d-1", { after: "c7" })) assert.fail();
    assert.equal(over.asked(LOGS)[0]?.headers.get("last-event-id"), "c7");
    const long = answered(`retry: 200\n\n: ${"x".repeat(300_000)}\n\n${text(0)}`);
    const seen = [];
    for await (const { line } of new Api().on(LOGS, down, long, lines(1), lines(2)).client().logs("d-1", { follow: false })) seen.push(line);
    assert.deepEqual(seen, ["line 0", "line 1"]);
    await assert.rejects(new Api().on(LOGS, refused("CONFLICT", 409)).client().logs("d-1").next(), { code: "CONFLICT" });
    const dead = new Api().on(LOGS, down);
    await assert.rejects(dead.client().logs("d-1").next(), { code: "NETWORK" });
    assert.ok(dead.now - 1_800_000_000 >= 300 && dead.now - 1_800_000_000 < 330);
  });

  it("may come in pieces that end anywhere", () => {
    const stream = "retry: 1500\r\n\r\n: comment\r\nid: 1\ndata: a\ndata: b\n\nevent: gap\nid:2\ndata:x\n\ndata\n\n";
    for (const size of [1, 2, 7, 1000]) {
      const parser = new EventParser();
      const events = [];
      for (let at = 0; at < stream.length; at += size) events.push(...parser.push(stream.slice(at, at + size)));
      assert.deepEqual(events, [{ name: "message", data: "a\nb", id: "1" }, { name: "gap", data: "x", id: "2" }, { name: "message", data: "", id: "2" }]);
      assert.equal(parser.retry, 1.5);
    }
  });
});

describe("events of a build", () => {
  it("are contiguous whatever happens", async () => {
    /** @type {(number[] | null)[]} */
    const connections = [[1, 2, 3], null, [3, 4, 5], [], [6, 7, 8, 9]];
    /** @type {unknown[][]} */
    const opened = [];
    class Socket {
      /** @param {string} url @param {string[]} protocols */
      constructor(url, protocols) {
        opened.push([new URL(url).searchParams.get("after"), protocols]);
        const sent = connections.shift();
        queueMicrotask(() => {
          for (const sequence of sent ?? []) this.onmessage({ data: JSON.stringify({ sequence, status: sequence === 9 ? "complete" : "auditing" }) });
          if (!sent) this.onerror();
          this.onclose();
        });
      }
      onmessage = /** @type {any} */ (undefined);
      onclose = /** @type {any} */ (undefined);
      onerror = /** @type {any} */ (undefined);
      close() {}
    }
    const world = new Api().on("GET /api/v1/builds/b-1", () =>
      answered({ stream_url: "wss://ws.example.com/v1?build_id=b-1", sequence: 9, status: connections.length ? "auditing" : "complete" })());
    const seen = [];
    for await (const { sequence } of world.client({ WebSocket: /** @type {any} */ (Socket) }).builds.events("b-1")) seen.push(sequence);
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.deepEqual(opened.map(([after]) => after), ["0", "3", "3", "5", "5"]);
    assert.deepEqual(opened[0]?.[1], ["bearer", "access-1"]);
  });
});

describe("webhooks", () => {
  const secret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
  const body = '{"type":"worker.down","timestamp":"2026-11-29T04:20:00.000Z","data":{"wallet":"0x1"}}';
  /** @param {string} [content] @param {Record<string, string>} [changes] */
  function signed(content = body, changes = {}) {
    const signature = createHmac("sha256", Buffer.from(secret.slice(6), "base64")).update(`m-1.1000.${content}`).digest("base64");
    return { "Webhook-Id": "m-1", "Webhook-Timestamp": "1000", "Webhook-Signature": `v1,other v1,${signature}`, ...changes };
  }

  it("are the messages that are signed", async () => {
    assert.equal((await verifyWebhook(body, signed(), secret, { now: 1100 })).type, "worker.down");
    assert.equal((await verifyWebhook(new TextEncoder().encode(body), new Headers(signed()), secret, { now: 701 })).data.wallet, "0x1");
  });

  const cases = /** @type {const} */ ([
    [`${body} `, signed(), secret, 1000], [body, signed(), `whsec_${btoa("other")}`, 1000], [body, signed(), "whsec_not base64!", 1000],
    [body, signed(), secret, 1301], [body, signed(), secret, 699], [body, signed(body, { "Webhook-Id": "m-2" }), secret, 1000],
    [body, signed(body, { "Webhook-Timestamp": "1001" }), secret, 1000], [body, signed(body, { "Webhook-Signature": "" }), secret, 1000],
    [body, {}, secret, 1000], ["no json", signed("no json"), secret, 1000],
  ]);
  for (const [index, [content, headers, key, now]] of cases.entries()) {
    it(`are no others (${index})`, async () => {
      await assert.rejects(verifyWebhook(content, headers, key, { now }), (error) => error instanceof WebhookError && !error.message.includes(key));
    });
  }
});

describe("wallets", () => {
  const typed = {
    domain: { name: "Token", version: "1", chainId: 31337, verifyingContract: `0x${"22".repeat(20)}` },
    types: {
      EIP712Domain: [{ name: "name", type: "string" }, { name: "version", type: "string" }, { name: "chainId", type: "uint256" }, { name: "verifyingContract", type: "address" }],
      Permit: [{ name: "owner", type: "address" }, { name: "value", type: "uint256" }],
    },
    primaryType: "Permit",
    message: { owner: account.address, value: "5" },
  };
  const transaction = { to: `0x${"22".repeat(20)}`, data: "0x", value: "0x1", gas: 21000, chainId: 31337, description: "" };

  /** What a browser's wallet is, with accounts in lower case; it knows the status of what was sent. */
  function provider(status = "0x1") {
    /** @type {[string, any][]} */
    const asked = [];
    return {
      asked,
      /** @param {{ method: string, params?: any }} request */
      async request({ method, params }) {
        asked.push([method, params]);
        if (method === "eth_requestAccounts" || method === "eth_accounts") return [account.address.toLowerCase()];
        if (method === "personal_sign") return account.signMessage({ message: { raw: params[0] } });
        if (method === "eth_signTypedData_v4") return account.signTypedData(JSON.parse(params[1]));
        if (method === "eth_chainId") return "0x7a69";
        if (method === "eth_sendTransaction") return "0xabc";
        return method === "eth_getTransactionReceipt" ? { status } : null;
      },
    };
  }

  const signers = {
    "EIP-1193": provider(), "viem account": account, ethers: new EthersWallet(KEY),
    "viem client": createWalletClient({ account, transport: custom(provider()) }),
  };
  for (const [name, signer] of Object.entries(signers)) {
    it(`of ${name} sign messages and typed data`, async () => {
      const wallet = walletOf(/** @type {any} */ (signer));
      assert.equal(await wallet.address(), account.address);
      const signature = /** @type {`0x${string}`} */ (await wallet.signMessage("hello\nwörld"));
      assert.ok(await verifyMessage({ address: account.address, message: "hello\nwörld", signature }));
      const permit = /** @type {`0x${string}`} */ (await wallet.signTypedData?.(typed));
      assert.ok(await verifyTypedData({ address: account.address, .../** @type {any} */ (typed), signature: permit }));
    });
  }

  it("of a browser send, on the right chain, and wait", async () => {
    const browser = provider();
    assert.deepEqual(await sendAll(walletOf(browser), [{ ...transaction, chainId: 1 }]), ["0xabc"]);
    assert.deepEqual(browser.asked.find(([method]) => method === "wallet_switchEthereumChain")?.[1], [{ chainId: "0x1" }]);
    const sent = browser.asked.find(([method]) => method === "eth_sendTransaction")?.[1][0];
    assert.deepEqual(sent, { from: account.address.toLowerCase(), to: transaction.to, data: "0x", value: "0x1", gas: "0x5208", chainId: "0x1" });
    await assert.rejects(sendAll(walletOf(provider("0x0")), [transaction]), { code: "TRANSACTION_FAILED" });
  });

  it("that are keys alone send nothing", async () => {
    await assert.rejects(sendAll(walletOf(account), [transaction]), TypeError);
  });

  it("have checksummed addresses", () => {
    for (let at = 0; at < 50; at++) {
      const address = `0x${createHmac("sha256", "x").update(String(at)).digest("hex").slice(0, 40)}`;
      assert.equal(checksummed(address), getAddress(address));
    }
  });
});
