// Rooms and broadcasts, namespaces, the handshake, how sockets begin and end.
import assert from "node:assert/strict";
import { once, test, times, withEachPair } from "./support.mjs";

/** Until all that was sent to this client before has arrived. */
const caughtUp = (socket) => socket.emitWithAck("caught up?");

/** Has `client` keep what it gets, as texts. */
function keeping(client, kept = []) {
  client.on("caught up?", (answer) => answer());
  client.onAny((name, ...args) => {
    if (name !== "caught up?") kept.push([name, ...args.filter((arg) => typeof arg !== "function")].join(" "));
  });
  return kept;
}

withEachPair("rooms", (use) => {
  /** Three sockets: in a, in a and b, in none. */
  async function trio(t) {
    const { io, join } = await use(t);
    const ends = [await join(), await join(), await join()];
    const kept = ends.map(({ client }) => keeping(client));
    const [one, two, three] = ends.map(({ socket }) => socket);
    one.join("a");
    two.join(["a", "b"]);
    const settle = async () => {
      await Promise.all([one, two, three].map(caughtUp));
      return kept.map((list) => list.splice(0));
    };
    return { io, one, two, three, settle };
  }

  test("a broadcast goes to whom it is for, once", async (t) => {
    const { io, one, two, three, settle } = await trio(t);
    assert.equal(io.emit("all", 1), true);
    io.to("a").emit("a");
    io.in(["a", "b"]).emit("a or b");
    io.to("a").to("b").emit("a or b again");
    io.except("b").emit("not b");
    io.to("a").except(["b", "c"]).emit("a but not b");
    io.to(three.id).emit("one");
    io.to("nobody").emit("nobody");
    assert.deepEqual(await settle(), [
      ["all 1", "a", "a or b", "a or b again", "not b", "a but not b"],
      ["all 1", "a", "a or b", "a or b again"],
      ["all 1", "not b", "one"],
    ]);
    one.broadcast.emit("others");
    one.to("a").emit("others of a");
    three.in("a").except("b").emit("a but not b");
    two.except("a").emit("others but not a");
    two.local.to("a").emit("local");
    two.compress(false).to("a").emit("compressed");
    io.local.compress(true).emit("all of this process");
    assert.deepEqual(await settle(), [
      ["a but not b", "local", "compressed", "all of this process"],
      ["others", "others of a", "all of this process"],
      ["others", "others but not a", "all of this process"],
    ]);
    const kept = io.to("a");
    kept.except("b");
    kept.emit("kept");
    io.of("/").send("sent");
    assert.deepEqual(await settle(), [["kept", "message sent"], ["kept", "message sent"], ["message sent"]]);
  });

  test("rooms are joined and left, one by one and together", async (t) => {
    const { io, one, two, three, settle } = await trio(t);
    assert.deepEqual([...one.rooms].sort(), [one.id, "a"].sort());
    assert.deepEqual([...two.rooms].sort(), [two.id, "a", "b"].sort());
    await two.leave("a");
    assert.deepEqual([...two.rooms].sort(), [two.id, "b"].sort());
    io.in("a").socketsJoin(["c", "d"]);
    io.socketsJoin("all\tof\\them\n");
    io.in("b").socketsLeave("b");
    io.to("c").emit("c");
    io.to("all\tof\\them\n").emit("all");
    io.to("b").emit("b");
    assert.deepEqual(await settle(), [["c", "all"], ["all"], ["all"]]);
    assert.ok(one.rooms.has("d") && !two.rooms.has("b") && three.rooms.has("all\tof\\them\n"));
    const inC = await io.in("c").fetchSockets();
    assert.deepEqual(inC.map(({ id }) => id), [one.id]);
    assert.equal((await io.fetchSockets()).length, 3);
    assert.equal((await one.broadcast.fetchSockets()).length, 2);
    assert.equal(io.sockets.sockets.size, 3);
    assert.equal(io.sockets.sockets.get(one.id), one);
  });

  test("many are disconnected at once", async (t) => {
    const { io, one, two, three } = await trio(t);
    const gone = [once(one, "disconnect"), once(two, "disconnect")];
    io.in("a").disconnectSockets();
    assert.deepEqual((await Promise.all(gone)).map(([reason]) => reason), Array(2).fill("server namespace disconnect"));
    assert.deepEqual([one, two, three].map(({ connected }) => connected), [false, false, true]);
    assert.equal(io.sockets.sockets.size, 1);
  });
});

