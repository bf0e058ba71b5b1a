// Clients and their managers: connecting, being refused, connecting again.
import assert from "node:assert/strict";
import { listening, once, portOf, test, times, use, withEachPair, PAIRS } from "./support.mjs";

/** Pairs with the official server: what is tested is the client. */
const CLIENTS = PAIRS.filter(([name]) => name.startsWith("official server"));

/** A port where nobody listens. */
async function closedPort(Server) {
  const io = new Server(0);
  await listening(io);
  const port = portOf(io);
  await io.close();
  return port;
}

withEachPair(
  "clients",
  (use_, { server, client }) => {
    const { io: connect, Manager } = client;

    test("a function is asked what to say whenever a client connects", async (t) => {
      const { io, prepare } = await use(t, server, client);
      const said = [];
      io.on("connection", ({ handshake }) => said.push(handshake.auth));
      let asked = 0;
      const auth = (tell) => setImmediate(tell, { time: ++asked, "ä": ["\n"] });
      const socket = prepare("/", { auth });
      for (let i = 0; i < 2; i++) {
        socket.connect();
        await once(socket, "connect");
        const gone = once(socket, "disconnect");
        socket.disconnect();
        await gone;
      }
      socket.auth = { changed: true };
      socket.connect();
      await once(socket, "connect");
      socket.disconnect().auth = undefined;
      socket.connect();
      await once(socket, "connect");
      assert.deepEqual(said, [{ time: 1, "ä": ["\n"] }, { time: 2, "ä": ["\n"] }, { changed: true }, {}]);
    });

    test("what is emitted before the connection is sent when it is there, but for the volatile", async (t) => {
      const { io, prepare } = await use(t, server, client);
      const socket = prepare();
      socket.emit("x", 1);
      socket.volatile.emit("x", "volatile");
      const answer = socket.emitWithAck("ask", Buffer.from("?"));
      socket.connect();
      socket.emit("x", 2);
      io.on("connection", (other) => other.on("ask", (bytes, tell) => tell(bytes)));
      const [other] = await once(io, "connection");
      const got = await times(other, "x", 2);
      assert.deepEqual(got, [[1], [2]]);
      assert.deepEqual(await answer, Buffer.from("?"));
    });

    test("a connection that fails is reported, and tried for again and again", async (t) => {
      const port = await closedPort(server.Server);
      const options = { reconnectionDelay: 10, reconnectionDelayMax: 20, reconnectionAttempts: 2, forceNew: true };
      const socket = connect(`http://127.0.0.1:${port}`, { ...options, transports: ["websocket"] });
      t.after(() => socket.disconnect());
      const seen = [];
      for (const name of ["open", "error", "reconnect_attempt", "reconnect_error", "reconnect_failed", "close"]) {
        socket.io.on(name, (value) => seen.push([name, value?.message ?? value].filter((part) => part !== undefined)));
      }
      const errors = [];
      socket.on("connect_error", (error) => errors.push([error instanceof Error, error.message, error.type]));
      await once(socket.io, "reconnect_failed");
      // The last error of an attempt is told before or after the end of all attempts.
      assert.deepEqual(seen.slice(0, 6), [
        ["error", "websocket error"],
        ["reconnect_attempt", 1],
        ["error", "websocket error"],
        ["reconnect_error", "websocket error"],
        ["reconnect_attempt", 2],
        ["error", "websocket error"],
      ]);
      assert.deepEqual(errors, Array(3).fill([true, "websocket error", "TransportError"]));
      assert.equal(socket.connected, false);
      assert.equal(socket.active, true);
    });

    test("a lost connection is opened again, and what was emitted meanwhile is sent", async (t) => {
      const { Server } = server;
      const first = new Server(0);
      await listening(first);
      const port = portOf(first);
      const url = `http://127.0.0.1:${port}/chat`;
      first.of("/chat");
      const socket = connect(url, { reconnectionDelay: 10, reconnectionDelayMax: 20, transports: ["websocket"], forceNew: true });
      await once(socket, "connect");
      const seen = [];
      for (const name of ["open", "close", "reconnect"]) socket.io.on(name, (value) => seen.push([name, typeof value]));
      socket.on("disconnect", (reason) => seen.push([reason, socket.active]));
      const gone = once(socket, "disconnect");
      await first.close();
      await gone;
      socket.emit("meanwhile", 1);
      const second = new Server(port);
      await listening(second);
      t.after(async () => {
        socket.disconnect();
        await second.close();
      });
      const again = once(socket, "connect");
      const [other] = await once(second.of("/chat"), "connection");
      assert.deepEqual(await once(other, "meanwhile"), [1]);
      await again;
      assert.equal(socket.id, other.id);
      // Whether the socket or its manager tells first of the loss is not said.
      assert.deepEqual(seen.slice(0, 2).sort(), [["close", "string"], ["transport close", true]]);
      assert.deepEqual(seen.slice(2, 4).sort(), [["open", "undefined"], ["reconnect", "number"]]);
    });

    test("sockets share a connection where they can", async (t) => {
      const { io, url } = await use(t, server, client);
      io.of("/a");
      const options = { transports: ["websocket"] };
      const [one, two, same, alone, apart] = [
        connect(url, options),
        connect(`${url}/a`, options),
        connect(url, options),
        connect(`${url}/a`, { ...options, forceNew: true }),
        connect(`${url}/a`, { ...options, multiplex: false }),
      ];
      t.after(() => [one, two, same, alone, apart].forEach((socket) => socket.disconnect()));
      assert.equal(one.io, two.io);
      for (const other of [same, alone, apart]) assert.notEqual(other.io, one.io);
      assert.notEqual(same, one);
      assert.equal(two.nsp, "/a");
      await Promise.all([one, two, same, alone, apart].map((socket) => once(socket, "connect")));
      assert.equal(new Set([one, two, same, alone, apart].map(({ id }) => id)).size, 5);
      const closed = [];
      one.io.on("close", (reason) => closed.push(reason));
      one.disconnect();
      assert.deepEqual([closed, two.connected], [[], true]);
      two.disconnect();
      assert.deepEqual(closed, ["forced close"]);
    });

    test("the query of the URL and of the options is sent", async (t) => {
      const { io, url } = await use(t, server, client);
      const accepted = times(io, "connection", 2);
      const options = { forceNew: true, transports: ["websocket"] };
      const sockets = [connect(`${url}/?a=1&b=%C3%A4`, options), connect(url, { ...options, query: { a: 2 } })];
      t.after(() => sockets.forEach((socket) => socket.disconnect()));
      const queries = (await accepted).map(([socket]) => socket.handshake.query).sort((x, y) => x.a - y.a);
      assert.deepEqual([queries[0].a, queries[0].b, queries[1].a], ["1", "ä", "2"]);
    });

    test("a manager can be used by itself", async (t) => {
      const { io, url } = await use(t, server, client);
      const manager = new Manager(url, { autoConnect: false, transports: ["websocket"] });
      assert.equal(manager.reconnection(), true);
      assert.equal(manager.reconnectionAttempts(), Infinity);
      assert.equal(manager.reconnectionAttempts(3), manager);
      assert.deepEqual(
        [manager.reconnectionAttempts(), manager.reconnectionDelay(), manager.reconnectionDelayMax()],
        [3, 1000, 5000],
      );
      assert.deepEqual([manager.randomizationFactor(), manager.timeout()], [0.5, 20_000]);
      await new Promise((resolve) => manager.open(resolve));
      const socket = manager.socket("/");
      assert.equal(socket.active, false);
      socket.connect();
      assert.equal(socket.active, true);
      await once(io, "connection");
      socket.disconnect();
    });

    test("events are Emitter's: error is like any other, off takes out", async (t) => {
      const { join } = await use(t, server, client);
      const { client: socket } = await join();
      const seen = [];
      socket.on("error", (x) => seen.push(x));
      const twice = () => seen.push("twice");
      socket.on("a", twice).addEventListener("a", twice);
      assert.equal(socket.hasListeners("a"), true);
      socket.removeListener("a", twice);
      assert.equal(socket.listeners("a").length, 1);
      socket.off("a");
      assert.deepEqual(socket.listeners("a"), []);
      socket.on("b", twice).removeAllListeners();
      assert.equal(socket.hasListeners("b") || socket.hasListeners("error"), false);
      assert.deepEqual(seen, []);
    });
  },
  CLIENTS,
);
