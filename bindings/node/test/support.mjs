// What the tests share: our server and client beside the official ones, and things to wait for.
import { createRequire } from "node:module";
import * as runner from "node:test";
import * as ourServer from "socketio-native";
import * as ourClient from "socketio-native/client";

const require = createRequire(new URL("../../../tests/interop/package.json", import.meta.url));
const officialServer = require("socket.io");
const officialClient = require("socket.io-client");

export const { describe } = runner;
export const ours = { Server: ourServer, Client: ourClient };
export const official = { Server: officialServer, Client: officialClient };

/** Who serves and who connects: the official ones first, who say what is right. */
export const PAIRS = [
  ["official server, official client", officialServer, officialClient],
  ["our server, official client", ourServer, officialClient],
  ["official server, our client", officialServer, ourClient],
  ["our server, our client", ourServer, ourClient],
];

/** A test with a time limit: one that waits in vain fails by itself. */
export function test(name, body, timeout = 20_000) {
  return runner.test(name, { timeout }, body);
}

/** Runs the same tests with each pair: `tests(use)`, where `use(t, options)` gives what a test needs. */
export function withEachPair(title, tests, pairs = PAIRS) {
  for (const [name, server, client] of pairs) {
    describe(`${title}: ${name}`, () => tests((t, options) => use(t, server, client, options), { server, client }));
  }
}

/** A server on a free port, and sockets of clients; all are closed with the test. */
export async function use(t, { Server }, { io: connect }, options = {}) {
  const io = new Server(0, options);
  await listening(io);
  const url = `http://127.0.0.1:${portOf(io)}`;
  const clients = [];
  t.after(async () => {
    for (const client of clients) client.disconnect();
    await io.close();
  });
  /** A client's socket that connects when it is told to. */
  const prepare = (nsp = "/", more = {}) => {
    const fixed = { forceNew: true, autoConnect: false, reconnection: false, transports: ["websocket"] };
    const client = connect(url + nsp, { ...fixed, ...more });
    clients.push(client);
    return client;
  };
  /** Both ends of a connection. */
  const join = async (nsp = "/", more = {}) => {
    const client = prepare(nsp, more);
    const accepted = once(io.of(nsp), "connection");
    const connected = once(client, "connect");
    client.connect();
    const [[socket]] = await Promise.all([accepted, connected]);
    return { client, socket };
  };
  return { io, url, prepare, join };
}

export function portOf(io) {
  return (io.httpServer ?? io).address().port;
}

/** The official server listens later, ours at once. */
export async function listening(io) {
  if (io.httpServer !== undefined && !io.httpServer.listening) await once(io.httpServer, "listening");
}

/** Resolves with the arguments of the next event `name`. */
export function once(emitter, name) {
  return new Promise((resolve) => emitter.once(name, (...args) => resolve(args)));
}

/** Resolves with the arguments of the next `count` events `name`. */
export function times(emitter, name, count) {
  return new Promise((resolve) => {
    const all = [];
    emitter.on(name, (...args) => {
      if (all.push(args) === count) resolve(all);
    });
  });
}