withEachPair("namespaces", (use) => {
  test("they are apart, over one connection", async (t) => {
    const { io, url, prepare, join } = await use(t);
    const announced = [];
    io.on("new_namespace", ({ name }) => announced.push(name));
    const chat = io.of("chat");
    assert.equal(io.of("/chat"), chat);
    assert.equal(chat.name, "/chat");
    assert.deepEqual(announced, ["/chat"]);
    const { client, socket } = await join();
    const kept = keeping(client);
    const other = client.io.socket("/chat", { auth: { token: "t" } });
    t.after(() => other.disconnect());
    const otherKept = keeping(other);
    const accepted = once(chat, "connection");
    other.connect();
    const [otherSocket] = await accepted;
    assert.equal(otherSocket.nsp, chat);
    assert.notEqual(otherSocket.id, socket.id);
    assert.deepEqual(otherSocket.handshake.auth, { token: "t" });
    socket.join("r");
    otherSocket.join("r");
    io.to("r").emit("main");
    chat.to("r").emit("chat");
    await Promise.all([caughtUp(socket), caughtUp(otherSocket)]);
    assert.deepEqual([kept, otherKept], [["main"], ["chat"]]);
    assert.equal(client.io.socket("/chat"), other);
    const refused = prepare("/nowhere");
    refused.connect();
    const [error] = await once(refused, "connect_error");
    assert.equal(error.message, "Invalid namespace");
    assert.equal(refused.active, false);
    assert.ok(url);
  });
});

withEachPair("the handshake", (use, { server }) => {
  test("tells of the request", async (t) => {
    const { join, url } = await use(t, { cors: { origin: "*" } });
    const before = Date.now();
    const { socket } = await join("/", {
      auth: { token: "t", nested: { a: [1] } },
      query: { q: "ä b", n: 1 },
      extraHeaders: { "X-Custom": "yes", origin: "http://elsewhere.example" },
      transports: ["polling"],
    });
    const { handshake } = socket;
    assert.deepEqual(handshake.auth, { token: "t", nested: { a: [1] } });
    assert.equal(handshake.query.q, "ä b");
    assert.equal(handshake.query.n, "1");
    assert.equal(handshake.query.EIO, "4");
    assert.equal(handshake.query.transport, "polling");
    assert.ok(handshake.url.startsWith("/socket.io/?"));
    assert.equal(handshake.headers["x-custom"], "yes");
    assert.equal(handshake.headers.host, new URL(url).host);
    assert.equal(handshake.xdomain, true);
    assert.equal(handshake.secure, false);
    assert.match(handshake.address, /^(::ffff:)?127\.0\.0\.1$/);
    assert.ok(handshake.issued >= before - 1 && handshake.issued <= Date.now());
    assert.equal(handshake.time, String(new Date(handshake.issued)));
    assert.deepEqual(Object.keys(handshake).sort(), [
      "address", "auth", "headers", "issued", "query", "secure", "time", "url", "xdomain",
    ]);
    assert.ok(socket instanceof server.Socket && socket.nsp instanceof server.Namespace);
    assert.match(socket.id, /^[\w-]{20}$/);
  });
});

withEachPair("middlewares", (use) => {
  test("let clients in, in their order, or refuse them with data", async (t) => {
    const { io, prepare } = await use(t);
    const seen = [];
    io.use((socket, next) => {
      seen.push(["first", socket.connected]);
      socket.data.from = "first";
      socket.join("early");
      next();
    });
    io.use((socket, next) => {
      seen.push(["second", socket.data.from]);
      const error = new Error("not\tyou \"there\"");
      error.data = { code: 7, list: [null] };
      setImmediate(() => next(socket.handshake.auth.ok ? undefined : error));
    });
    io.on("connection", (socket) => seen.push([socket.connected, socket.rooms.has("early"), socket.data.from]));
    const good = prepare("/", { auth: { ok: true } });
    const bad = prepare("/", { auth: { ok: false } });
    good.connect();
    await once(good, "connect");
    bad.connect();
    const [error] = await once(bad, "connect_error");
    assert.ok(error instanceof Error);
    assert.equal(error.message, 'not\tyou "there"');
    assert.deepEqual(error.data, { code: 7, list: [null] });
    assert.equal(bad.active, false);
    assert.deepEqual(seen, [
      ["first", false], ["second", "first"], [true, true, "first"], ["first", false], ["second", "first"],
    ]);
    assert.equal(io.sockets.sockets.size, 1);
  });

  test("of another namespace are not asked", async (t) => {
    const { io, join } = await use(t);
    io.of("/closed").use((socket, next) => next(new Error("closed")));
    const { socket } = await join();
    assert.ok(socket.connected);
  });

  test("a client that went away while one was thinking is not heard of", async (t) => {
    const { io, prepare } = await use(t);
    const asked = new Promise((resolve) => io.use((socket, next) => resolve([socket, next])));
    const connections = [];
    io.on("connection", (socket) => connections.push(socket));
    const client = prepare();
    client.connect();
    const [socket, next] = await asked;
    client.io.disconnect?.();
    client.disconnect();
    await new Promise((resolve) => setTimeout(resolve, 50)); // nothing tells a server of ours or theirs
    next();
    socket.emit("too late");
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(connections, []);
    assert.equal(socket.connected, false);
  });
});

