// A wallet on a telephone, by WalletConnect's own library, and a relay on loopback between it and the page.
// It prints the relay's port, then obeys one JSON line each: {"pair": uri}, {"reject": true}. Keys and chain by argument.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const { web, key, chainId } = JSON.parse(process.argv[2]);
const require = createRequire(`${web}/package.json`);
const requireOfConnection = createRequire(require.resolve("@walletconnect/jsonrpc-ws-connection"));
const { WebSocketServer, Server } = requireOfConnection("ws");
const { SignClient } = require("@walletconnect/sign-client");
const { privateKeyToAccount } = require("viem/accounts");

const account = privateKeyToAccount(key);
const subscribers = new Map(); // topic → sockets
const mailboxes = new Map(); // topic → messages that nobody has had
let sequence = Date.now() * 1000;

function subscribe(socket, topic) {
  subscribers.set(topic, (subscribers.get(topic) ?? new Set()).add(socket));
  for (const data of mailboxes.get(topic) ?? []) if (data.from !== socket) deliver(socket, data);
  return `subscription-${topic}`;
}

function deliver(socket, { topic, message, tag }) {
  const params = { id: `subscription-${topic}`, data: { topic, message, tag, publishedAt: Date.now() } };
  socket.send(JSON.stringify({ jsonrpc: "2.0", id: ++sequence, method: "irn_subscription", params }));
}

function publish(socket, { topic, message, tag }) {
  const data = { topic, message, tag, from: socket };
  mailboxes.set(topic, [...(mailboxes.get(topic) ?? []), data]);
  for (const other of subscribers.get(topic) ?? []) if (other !== socket) deliver(other, data);
  return true;
}

const methods = {
  irn_subscribe: (socket, { topic }) => subscribe(socket, topic),
  irn_batchSubscribe: (socket, { topics }) => topics.map((topic) => subscribe(socket, topic)),
  irn_unsubscribe: (socket, { topic }) => Boolean(subscribers.get(topic)?.delete(socket)),
  irn_batchFetchMessages: () => ({ messages: [], hasMore: false }),
  irn_publish: publish,
  wc_proposeSession: (socket, { pairingTopic, sessionProposal }) => {
    subscribe(socket, pairingTopic);
    return publish(socket, { topic: pairingTopic, message: sessionProposal, tag: 1100 });
  },
  wc_approveSession: (socket, { sessionTopic, pairingTopic, sessionProposalResponse, sessionSettlementRequest }) => {
    subscribe(socket, sessionTopic);
    publish(socket, { topic: pairingTopic, message: sessionProposalResponse, tag: 1101 });
    return publish(socket, { topic: sessionTopic, message: sessionSettlementRequest, tag: 1102 });
  },
};

const relay = new (WebSocketServer ?? Server)({ host: "127.0.0.1", port: 0 });
relay.on("connection", (socket) => {
  socket.on("message", (bytes) => {
    const { id, method, params } = JSON.parse(String(bytes));
    if (!method) return;
    const known = methods[method];
    if (!known) process.stderr.write(`no ${method}\n`);
    const answer = known ? { result: known(socket, params) } : { error: { code: -32601, message: `no ${method}` } };
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  });
  socket.on("close", () => subscribers.forEach((sockets) => sockets.delete(socket)));
});
await new Promise((resolve) => relay.once("listening", resolve));
const { port } = relay.address();

const wallet = await SignClient.init({
  projectId: "0".repeat(32), relayUrl: `ws://127.0.0.1:${port}`, telemetryEnabled: false, logger: "silent",
  storageOptions: { database: ":memory:" },
  metadata: { name: "Telephone", description: "A wallet", url: "https://telephone.test", icons: [] },
});
let rejects = false;
wallet.on("session_proposal", async ({ id, params }) => {
  const { metadata } = params.proposer;
  process.stdout.write(`${JSON.stringify({ proposer: metadata.url, name: metadata.name })}\n`);
  if (rejects) return wallet.reject({ id, reason: { code: 5000, message: "User rejected" } });
  const chain = `eip155:${chainId}`;
  const { methods: wanted, events } = { ...params.requiredNamespaces.eip155, ...params.optionalNamespaces.eip155 };
  await wallet.approve({ id, namespaces: { eip155: { chains: [chain], methods: wanted, events, accounts: [`${chain}:${account.address}`] } } });
});
wallet.on("session_request", async ({ topic, id, params: { request } }) => {
  if (request.method !== "personal_sign") {
    return wallet.respond({ topic, response: { id, jsonrpc: "2.0", error: { code: 5101, message: `no ${request.method}` } } });
  }
  const result = await account.signMessage({ message: { raw: request.params[0] } });
  await wallet.respond({ topic, response: { id, jsonrpc: "2.0", result } });
});
process.stdout.write(`${JSON.stringify({ port })}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { pair, reject } = JSON.parse(line);
  if (reject !== undefined) rejects = reject;
  if (pair) await wallet.core.pairing.pair({ uri: pair });
}
process.exit(0);
