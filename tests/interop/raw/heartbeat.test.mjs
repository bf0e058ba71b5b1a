// Pings, pongs and other deadlines, by clients that keep silent.
import assert from "node:assert/strict";
import { useObserver } from "../lib/observer.mjs";
import { Polling, WebSocket } from "../lib/raw.mjs";
import { useServer } from "../lib/server.mjs";
import { describe, test } from "../lib/test.mjs";

describe("heartbeat", () => {
  const server = useServer("--ping-interval", "200", "--ping-timeout", "150", "--connect-timeout", "400");
  const observer = useObserver(server);

  test("the server pings after the interval and goes on after a pong", async () => {
    const socket = await WebSocket.connect(server.port);
    for (let i = 0; i < 3; i++) {
      assert.equal(await socket.receive(), "2");
      socket.send("3");
    }
    await socket.leave();
  });

  test("the server pings a polling session too", async () => {
    const session = await (await Polling.open(server.port)).connect();
    for (let i = 0; i < 2; i++) {
      assert.equal(await session.receive(), "2");
      await session.send("3");
    }
    await session.send("1");
  });

  test("a WebSocket that does not answer is closed: ping timeout", async () => {
    const socket = await WebSocket.connect(server.port);
    assert.equal(await socket.receive(), "2");
    assert.equal(await socket.closeCode(), 1005);
    await observer.sees("ping timeout");
  });

  test("a polling session that does not answer is closed: ping timeout", async () => {
    const session = await (await Polling.open(server.port)).connect();
    assert.equal(await session.receive(), "2");
    assert.equal(await session.receive(), "1");
    await observer.sees("ping timeout");
    await session.gone();
  });

  test("messages do not stand in for a pong", async (t) => {
    const socket = await WebSocket.connect(server.port);
    const over = socket.closeCode();
    const busy = setInterval(() => socket.send('42["join","den"]'), 20);
    t.after(() => clearInterval(busy));
    assert.equal(await over, 1005);
    clearInterval(busy);
    await observer.sees("ping timeout");
  });

  test("a pong that nobody asked for is tolerated", async () => {
    const socket = await WebSocket.connect(server.port);
    socket.send("3");
    socket.send('420["echo",1]');
    assert.equal(await socket.receive(), "430[1]");
    await socket.leave();
  });

  test("a ping by the client ends the connection: transport error", async () => {
    const socket = await WebSocket.connect(server.port);
    socket.send("2");
    assert.notEqual(await socket.closeCode(), undefined);
    await observer.sees("transport error");
  });

  test("a ping by the client over polling ends the session: transport error", async () => {
    const session = await (await Polling.open(server.port)).connect();
    await session.post("2"); // whatever the answer is
    await observer.sees("transport error");
    await session.gone();
  });

  test("who joins no namespace in time is closed", async () => {
    const socket = await WebSocket.open(server.port);
    for (;;) {
      const frame = await socket.nextFrame();
      if (frame?.payload.toString() === "2") socket.send("3");
      else if (!frame || frame.opcode === 8) break;
    }
  });

  test("who was only refused a namespace is closed in time too", async () => {
    const socket = await WebSocket.open(server.port);
    socket.send("40/nope,");
    const packets = [];
    for (;;) {
      const frame = await socket.nextFrame();
      if (!frame || frame.opcode === 8) break;
      packets.push(frame.payload.toString());
      if (packets.at(-1) === "2") socket.send("3");
    }
    assert.ok(packets.includes('44/nope,{"message":"Invalid namespace"}'), packets.join());
  });
});