withEachPair("the end", (use) => {
  for (const [who, end, expected] of [
    ["the client disconnects", ({ client }) => client.disconnect(), ["client namespace disconnect", "io client disconnect", false]],
    ["the server disconnects", ({ socket }) => socket.disconnect(), ["server namespace disconnect", "io server disconnect", false]],
    ["the server closes the connection", ({ socket }) => socket.disconnect(true), ["server namespace disconnect", "io server disconnect", false]],
  ]) {
    test(`when ${who}, both learn why, and the server what rooms there were`, async (t) => {
      const ends = await (await use(t)).join();
      const { client, socket } = ends;
      socket.join("a");
      const seen = [];
      socket.on("disconnecting", (reason) => seen.push(["disconnecting", reason, [...socket.rooms].length]));
      socket.on("disconnect", (reason) => seen.push(["disconnect", reason, [...socket.rooms].length]));
      const both = Promise.all([once(socket, "disconnect"), once(client, "disconnect")]);
      end(ends);
      const [[serverReason], [clientReason]] = await both;
      assert.deepEqual([serverReason, clientReason, client.active], expected);
      assert.deepEqual(seen, [["disconnecting", serverReason, 2], ["disconnect", serverReason, 0]]);
      assert.deepEqual([socket.connected, socket.disconnected, client.connected, client.disconnected], [false, true, false, true]);
      assert.equal(client.id, undefined);
      assert.equal(socket.emit("too late"), true);
      socket.join("too late");
      assert.equal(socket.rooms.size, 0);
    });
  }

  test("disconnect() has happened when it returns", async (t) => {
    const { client, socket } = await (await use(t)).join();
    const seen = [];
    for (const [name, one] of [["server", socket], ["client", client]]) {
      one.on("disconnect", (reason) => seen.push(`${name}: ${reason}`));
    }
    const told = once(client, "disconnect");
    assert.equal(socket.disconnect(), socket);
    assert.equal(socket.connected, false);
    assert.deepEqual(seen, ["server: server namespace disconnect"]);
    await told;
    assert.deepEqual(seen, ["server: server namespace disconnect", "client: io server disconnect"]);
    assert.equal(client.disconnect(), client);
  });

  test("what was sent before the end arrives", async (t) => {
    const { client, socket } = await (await use(t)).join();
    const got = times(client, "x", 100);
    for (let i = 0; i < 100; i++) socket.emit("x", i);
    socket.disconnect(true);
    assert.equal((await got).length, 100);
  });

  test("closing the server ends all", async (t) => {
    const { io, join } = await use(t);
    const ends = [await join(), await join("/other")];
    const seen = [];
    for (const { socket } of ends) socket.on("disconnect", (reason) => seen.push(reason));
    const told = Promise.all(ends.map(({ client }) => once(client, "disconnect")));
    let called = false;
    await io.close(() => {
      called = true;
    });
    assert.ok(called);
    assert.deepEqual(seen, ["server shutting down", "server shutting down"]);
    assert.deepEqual((await told).map(([reason]) => reason), ["transport close", "transport close"]);
  });

  test("acknowledgements that will not come fail on the client", async (t) => {
    const { client, socket } = await (await use(t)).join();
    const waiting = assert.rejects(client.emitWithAck("nobody listens"), { message: "socket has been disconnected" });
    const limited = assert.rejects(client.timeout(60_000).emitWithAck("nobody listens"), { message: "socket has been disconnected" });
    client.emit("nobody listens", () => assert.fail("there was no acknowledgement"));
    const told = once(socket, "disconnect");
    client.disconnect();
    await Promise.all([waiting, limited, told]);
  });
});
