// Events and their arguments, acknowledgements, listeners.
import assert from "node:assert/strict";
import { once, ours, test, times, withEachPair } from "./support.mjs";

/** Each direction, as the end that sends and the end that gets. */
const DIRECTIONS = [
  ["to the server", ({ client, socket }) => [client, socket]],
  ["to the client", ({ client, socket }) => [socket, client]],
];

const isOurs = (socket) => socket instanceof ours.Server.Socket || socket instanceof ours.Client.Socket;

class Temperature {
  constructor(celsius) {
    this.celsius = celsius;
  }
  toJSON() {
    return `${this.celsius} °C`;
  }
}

withEachPair("events", (use) => {
  for (const [direction, ends] of DIRECTIONS) {
    test(`arguments of all kinds arrive ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const args = [0, -1.5, 1e300, "", "ä€😀\u0000\n\t\\\"", true, null, [], {}, [[1, [2]], { a: { b: [null] } }]];
      const got = once(to, "x");
      from.emit("x", ...args);
      assert.deepEqual(await got, args);
    });

    test(`what JSON cannot say arrives as it says it ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const got = once(to, "x");
      from.emit("x", NaN, Infinity, undefined, new Date(0), new Temperature(21), new Map([[1, 2]]), Symbol("s"), {
        f() {},
        u: undefined,
        n: NaN,
      });
      assert.deepEqual(await got, [null, null, null, "1970-01-01T00:00:00.000Z", "21 °C", {}, null, { n: null }]);
    });

    test(`lone surrogates arrive ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const got = once(to, "x");
      from.emit("x", "\ud800", "a\udc00b");
      assert.deepEqual(await got, ["\ud800", "a\udc00b"]);
    });

    test(`names of any kind arrive ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      for (const name of ["", "a b", "ä\t\n\\\r", "\\n", "__proto__", "constructor", "error", "message", "7", "x".repeat(500)]) {
        const got = once(to, name);
        from.emit(name, name);
        assert.deepEqual(await got, [name]);
      }
    });

    test(`bytes arrive anywhere in the arguments ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const whole = Buffer.from("0123456789");
      const got = once(to, "x");
      from.emit("x", whole.subarray(2, 4), {
        a: [new Uint8Array([1, 2]), { b: new Uint8Array([3]).buffer }],
        view: new DataView(whole.buffer, whole.byteOffset, 3),
        wide: new Uint16Array([0x0102]),
        empty: Buffer.alloc(0),
        text: "text",
      });
      const [first, { a, view, wide, empty, text }] = await got;
      assert.deepEqual(first, Buffer.from("23"));
      assert.deepEqual(a, [Buffer.from([1, 2]), { b: Buffer.from([3]) }]);
      assert.deepEqual([view, wide, empty, text], [Buffer.from("012"), Buffer.from([2, 1]), Buffer.alloc(0), "text"]);
    });

    test(`many bytes arrive ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const sent = Buffer.alloc(300_000, "abc");
      const got = once(to, "x");
      from.emit("x", sent, [sent.subarray(0, 100_000)]);
      sent.fill(0);
      const [all, [part]] = await got;
      // Whether a later change counts is not said; ours copies.
      if (isOurs(from)) assert.ok(all.equals(Buffer.alloc(300_000, "abc")));
      assert.equal(all.length, 300_000);
      assert.equal(part.length, 100_000);
    });

    test(`what is sent is not changed ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const payload = { bytes: Buffer.from("b"), nested: [{ more: new Uint8Array(2) }], date: new Date(5) };
      const before = structuredClone(payload);
      const got = once(to, "x");
      from.emit("x", Object.freeze(payload));
      await got;
      assert.deepEqual({ ...payload, bytes: Uint8Array.from(payload.bytes) }, { ...before, bytes: Uint8Array.from(before.bytes) });
    });

    test(`an object that looks like a placeholder stays what it is ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const got = once(to, "x");
      from.emit("x", { _placeholder: true, num: 0 }, [{ _placeholder: true, num: 99 }]);
      assert.deepEqual(await got, [{ _placeholder: true, num: 0 }, [{ _placeholder: true, num: 99 }]]);
    });

    test(`20,000 events arrive in order ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const got = times(to, "n", 20_000);
      for (let i = 0; i < 20_000; i++) {
        if (i % 1000 === 7) from.emit("n", i, Buffer.from([i & 255]));
        else from.emit("n", i);
      }
      assert.deepEqual((await got).map(([i]) => i), [...Array(20_000).keys()]);
    });

    test(`an acknowledgement comes back ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      to.on("sum", (a, b, answer) => {
        answer(a + b, { bytes: Buffer.from([a, b]) });
        answer("never");
      });
      const answered = await new Promise((resolve) => from.emit("sum", 1, 2, (...args) => resolve(args)));
      assert.deepEqual(answered, [3, { bytes: Buffer.from([1, 2]) }]);
      assert.equal(await from.emitWithAck("sum", 3, 4), 7);
      assert.equal(await from.timeout(5000).emitWithAck("sum", 5, 6), 11);
      to.on("later", async (answer) => setImmediate(answer));
      assert.equal(await from.emitWithAck("later"), undefined);
    });

    test(`an acknowledgement that does not come is an error after its time ${direction}`, async (t) => {
      const [from] = ends(await (await use(t)).join());
      const error = await new Promise((resolve) => from.timeout(20).emit("nobody listens", resolve));
      assert.ok(error instanceof Error);
      assert.equal(error.message, "operation has timed out");
      await assert.rejects(from.timeout(20).emitWithAck("nobody listens"), { message: "operation has timed out" });
      const late = await new Promise((resolve) => from.timeout(0).emit("nobody listens", resolve));
      assert.equal(late.message, "operation has timed out");
    });

    test(`what cannot be sent throws, and nothing is sent ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const got = times(to, "x", 1);
      const cycle = {};
      cycle.self = [cycle];
      for (const bad of [cycle, { inside: [cycle] }, 1n, { n: 1n }]) {
        assert.throws(() => from.emit("x", Buffer.from("y"), bad));
        assert.throws(() => from.emit("x", bad, () => {}));
        await assert.rejects(() => from.emitWithAck("x", bad));
      }
      const thrower = { toJSON: () => { throw new Error("mine"); } };
      assert.throws(() => from.emit("x", thrower), { message: "mine" });
      from.emit("x", "after");
      assert.deepEqual(await got, [["after"]]);
    });

    test(`reserved names cannot be emitted ${direction}`, async (t) => {
      const [from] = ends(await (await use(t)).join());
      for (const name of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
        assert.throws(() => from.emit(name), { message: `"${name}" is a reserved event name` });
      }
    });

    test(`listeners come and go as they should ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const seen = [];
      const one = (x) => seen.push(`one ${x}`);
      to.on("x", one);
      to.on("x", (x) => seen.push(`two ${x}`));
      to.once("x", (x) => seen.push(`once ${x}`));
      const any = (name, x) => seen.push(`any ${name} ${x}`);
      to.onAny(any);
      to.prependAny((name) => seen.push(`first ${name}`));
      from.onAnyOutgoing((name, x) => seen.push(`out ${name} ${x}`));
      to.on("ping", (answer) => answer());
      from.emit("x", 1);
      await from.emitWithAck("ping");
      to.off("x", one);
      to.offAny(any);
      from.offAnyOutgoing();
      from.emit("x", 2);
      await from.emitWithAck("ping");
      assert.deepEqual(
        seen.filter((line) => !line.includes("ping")),
        ["out x 1", "first x", "any x 1", "one 1", "two 1", "once 1", "first x", "two 2"],
      );
      assert.equal(to.listeners("x").length, 1);
      assert.equal(to.listenersAny().length, 1);
      assert.equal(from.listenersAnyOutgoing().length, 0);
    });

    test(`send() sends a message ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const got = once(to, "message");
      assert.equal(from.send("a", 1), from);
      assert.deepEqual(await got, ["a", 1]);
    });

    test(`what is sent in one go, and by promises that wait for nothing, keeps its order ${direction}`, async (t) => {
      const [from, to] = ends(await (await use(t)).join());
      const got = times(to, "x", 6);
      from.emit("x", 1);
      const later = (async () => {
        from.emit("x", 2);
        await null;
        from.emit("x", 4);
        await null;
        from.emit("x", 5);
      })();
      from.emit("x", 3);
      await later;
      from.emit("x", 6);
      assert.deepEqual((await got).map(([x]) => x), [1, 2, 3, 4, 5, 6]);
    });
  }

  test("a middleware of a socket sees each event, and may refuse it", async (t) => {
    const { client, socket } = await (await use(t)).join();
    const seen = [];
    socket.use((event, next) => {
      seen.push(event.slice(0, 2));
      if (event[0] === "bad") next(new Error("refused"));
      else setImmediate(next);
    });
    socket.on("error", (error) => seen.push(error.message));
    const got = once(socket, "good");
    client.emit("bad", 1);
    client.emit("good", 2);
    assert.deepEqual(await got, [2]);
    assert.deepEqual(seen.filter(Array.isArray), [["bad", 1], ["good", 2]]);
    assert.deepEqual(seen.filter((one) => !Array.isArray(one)), ["refused"]);
  });
});
