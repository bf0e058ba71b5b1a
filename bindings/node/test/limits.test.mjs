// Bounds, and what is refused.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Server } from "socketio-native";
import { Manager, io as connect } from "socketio-native/client";
import { describe, once, test, times, withEachPair, PAIRS } from "./support.mjs";

const OURS = PAIRS.filter(([name]) => name === "our server, our client");

/** Arrays in arrays, `levels` deep. */
function nested(levels) {
  let value = [];
  for (let i = 1; i < levels; i++) value = [value];
  return value;
}

withEachPair(
  "bounds",
  (use) => {
    for (const [direction, ends] of [
      ["to the server", ({ client, socket }) => [client, socket]],
      ["to the client", ({ client, socket }) => [socket, client]],
    ]) {
      test(`arguments nest 128 levels deep ${direction}`, async (t) => {
        const [from, to] = ends(await (await use(t)).join());
        const got = once(to, "x");
        const tooDeep = { name: "RangeError", message: /^arguments can nest 128 levels deep/ };
        // The array of arguments is the first level.
        assert.throws(() => from.emit("x", nested(128)), tooDeep);
        assert.throws(() => from.emit("x", nested(100_000)), tooDeep);
        assert.throws(() => from.emit("x", { toJSON: () => nested(128) }), tooDeep);
        from.emit("x", nested(127));
        assert.deepEqual(await got, [nested(127)]);
      });

      test(`an event has up to 65,536 arguments, and a listener is called with up to 4,095 ${direction}`, async (t) => {
        const [from, to] = ends(await (await use(t)).join());
        const many = (count) => Array.from({ length: count }, (_, i) => i);
        assert.throws(() => from.emit("x", ...many(65_537)), { name: "RangeError" });
        assert.throws(() => Reflect.apply(from.emit, from, ["x", ...many(100_000)]), { name: "RangeError" });
        const got = once(to, "x");
        from.emit("x", ...many(4095));
        assert.equal((await got).length, 4095);
        to.on("x", () => assert.fail("there were too many"));
        const warned = once(process, "warning");
        from.emit("x", ...many(65_536));
        assert.match((await warned)[0].message, /65537 arguments/);
      });

      test(`an acknowledgement with too many arguments is one that fails ${direction}`, async (t) => {
        const [from, to] = ends(await (await use(t)).join());
        to.on("x", (answer) => answer(...Array(5000).fill(0)));
        await assert.rejects(from.timeout(5000).emitWithAck("x"), Error);
      });

      test(`what JavaScript cannot hand over as bytes is refused ${direction}`, async (t) => {
        const [from, to] = ends(await (await use(t)).join());
        assert.throws(() => from.emit("x", [new Blob(["b"])]), { name: "TypeError", message: /Blob/ });
        assert.throws(() => from.emit("x", Buffer.from("b"), { _placeholder: true, num: 0 }), TypeError);
        assert.throws(() => from.emit(Symbol("x")), TypeError);
        const got = once(to, "x");
        from.emit("x", "after");
        assert.deepEqual(await got, ["after"]);
      });
    }

    test("a client for whom too much waits is disconnected, with a warning", async (t) => {
      const { join } = await use(t, { maxBufferedBytes: 1_000_000 });
      const { client, socket } = await join();
      const warned = once(process, "warning");
      const ended = once(socket, "disconnect");
      const gone = once(client, "disconnect");
      // The client, in the same thread, reads nothing meanwhile.
      for (let i = 0; i < 200; i++) socket.emit("x", Buffer.alloc(100_000));
      assert.match((await warned)[0].message, /maxBufferedBytes/);
      assert.equal((await ended)[0], "server namespace disconnect");
      await gone;
    });

    test("100 MB of bytes are sent", async (t) => {
      const { client, socket } = await (await use(t, { maxHttpBufferSize: 2e8 })).join();
      const got = once(socket, "x");
      const sent = Buffer.alloc(100_000_000, 7);
      client.emit("x", sent);
      sent.fill(0);
      const [bytes] = await got;
      assert.ok(bytes.length === 100_000_000 && bytes[0] === 7 && bytes.at(-1) === 7);
    });

    test("a message of a client that is too large ends its connection", async (t) => {
      const { client, socket } = await (await use(t, { maxHttpBufferSize: 1000 })).join();
      const ended = Promise.all([once(socket, "disconnect"), once(client, "disconnect")]);
      client.emit("x", Buffer.alloc(1001));
      assert.deepEqual((await ended).map(([reason]) => reason), ["transport error", "transport close"]);
    });

    test("the name of a room has up to 1,024 bytes", async (t) => {
      const { socket } = await (await use(t)).join();
      socket.join("é".repeat(512));
      assert.ok(socket.rooms.has("é".repeat(512)));
      assert.throws(() => socket.join(`${"é".repeat(512)}a`), RangeError);
      assert.throws(() => socket.to("a".repeat(1025)).emit("x"), RangeError);
    });

    test("100,000 events that nobody answers leave the others answered", async (t) => {
      const { client, socket } = await (await use(t)).join();
      const all = times(socket, "unanswered", 100_000);
      for (let i = 0; i < 100_000; i++) client.emit("unanswered", () => {});
      await all;
      socket.on("asked", (answer) => answer("yes"));
      assert.equal(await client.emitWithAck("asked"), "yes");
    });
  },
  OURS,
);

