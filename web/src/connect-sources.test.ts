import { expect, test } from "vitest";
import { connectSources, frameSources } from "./connect-sources";

const RPC = "https://rpc.example.test/v3/key";

test("the API, its streams and the node are named, without their paths", () => {
  expect(connectSources({ api: "https://api.example.test/", rpc: RPC })).toEqual([
    "'self'", "https://api.example.test", "wss://api.example.test", "https://rpc.example.test",
  ]);
});

test("API Gateway's streams have an address of their own", () => {
  const api = "https://abc123.execute-api.eu-central-1.amazonaws.com";
  expect(connectSources({ api, rpc: RPC })).toContain("wss://*.execute-api.eu-central-1.amazonaws.com");
  const streams = "wss://def456.execute-api.eu-central-1.amazonaws.com/v1";
  expect(connectSources({ api, rpc: RPC, streams })).toContain("wss://def456.execute-api.eu-central-1.amazonaws.com");
});

test("a host that only looks like API Gateway's opens nothing else", () => {
  const sources = connectSources({ api: "https://abc.execute-api.eu-central-1.amazonaws.com.evil.test", rpc: RPC });
  expect(sources.filter((source) => source.includes("*"))).toEqual([]);
});

test("a wallet's hosts are named where it is offered, and nowhere else", () => {
  const api = "https://api.example.test/";
  const plain = connectSources({ api, rpc: RPC });
  expect(connectSources({ api, rpc: RPC, walletConnect: true }).slice(plain.length)).toEqual([
    "wss://relay.walletconnect.org", "https://verify.walletconnect.org",
  ]);
  expect(connectSources({ api, rpc: RPC, coinbaseWallet: true }).slice(plain.length)).toEqual([
    "https://www.walletlink.org", "wss://www.walletlink.org",
  ]);
  expect(frameSources({ walletConnect: true, coinbaseWallet: true })).toEqual(["https://verify.walletconnect.org"]);
  expect(frameSources({ coinbaseWallet: true })).toEqual(["'none'"]);
});

test("what is no address is refused", () => {
  expect(() => connectSources({ api: "api.example.test", rpc: RPC })).toThrow();
});
