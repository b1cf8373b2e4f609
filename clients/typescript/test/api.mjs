// An API that answers what a test wants, and a client of it whose waits are kept instead of waited.
import { Slipway } from "../dist/index.js";
import { privateKeyToAccount } from "viem/accounts";

export const KEY = `0x${"11".repeat(32)}`;
export const account = privateKeyToAccount(/** @type {`0x${string}`} */ (KEY));
const BEGAN = 1_800_000_000;

/** @param {unknown} body @param {number} [status] @param {Record<string, string>} [headers] */
export function answered(body, status = 200, headers = {}) {
  return () => new Response(status === 204 ? null : typeof body === "string" ? body : JSON.stringify(body), { status, headers });
}

/** @param {string} code @param {number} status @param {Record<string, string>} [headers] */
export function refused(code, status, headers = {}) {
  return answered({ success: false, error: { code, message: `It is ${code}` }, request_id: "r-1" }, status, headers);
}

/** What fetch throws in Node when nothing can have arrived, and when it may have. */
export const down = () => { throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNREFUSED" }) }); };
export const lost = () => { throw new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ECONNRESET" }) }); };

export class Api {
  /** @type {{ method: string, path: string, url: URL, headers: Headers, body: any }[]} */
  requests = [];
  /** @type {number[]} */
  waited = [];
  /** @type {Map<string, (((request: any) => Response | Promise<Response>))[]>} */
  answers = new Map();
  sessions = 0;

  /** @param {string} route @param {...((request: any) => any)} answers */
  on(route, ...answers) {
    this.answers.set(route, answers);
    return this;
  }

  /** @param {string} route */
  asked(route) {
    return this.requests.filter(({ method, path }) => `${method} ${path}` === route);
  }

  get now() {
    return BEGAN + this.waited.reduce((sum, pause) => sum + pause, 0);
  }

  /** @param {Partial<import("../dist/index.js").SlipwayOptions>} [options] */
  client(options = {}) {
    return new Slipway({
      api: "https://api.example.com",
      signer: account,
      fetch: /** @type {any} */ ((/** @type {string} */ url, /** @type {RequestInit} */ init) => this.handle(url, init)),
      clock: { now: () => this.now, sleep: async (seconds) => void this.waited.push(seconds) },
      ...options,
    });
  }

  /** @param {string} url @param {RequestInit} init */
  async handle(url, init) {
    const address = new URL(url);
    const request = {
      method: String(init.method), path: address.pathname, url: address, headers: new Headers(init.headers),
      body: init.body ? JSON.parse(String(init.body)) : undefined,
    };
    this.requests.push(request);
    const answers = this.answers.get(`${request.method} ${request.path}`);
    if (!answers) return this.auth(request);
    return (answers.length > 1 ? answers.shift() : answers[0])?.(request);
  }

  /** @param {{ path: string }} request */
  auth({ path }) {
    if (path === "/api/auth/nonce") return answered({ nonce: `nonce${String(this.requests.length).padStart(8, "0")}`, chain_id: 31337 })();
    if (path === "/api/auth/verify" || path === "/api/auth/refresh") {
      this.sessions += 1;
      return answered({
        token_type: "Bearer", expires_in: 900, refresh_expires_in: 86400,
        access_token: `access-${this.sessions}`, refresh_token: `refresh-${this.sessions}`,
      })();
    }
    return refused("NOT_FOUND", 404)();
  }
}

/** @param {{ headers: Headers }} request */
export const bearer = ({ headers }) => headers.get("authorization")?.replace("Bearer ", "");
