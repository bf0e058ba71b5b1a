// The official client against the server under test: events, acks, binary, auth, namespaces, rooms, broadcast.
import assert from "node:assert/strict";
import { describe, test } from "../lib/test.mjs";
import { MODES, ask, connect, connected, event, first, open } from "../lib/client.mjs";
import { useServer } from "../lib/server.mjs";

const VALUES = [
  ["nothing"],
  ["text", "hello"],
  ["empty text", ""],
  ["null, booleans and numbers", null, true, false, 0, -1, 1.5, 1e21, Number.MAX_SAFE_INTEGER],
  ["arrays and objects", [], {}, [[1], { a: { b: [null] } }], { "": 0, ключ: "значение" }],
  ["unicode", 'ascii é ß 你好 \u{1f600} \u{10ffff} \u0000 \u2028 \u001e \\ " / \ud83d\ude00'],
  ["what looks like the protocol's own", '42["x"]', "b4AQ==", "451-[", { _placeholder: false, num: 0 }],
];

const BINARY = [
  ["one buffer", Buffer.from([1, 2, 3])],
  ["an empty buffer", Buffer.alloc(0)],
  ["every byte", Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
  [
    "nested in arrays and objects",
    { a: [Buffer.from("deep"), { b: Buffer.from([0x1e, 0xff]) }] },
    "between",
    [Buffer.from("x")],
  ],
  ["ten attachments", ...Array.from({ length: 10 }, (_, i) => Buffer.alloc(i * 100, i))],
];

for (const [mode, transports] of Object.entries(MODES)) {
  describe(mode, () => {
    const server = useServer();
    const join = (t, options = {}) => connect(t, server.url, { ...transports, ...options });
    const custom = (t, options = {}) => connect(t, `${server.url}/custom`, { ...transports, ...options });

    test("the connection ends up on the transport that was asked for", async (t) => {
      const socket = await join(t);
      assert.equal(socket.io.engine.transport.name, transports.transports.at(-1));
      assert.equal(socket.id.length, 20);
      assert.notEqual(socket.id, socket.io.engine.id);
    });

    for (const [name, ...args] of VALUES) {
      test(`${name} comes back in an event and in an ack`, async (t) => {
        const socket = await join(t);
        const back = event(socket, "message-back");
        socket.emit("message", ...args);
        assert.deepEqual(await back, args);
        assert.deepEqual(await ask(socket, "message-with-ack", ...args), args);
        assert.deepEqual(await ask(socket, "echo", ...args), args);
      });
    }

    for (const [name, ...args] of BINARY) {
      test(`${name} comes back in an event, in an ack and in an ack of ours`, async (t) => {
        const socket = await join(t);
        const back = event(socket, "message-back");
        socket.emit("message", ...args);
        assert.deepEqual(buffers(await back), args);
        assert.deepEqual(buffers(await ask(socket, "echo", ...args)), args);

        const answer = event(socket, "answer");
        socket.once("question", (...rest) => rest.pop()(...rest));
        socket.emit("ask", ...args);
        assert.deepEqual(buffers(await answer), args);
      });
    }

    test("a thousand arguments come back", async (t) => {
      const socket = await join(t);
      const args = Array.from({ length: 1000 }, (_, i) => i);
      assert.deepEqual(await ask(socket, "echo", ...args), args);
    });

    test("the server asks and hears the answer", async (t) => {
      const socket = await join(t);
      socket.on("question", (...args) => args.pop()("I heard", ...args));
      const answer = event(socket, "answer");
      socket.emit("ask", "what", { time: "now" });
      assert.deepEqual(await answer, ["I heard", "what", { time: "now" }]);
    });

    test("the server asks and gives up when nobody answers", async (t) => {
      const socket = await join(t);
      const answer = event(socket, "answer");
      socket.emit("ask", "anybody?");
      assert.deepEqual(await answer, ["timeout"]);
    });

    test("acks come back to whoever asked, whatever their order", async (t) => {
      const socket = await join(t);
      const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => ask(socket, "echo", i)));
      assert.deepEqual(
        answers,
        Array.from({ length: 100 }, (_, i) => [i]),
      );
    });

    test("the server sees the auth object", async (t) => {
      const auth = { token: "secret ü", nested: { list: [1, null] } };
      assert.deepEqual(await (await join(t, { auth })).greeting, [auth]);
      assert.deepEqual(await (await join(t)).greeting, [{}]);
      assert.deepEqual(await (await custom(t, { auth })).greeting, [auth]);
    });

    test("two namespaces share a connection", async (t) => {
      const main = await join(t);
      const custom = main.io.socket("/custom", { auth: { token: "other" } });
      const greeting = event(custom, "auth");
      await connected(custom);
      assert.deepEqual(await greeting, [{ token: "other" }]);
      assert.notEqual(main.id, custom.id);

      const [back, customBack] = [event(main, "message-back"), event(custom, "message-back")];
      custom.emit("message", "custom", Buffer.from("c"));
      main.emit("message", "main", Buffer.from("m"));
      assert.deepEqual(buffers(await back), ["main", Buffer.from("m")]);
      assert.deepEqual(buffers(await customBack), ["custom", Buffer.from("c")]);

      custom.disconnect();
      assert.deepEqual(await ask(main, "echo", "still here"), ["still here"]);
      const again = event(custom, "auth");
      custom.connect();
      await again;
      assert.deepEqual(await ask(custom, "echo", "back"), ["back"]);
    });

    test("an unknown namespace is refused and the others stay", async (t) => {
      const main = await join(t);
      const unknown = main.io.socket("/unknown", {});
      const refused = first(unknown, "connect_error");
      assert.equal((await refused).message, "Invalid namespace");
      assert.equal(unknown.active, false);
      assert.deepEqual(await ask(main, "echo", "still here"), ["still here"]);
    });

    test("an unknown namespace alone is refused", async (t) => {
      const refused = first(open(t, `${server.url}/nope`, transports), "connect_error");
      assert.equal((await refused).message, "Invalid namespace");
    });

    test("a room hears what is sent to it, without the sender", async (t) => {
      const [sender, member, outsider] = await Promise.all([join(t), join(t), join(t)]);
      for (const socket of [sender, member]) assert.deepEqual(await ask(socket, "join", "den"), []);
      const heard = event(member, "news");
      for (const socket of [sender, outsider]) socket.on("news", () => assert.fail("not for this one"));
      sender.emit("to", "den", "news", "hot", { off: ["the", Buffer.from("press")] });
      assert.deepEqual(buffers(await heard), ["hot", { off: ["the", Buffer.from("press")] }]);
      // Whatever else the server had sent would have come before these.
      await Promise.all([sender, outsider].map((socket) => ask(socket, "echo")));
    });

    test("who left a room hears no more of it", async (t) => {
      const [sender, stays, leaves] = await Promise.all([join(t), join(t), join(t)]);
      for (const socket of [stays, leaves]) await ask(socket, "join", "комната 7");
      assert.deepEqual(await ask(leaves, "leave", "комната 7"), []);
      leaves.on("news", () => assert.fail("has left"));
      const heard = event(stays, "news");
      sender.emit("to", "комната 7", "news", 1);
      assert.deepEqual(await heard, [1]);
      await ask(leaves, "echo");
    });

    test("a socket's id is a room of its own", async (t) => {
      const [sender, addressee] = await Promise.all([join(t), join(t)]);
      const heard = event(addressee, "whisper");
      sender.emit("to", addressee.id, "whisper", "psst");
      assert.deepEqual(await heard, ["psst"]);
    });

    test("rooms of two namespaces are different rooms", async (t) => {
      const [sender, member, other] = await Promise.all([join(t), join(t), custom(t)]);
      for (const socket of [member, other]) await ask(socket, "join", "den");
      other.on("news", () => assert.fail("another namespace"));
      const heard = event(member, "news");
      sender.emit("to", "den", "news", 1);
      await heard;
      await ask(other, "echo");
    });

    test("a broadcast reaches everyone in the namespace, the sender too", async (t) => {
      const sockets = await Promise.all([join(t), join(t), join(t)]);
      const outsider = await custom(t);
      outsider.on("broadcast", () => assert.fail("another namespace"));
      const heard = sockets.map((socket) => event(socket, "broadcast"));
      const args = ["all", { picture: Buffer.from([1, 2]) }];
      sockets[0].emit("broadcast", ...args);
      for (const got of await Promise.all(heard)) assert.deepEqual(buffers(got), args);
      await ask(outsider, "echo");
    });
  });
}

describe("addresses", () => {
  const server = useServer();

  test("the server listens on ::1 too", async (t) => {
    const socket = await connect(t, `http://[::1]:${server.port}`);
    assert.deepEqual(await ask(socket, "echo", 6), [6]);
  });
});

/** Buffers as Buffers: over polling the client hands out ArrayBuffers or Buffers by the packet's way. */
function buffers(value) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return Buffer.from(value);
  if (Array.isArray(value)) return value.map(buffers);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, buffers(inner)]));
  }
  return value;
}
