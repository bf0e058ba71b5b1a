// The official client against the server under test: how connections end, order in bursts, sizes at the bound.
import assert from "node:assert/strict";
import { MODES, ask, connect, event, first } from "../lib/client.mjs";
import { useObserver } from "../lib/observer.mjs";
import { startServer, useServer } from "../lib/server.mjs";
import { describe, test } from "../lib/test.mjs";

const BURST = 5000;
const MAX_PAYLOAD = 20_000;

for (const [mode, transports] of Object.entries(MODES)) {
  describe(mode, () => {
    const server = useServer();
    const join = (t, options = {}) => connect(t, server.url, { ...transports, ...options });

    describe("reasons", () => {
      const observer = useObserver(server, "parse error");

      test("a socket that the server disconnects", async (t) => {
        const socket = await join(t);
        const neighbour = await beside(socket);
        const reason = first(socket, "disconnect");
        socket.emit("kick", false);
        assert.equal(await reason, "io server disconnect");
        await observer.sees("server namespace disconnect");

        assert.deepEqual(await ask(neighbour, "echo", "unharmed"), ["unharmed"]);
        socket.connect();
        assert.deepEqual(await ask(socket, "echo", "again"), ["again"]);
      });

      test("a connection that the server closes", async (t) => {
        const socket = await join(t);
        const neighbour = await beside(socket);
        const [reason, neighbours] = [first(socket, "disconnect"), first(neighbour, "disconnect")];
        const closed = event(socket.io, "close");
        socket.emit("kick", true);
        assert.equal(await reason, "io server disconnect");
        assert.equal(await neighbours, "io server disconnect");
        await closed;
        await observer.sees("server namespace disconnect");
      });

      test("a socket that the client disconnects", async (t) => {
        const socket = await join(t);
        const reason = first(socket, "disconnect");
        socket.disconnect();
        assert.equal(await reason, "io client disconnect");
        await observer.sees("client namespace disconnect");
      });

      test("a connection that the client closes below Socket.IO", async (t) => {
        const socket = await join(t);
        const reason = first(socket, "disconnect");
        socket.io.engine.close();
        assert.equal(await reason, "forced close");
        await observer.sees("transport close");
      });

      test("a server that ends", async (t) => {
        const ending = await startServer();
        const socket = await connect(t, ending.url, transports);
        // A poll that is already waiting will be told; one that comes later would find nobody. It was sent before this:
        const posted = event(socket.io.engine, "drain");
        socket.emit("leave", "nowhere");
        await posted;
        const reason = first(socket, "disconnect");
        await ending.stop();
        assert.equal(await reason, "transport close");
      });

      test("a server that is cut off", async (t) => {
        const dying = await startServer();
        const socket = await connect(t, dying.url, transports);
        const reason = first(socket, "disconnect");
        await dying.kill();
        assert.equal(await reason, transports.transports.at(-1) === "polling" ? "transport error" : "transport close");
      });
    });

    describe("order", () => {
      test(`${BURST} events come back in order`, async (t) => {
        const socket = await join(t);
        const all = collect(socket, "message-back", BURST);
        for (let i = 0; i < BURST; i++) socket.emit("message", i);
        assertOrdered(await all);
      });

      test(`${BURST} acks come back in order`, async (t) => {
        const socket = await join(t);
        const answers = [];
        await Promise.all(
          Array.from({ length: BURST }, async (_, i) => answers.push((await ask(socket, "echo", i))[0])),
        );
        assertOrdered(answers);
      });

      test("a burst to a room and to its sender stays in order", async (t) => {
        const [sender, member] = await Promise.all([join(t), join(t)]);
        await ask(member, "join", "den");
        const [heard, back] = [collect(member, "news", BURST / 2), collect(sender, "message-back", BURST / 2)];
        for (let i = 0; i < BURST / 2; i++) {
          sender.emit("to", "den", "news", i);
          sender.emit("message", i);
        }
        assertOrdered(await heard);
        assertOrdered(await back);
      });

      test("binary and text events keep their order among each other", async (t) => {
        const socket = await join(t);
        const all = collect(socket, "message-back", 500);
        for (let i = 0; i < 500; i++) {
          if (i % 3 === 0) socket.emit("message", i, Buffer.from(String(i)));
          else socket.emit("message", i);
        }
        assertOrdered(await all);
      });
    });
  });

  describe(`${mode}, sizes`, () => {
    const server = useServer("--max-payload", String(MAX_PAYLOAD));
    const join = (t) => connect(t, server.url, transports);

    test("the handshake tells the largest payload", async (t) => {
      const socket = await join(t);
      assert.equal(socket.io.engine._maxPayload ?? socket.io.engine.maxPayload, MAX_PAYLOAD);
    });

    test("a text of exactly the largest size comes through", async (t) => {
      const socket = await join(t);
      const text = filling('42["message",""]', MAX_PAYLOAD);
      const back = event(socket, "message-back");
      socket.emit("message", text);
      assert.deepEqual(await back, [text]);
    });

    test("a binary attachment of nearly the largest size comes through", async (t) => {
      const socket = await join(t);
      // Over polling it travels as base64, four bytes for three.
      const picture = Buffer.alloc(Math.floor((MAX_PAYLOAD * 3) / 4) - 10, 0xa5);
      const back = event(socket, "message-back");
      socket.emit("message", picture);
      assert.deepEqual(Buffer.from((await back)[0]), picture);
    });

    test("a text one byte larger ends the sender alone", async (t) => {
      const [socket, observer] = await Promise.all([join(t), join(t)]);
      const reason = first(socket, "disconnect");
      socket.emit("message", filling('42["message",""]', MAX_PAYLOAD + 1));
      assert.equal(await reason, transports.transports.at(-1) === "polling" ? "transport error" : "transport close");
      assert.deepEqual(await ask(observer, "echo", 1), [1]);
    });

    test("what the server sends may be larger", async (t) => {
      const [socket, other] = await Promise.all([join(t), join(t)]);
      await ask(other, "join", "den");
      const half = "x".repeat(MAX_PAYLOAD / 2);
      const all = collect(other, "news", 50);
      for (let i = 0; i < 50; i++) socket.emit("to", "den", "news", i, half);
      assertOrdered(await all);
    });
  });
}

/** A socket of another namespace on the same connection. */
async function beside(socket) {
  const neighbour = socket.io.socket("/custom", {});
  await event(neighbour, "auth");
  return neighbour;
}

function collect(socket, name, count) {
  return new Promise((resolve) => {
    const values = [];
    socket.on(name, (value) => {
      values.push(value);
      if (values.length === count) resolve(values);
    });
  });
}

/** A text that makes a packet, whose frame around the text is given, exactly `size` bytes long. */
function filling(packet, size) {
  return "x".repeat(size - packet.length);
}

function assertOrdered(values) {
  assert.deepEqual(
    values,
    values.map((_, i) => i),
  );
}
