// From polling to WebSocket, in order and out of order.
import assert from "node:assert/strict";
import { useObserver } from "../lib/observer.mjs";
import { Opcode, Polling, WebSocket, request } from "../lib/raw.mjs";
import { useServer } from "../lib/server.mjs";
import { describe, test } from "../lib/test.mjs";

const BAD_REQUEST = '{"code":3,"message":"Bad request"}';

describe("upgrade", () => {
  const server = useServer();
  const observer = useObserver(server);

  /** A joined polling session with a WebSocket that has been answered `3probe`. */
  async function probed() {
    const session = await (await Polling.open(server.port)).connect();
    const candidate = await WebSocket.open(server.port, session.sid);
    candidate.send("2probe");
    assert.equal(await candidate.receive(), "3probe");
    return [session, candidate];
  }

  async function usable(session) {
    await session.send('420["echo",1]');
    for (;;) {
      const packet = await session.receive();
      if (packet === "430[1]") return;
      assert.equal(packet, "6");
    }
  }

  test("a session moves: probe, noop for the waiting poll, upgrade, what waited comes over the WebSocket", async () => {
    const session = await (await Polling.open(server.port)).connect();
    const poll = session.get();
    const candidate = await WebSocket.open(server.port, session.sid);
    candidate.send("2probe");
    assert.equal(await candidate.receive(), "3probe");
    assert.equal((await poll).body, "6");
    await session.send('420["echo","before"]');
    candidate.send("5");
    assert.equal(await candidate.receive(), '430["before"]');
    candidate.send('421["echo","after"]');
    assert.equal(await candidate.receive(), '431["after"]');

    const late = await request(server.port, "GET", session.path);
    assert.deepEqual([late.status, late.body], [400, BAD_REQUEST]);
    await candidate.leave();
  });

  test("messages go over polling between probe and upgrade", async () => {
    const [session, candidate] = await probed();
    await usable(session);
    await candidate.leave();
  });

  test("a waiting poll is answered again and again while the probe lasts", async () => {
    const [session, candidate] = await probed();
    for (let i = 0; i < 3; i++) assert.equal((await session.get()).body, "6");
    await candidate.leave();
  });

  const strange = [
    ["a message instead of a probe", (socket) => socket.send('42["message",1]')],
    ["a ping without probe", (socket) => socket.send("2")],
    ["another probe text", (socket) => socket.send("2other")],
    ["binary", (socket) => socket.sendBinary([1])],
    ["an unknown packet", (socket) => socket.send("x")],
    ["an empty packet", (socket) => socket.send("")],
    ["a bad frame", (socket) => socket.frame(Opcode.text, "2probe", { masked: false })],
    ["a close", (socket) => socket.frame(Opcode.close)],
    ["a cut", (socket) => socket.socket.end()],
  ];
  for (const [name, act] of strange) {
    test(`${name} closes the WebSocket, the session goes on polling`, async () => {
      const session = await (await Polling.open(server.port)).connect();
      const candidate = await WebSocket.open(server.port, session.sid);
      act(candidate);
      await candidate.closeCode();
      await candidate.closed;
      await usable(session);
    });
  }

  test("anything but the upgrade after the probe closes the WebSocket, the session goes on polling", async () => {
    const [session, candidate] = await probed();
    candidate.send('42["message",1]');
    await candidate.closeCode();
    await usable(session);
  });

  test("a second WebSocket is closed while the first one probes", async () => {
    const [session, candidate] = await probed();
    const second = await WebSocket.open(server.port, session.sid);
    await second.closeCode();
    candidate.send("5");
    candidate.send('420["echo",1]');
    assert.equal(await candidate.receive(), "430[1]");
    await candidate.leave();
  });

  test("a second WebSocket is closed after the upgrade", async () => {
    const [session, candidate] = await probed();
    candidate.send("5");
    candidate.send('420["echo",1]');
    assert.equal(await candidate.receive(), "430[1]");
    const second = await WebSocket.open(server.port, session.sid);
    await second.closeCode();
    candidate.send('421["echo",2]');
    assert.equal(await candidate.receive(), "431[2]");
    await candidate.leave();
  });

  test("a failed probe may be followed by a good one", async () => {
    const session = await (await Polling.open(server.port)).connect();
    const failed = await WebSocket.open(server.port, session.sid);
    failed.send("nonsense");
    await failed.closeCode();
    const candidate = await WebSocket.open(server.port, session.sid);
    candidate.send("2probe");
    assert.equal(await candidate.receive(), "3probe");
    candidate.send("5");
    candidate.send('420["echo",1]');
    assert.equal(await candidate.receive(), "430[1]");
    await candidate.leave();
  });

  test("a session that has moved ends with its WebSocket", async () => {
    const [session, candidate] = await probed();
    candidate.send("5");
    candidate.send('420["echo",1]');
    assert.equal(await candidate.receive(), "430[1]");
    candidate.socket.end();
    await observer.sees("transport close");
    await session.gone();
  });
});

describe("transports", () => {
  describe("polling alone", () => {
    const server = useServer("--transports", "polling");

    test("offers no upgrade and refuses one", async () => {
      const session = await Polling.open(server.port);
      assert.deepEqual(session.handshake.upgrades, []);
      const { status, body } = await request(server.port, "GET", session.path.replace("polling", "websocket"), {
        headers: {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
        },
      });
      assert.equal(status, 400);
      assert.match(body, /Transport unknown/);
    });
  });

  describe("websocket alone", () => {
    const server = useServer("--transports", "websocket");

    test("refuses polling", async () => {
      const { status, body } = await request(server.port, "GET", "/socket.io/?EIO=4&transport=polling");
      assert.deepEqual([status, body], [400, '{"code":0,"message":"Transport unknown"}']);
      await (await WebSocket.connect(server.port)).leave();
    });
  });
});