describe("options", () => {
  test("that are not supported are refused by name", async () => {
    for (const [options, message] of [
      [{ adapter: class {} }, /adapter/],
      [{ perMessageDeflate: true }, /perMessageDeflate/],
      [{ connectionStateRecovery: {} }, /connectionStateRecovery/],
      [{ cors: { origin: () => {} } }, /origin/],
      [{ cors: { origin: [/x/] } }, /pattern/],
      [{ pingInterval: "soon" }, /pingInterval/],
    ]) {
      assert.throws(() => new Server(options), { message });
    }
    assert.throws(() => new Server({ perMessageDeflate: true }), { code: "ERR_UNSUPPORTED" });
    assert.throws(() => new Manager("http://localhost:1", { rejectUnauthorized: false }), { message: /rejectUnauthorized/ });
    assert.throws(() => connect("https://localhost:1"), { code: "ERR_UNSUPPORTED" });
    assert.throws(() => connect("ftp://localhost:1"), { code: "ERR_INVALID_ARGUMENT" });
    assert.throws(() => connect(), { message: /URL/ });
  });

  test("an HTTP server and an application are refused, and nothing is done with them", async () => {
    const http = createServer();
    for (const attach of [() => new Server(http), () => new Server().attach(http), () => new Server().listen(() => {})]) {
      assert.throws(attach, { message: /attaching to an HTTP server is not supported yet/ });
    }
    assert.deepEqual(http.listeners("request"), []);
    const io = new Server();
    assert.throws(() => io.of(/dynamic/), { message: /dynamic namespaces are not supported yet/ });
    assert.throws(() => io.emit("x", () => {}), { message: /acknowledgement of a broadcast is not supported yet/ });
    assert.throws(() => io.listen(70_000), { name: "RangeError" });
    assert.throws(() => io.listen("nonsense"), { code: "ERR_INVALID_ARGUMENT" });
    assert.equal(io.address(), null);
    await io.close();
  });

  test("an address that is taken is an error of listen, and others can be listened on besides", async () => {
    const first = new Server("127.0.0.1:0");
    const { address, family, port } = first.address();
    assert.deepEqual([address, family], ["127.0.0.1", "IPv4"]);
    assert.throws(() => new Server(`127.0.0.1:${port}`), { code: "EADDRINUSE" });
    first.listen("127.0.0.1:0");
    await first.close();
    await first.close();
    const again = new Server(`127.0.0.1:${port}`);
    await again.close();
  });
});
