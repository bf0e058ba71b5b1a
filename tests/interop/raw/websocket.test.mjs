// Frames, right and wrong.
import assert from "node:assert/strict";
import { ask } from "../lib/client.mjs";
import { useObserver } from "../lib/observer.mjs";
import { Opcode, WebSocket } from "../lib/raw.mjs";
import { oursOnly, useServer } from "../lib/server.mjs";
import { describe, test } from "../lib/test.mjs";

const MAX_PAYLOAD = 10_000;
const MAX_FRAGMENTS = 16_384;

describe("WebSocket", () => {
  const server = useServer("--max-payload", String(MAX_PAYLOAD));
  const observer = useObserver(server);

  test("a handshake of its own opens a session without upgrades", async () => {
    const socket = await WebSocket.open(server.port);
    const { sid, ...rest } = JSON.parse((await socket.receive()).slice(1));
    assert.match(sid, /^[\w-]{20}$/);
    assert.deepEqual(rest, { upgrades: [], pingInterval: 25000, pingTimeout: 20000, maxPayload: MAX_PAYLOAD });
    await socket.leave();
  });

  test("the handshake answers with the key's digest and no extension that was not asked for", async () => {
    const { head, socket } = await WebSocket.handshake(server.port, "/socket.io/?EIO=4&transport=websocket", {
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    });
    assert.match(head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
    assert.match(head.toLowerCase(), /sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk\+xoo=/);
    assert.doesNotMatch(head.toLowerCase(), /sec-websocket-(extensions|protocol)/);
    socket.destroy();
  });

  describe("what is allowed", () => {
    test("binary goes as bare frames right behind its text", async () => {
      const socket = await WebSocket.connect(server.port);
      socket.send('452-["message",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]');
      socket.sendBinary([1, 2, 3]);
      socket.sendBinary([]);
      assert.equal(
        await socket.receive(),
        '452-["message-back",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]',
      );
      assert.deepEqual(await socket.receive(), Buffer.from([1, 2, 3]));
      assert.deepEqual(await socket.receive(), Buffer.alloc(0));
      await socket.leave();
    });

    test("a text frame of base64 counts as binary", async () => {
      const socket = await WebSocket.connect(server.port);
      socket.send('451-["message",{"_placeholder":true,"num":0}]');
      socket.send("bAQIDBA==");
      assert.equal(await socket.receive(), '451-["message-back",{"_placeholder":true,"num":0}]');
      assert.deepEqual(await socket.receive(), Buffer.from([1, 2, 3, 4]));
      await socket.leave();
    });

    test("fragments are joined, a ping between them is answered", async () => {
      const socket = await WebSocket.connect(server.port);
      socket.frame(Opcode.text, '420["ec', { fin: false });
      socket.frame(Opcode.continuation, 'ho","h', { fin: false });
      socket.frame(Opcode.ping, "are you there");
      socket.frame(Opcode.continuation, "", { fin: false });
      socket.frame(Opcode.continuation, 'ello"]');
      assert.deepEqual(text(await socket.nextFrame()), [Opcode.pong, "are you there"]);
      assert.equal(await socket.receive(), '430["hello"]');
      await socket.leave();
    });

    test("a character may be split between fragments", async () => {
      const socket = await WebSocket.connect(server.port);
      const bytes = Buffer.from('420["echo","\u{1f600}"]');
      for (let i = 0; i < bytes.length; i++) {
        const last = i === bytes.length - 1;
        socket.frame(i === 0 ? Opcode.text : Opcode.continuation, bytes.subarray(i, i + 1), { fin: last });
      }
      assert.equal(await socket.receive(), '430["\u{1f600}"]');
      await socket.leave();
    });

    test("frames may arrive byte by byte", async () => {
      const socket = await WebSocket.connect(server.port);
      const chunks = [];
      const write = socket.socket.write.bind(socket.socket);
      socket.socket.write = (bytes) => chunks.push(bytes);
      socket.send('420["echo",1]');
      socket.socket.write = write;
      socket.socket.setNoDelay(true);
      for (const byte of Buffer.concat(chunks)) await new Promise((done) => write(Buffer.of(byte), done));
      assert.equal(await socket.receive(), "430[1]");
      await socket.leave();
    });

    test("a payload of exactly the largest size", async () => {
      const socket = await WebSocket.connect(server.port);
      socket.send(`420["echo","${"x".repeat(MAX_PAYLOAD - 14)}"]`);
      assert.equal((await socket.receive()).length, MAX_PAYLOAD - 7);
      await socket.leave();
    });

    test("an unsolicited pong", async () => {
      const socket = await WebSocket.connect(server.port);
      socket.frame(Opcode.pong, "nobody asked");
      socket.send('420["echo",1]');
      assert.equal(await socket.receive(), "430[1]");
      await socket.leave();
    });

    test("a close is answered and the session is over", async () => {
      const socket = await WebSocket.connect(server.port);
      socket.frame(Opcode.close, [0x03, 0xe8]);
      assert.ok([1000, 1005].includes(await socket.closeCode()), "the same code, or none");
      await observer.sees("transport close");
    });
  });

  describe("what ends the connection", () => {
    const join = '420["echo",1]';
    const wrong = [
      ["an unmasked frame", 1002, (socket) => socket.frame(Opcode.text, join, { masked: false })],
      ["a reserved bit: RSV1 without an extension", 1002, (socket) => socket.frame(Opcode.text, join, { rsv: 4 })],
      ["RSV2", 1002, (socket) => socket.frame(Opcode.text, join, { rsv: 2 })],
      ["RSV3", 1002, (socket) => socket.frame(Opcode.text, join, { rsv: 1 })],
      ["an unknown data opcode", 1002, (socket) => socket.frame(3, join)],
      ["an unknown control opcode", 1002, (socket) => socket.frame(11, "")],
      ["a control frame over 125 bytes", 1002, (socket) => socket.frame(Opcode.ping, "x".repeat(126))],
      ["a control frame in fragments", 1002, (socket) => socket.frame(Opcode.ping, "x", { fin: false })],
      ["a continuation of nothing", 1002, (socket) => socket.frame(Opcode.continuation, "x")],
      [
        "a new message inside another",
        1002,
        (socket) => {
          socket.frame(Opcode.text, "4", { fin: false });
          socket.frame(Opcode.text, join);
        },
      ],
      ["text that is not UTF-8", 1007, (socket) => socket.frame(Opcode.text, [0x34, 0x32, 0xff])],
      ["text that ends in half a character", 1007, (socket) => socket.frame(Opcode.text, [0x34, 0xe2, 0x82])],
      ["a surrogate in UTF-8", 1007, (socket) => socket.frame(Opcode.text, [0x34, 0xed, 0xa0, 0x80])],
      ["a frame over the bound", 1009, (socket) => socket.send("4".repeat(MAX_PAYLOAD + 1))],
      [
        "a promise of a frame over the bound",
        1009,
        (socket) => socket.frame(Opcode.text, "4", { length: MAX_PAYLOAD + 1 }),
      ],
      ["a promise beyond all memory", 1009, (socket) => socket.frame(Opcode.binary, "", { length: 2 ** 52 })],
      [
        "fragments over the bound together",
        1009,
        (socket) => {
          socket.frame(Opcode.text, "4".repeat(MAX_PAYLOAD - 1), { fin: false });
          socket.frame(Opcode.continuation, "44");
        },
      ],
      ["a close frame with a code of one byte", 1002, (socket) => socket.frame(Opcode.close, [3])],
      ["a close frame with a code that must not be sent", 1002, (socket) => socket.frame(Opcode.close, [0x03, 0xed])],
    ];
    for (const [name, code, act] of wrong) {
      test(name, async () => {
        const socket = await WebSocket.connect(server.port);
        act(socket);
        assert.equal(await socket.closeCode(), code);
        await observer.sees("transport error");
      });
    }

    test("more fragments than the bound", oursOnly, async () => {
      const socket = await WebSocket.connect(server.port);
      socket.frame(Opcode.text, "4", { fin: false });
      for (let i = 0; i < MAX_FRAGMENTS; i++) socket.frame(Opcode.continuation, "", { fin: false });
      assert.equal(await socket.closeCode(), 1008);
      await observer.sees("transport error");
    });

    test("a connection cut without a close frame", async () => {
      const socket = await WebSocket.connect(server.port);
      socket.socket.end();
      await socket.closed;
      await observer.sees("transport close");
    });

    test("a connection that is reset", async () => {
      const socket = await WebSocket.connect(server.port);
      socket.socket.resetAndDestroy();
      await observer.sees("transport close", "transport error");
    });
  });

  test("a peer that pings and never reads is not answered without bound", async () => {
    const socket = await WebSocket.connect(server.port);
    socket.socket.pause();
    for (let i = 0; i < 20_000; i++) socket.frame(Opcode.ping, "x".repeat(125));
    assert.deepEqual(await ask(observer.socket, "echo", 1), [1]);
    socket.socket.destroy();
  });
});

function text({ opcode, payload }) {
  return [opcode, payload.toString()];
}
