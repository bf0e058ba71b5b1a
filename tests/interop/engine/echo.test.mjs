// The official Engine.IO client against engine-echo: messages without Socket.IO.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "engine.io-client";
import { MODES } from "../lib/client.mjs";
import { start } from "../lib/server.mjs";
import { after, before, describe, test } from "../lib/test.mjs";

const ECHO = process.env.ENGINE_ECHO ?? new URL("../../../target/servers/engine-echo", import.meta.url).pathname;
const BURST = 5000;

for (const [mode, transports] of Object.entries(MODES)) {
  describe(`Engine.IO, ${mode}`, () => {
    let server;
    before(async () => (server = await start(ECHO, ["--max-payload", "10000"])));
    after(() => server.kill());

    const open = async (t) => {
      const socket = new Socket(server.url, transports);
      socket.binaryType = "nodebuffer";
      t.after(() => socket.close());
      await once(socket, transports.transports.length > 1 ? "upgrade" : "open");
      return socket;
    };

    const collect = (socket, count) =>
      new Promise((resolve) => {
        const messages = [];
        socket.on("message", (message) => messages.push(message) === count && resolve(messages));
      });

    test("every message comes back in kind and in order", async (t) => {
      const socket = await open(t);
      const sent = [
        "text",
        "ü \u{1f600} \u0000",
        Buffer.from([0, 0x1e, 0xff]),
        Buffer.alloc(0),
        "x".repeat(9_000),
        "last",
      ];
      const back = collect(socket, sent.length);
      sent.forEach((message) => socket.send(message));
      assert.deepEqual(await back, sent);
    });

    test("a burst comes back in order", async (t) => {
      const socket = await open(t);
      const back = collect(socket, BURST);
      for (let i = 0; i < BURST; i++) socket.send(String(i));
      assert.deepEqual(
        await back,
        Array.from({ length: BURST }, (_, i) => String(i)),
      );
    });

    test("messages that are sent during the upgrade come back in order", async (t) => {
      const socket = new Socket(server.url, transports);
      t.after(() => socket.close());
      await once(socket, "open");
      const back = collect(socket, 200);
      for (let i = 0; i < 200; i++) {
        socket.send(String(i));
        await new Promise(setImmediate);
      }
      assert.deepEqual(
        await back,
        Array.from({ length: 200 }, (_, i) => String(i)),
      );
    });

    test("a client that closes ends nobody else's connection", async (t) => {
      const [one, other] = await Promise.all([open(t), open(t)]);
      const closed = once(one, "close");
      one.close();
      assert.deepEqual((await closed)[0], "forced close");
      const back = collect(other, 1);
      other.send("still here");
      assert.deepEqual(await back, ["still here"]);
    });
  });
}
