// Engine.IO by hand: requests, polling sessions and WebSocket frames that may be as wrong as a test wants them.
import assert from "node:assert/strict";
import crypto from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";

export const PATH = "/socket.io/?EIO=4&transport=polling";
const SEPARATOR = "\x1e";

/** One request on a connection of its own; `body` of the response is text. */
export async function request(port, method, path, { headers = {}, body } = {}) {
  const sent = http.request({ host: "127.0.0.1", port, method, path, headers, agent: false });
  sent.end(body);
  const [response] = await once(sent, "response");
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}

/** Sends `bytes` as they are and resolves with what the server said until it closed the connection. */
export async function exchange(port, bytes) {
  const socket = net.connect(port, "127.0.0.1");
  socket.write(bytes);
  return await untilClosed(socket);
}

/** What comes from `socket` until the other side closes it, as text. A reset counts as a close. */
export async function untilClosed(socket) {
  const chunks = [];
  socket.on("data", (chunk) => chunks.push(chunk)).resume();
  await new Promise((resolve) => {
    socket.on("error", () => {});
    socket.on("close", resolve);
    socket.on("end", () => socket.end());
  });
  return Buffer.concat(chunks).toString();
}

/** A polling session. */
export class Polling {
  static async open(port) {
    const session = new Polling();
    const { status, body } = await request(port, "GET", PATH);
    assert.equal(status, 200, body);
    assert.equal(body[0], "0");
    return Object.assign(session, { port, handshake: JSON.parse(body.slice(1)), pending: [] });
  }

  get sid() {
    return this.handshake.sid;
  }

  get path() {
    return `${PATH}&sid=${this.sid}`;
  }

  get() {
    return request(this.port, "GET", this.path);
  }

  post(body, headers = { "content-type": "text/plain;charset=UTF-8" }) {
    return request(this.port, "POST", this.path, { body, headers });
  }

  /** Posts packets, which the server is to take. */
  async send(...packets) {
    const { status, body } = await this.post(packets.join(SEPARATOR));
    assert.deepEqual([status, body], [200, "ok"]);
  }

  /** The next packet, by as many polls as it needs. */
  async receive() {
    while (this.pending.length === 0) {
      const { status, body } = await this.get();
      assert.equal(status, 200, body);
      this.pending.push(...body.split(SEPARATOR));
    }
    return this.pending.shift();
  }

  /** Joins the main namespace and takes its greeting. */
  async connect() {
    await this.send("40");
    assert.match(await this.receive(), /^40\{"sid":"[\w-]{20}"\}$/);
    assert.equal(await this.receive(), '42["auth",{}]');
    return this;
  }

  /** Resolves once the server no longer knows the session. */
  async gone() {
    for (;;) {
      const { status, body } = await this.get();
      if (status === 400 && body === '{"code":1,"message":"Session ID unknown"}') return;
      assert.ok(status === 400 || status === 200, `${status} ${body}`);
    }
  }
}

export const Opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 };

/** A WebSocket whose frames are written by hand. What it receives waits in order. */
export class WebSocket {
  #received = Buffer.alloc(0);
  #frames = [];
  #waiting = [];

  /** The answer to an upgrade request: `{status, head, body, socket}`; the body only when it was refused. */
  static async handshake(port, path, headers = {}) {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    const all = {
      host: `127.0.0.1:${port}`,
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": crypto.randomBytes(16).toString("base64"),
      ...headers,
    };
    const lines = Object.entries(all).filter(([, value]) => value !== undefined);
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
    let text = Buffer.alloc(0);
    while (!text.includes("\r\n\r\n")) {
      const chunk = await nextChunk(socket);
      assert.ok(chunk, `closed after ${JSON.stringify(text.toString())}`);
      text = Buffer.concat([text, chunk]);
    }
    const end = text.indexOf("\r\n\r\n") + 4;
    const head = text.subarray(0, end).toString();
    const status = Number(head.split(" ")[1]);
    const rest = text.subarray(end);
    if (status === 101) return { status, head, socket, rest };
    return { status, head, body: rest.toString() + (await untilClosed(socket)) };
  }

  /** An open WebSocket: of a new session, or attached to `sid`. */
  static async open(port, sid) {
    const path = `/socket.io/?EIO=4&transport=websocket${sid ? `&sid=${sid}` : ""}`;
    const answer = await WebSocket.handshake(port, path);
    assert.equal(answer.status, 101, answer.head);
    return WebSocket.over(answer);
  }

  /** The WebSocket that a handshake has opened. */
  static over({ socket, rest }) {
    const self = new WebSocket();
    self.socket = socket;
    self.closed = new Promise((resolve) => socket.on("close", resolve));
    self.#take(rest);
    socket.on("data", (chunk) => self.#take(chunk)).resume();
    socket.on("end", () => socket.end());
    self.closed.then(() => self.#waiting.forEach((waiter) => waiter(undefined)));
    return self;
  }

  /** An open WebSocket of a new session that has joined the main namespace. */
  static async connect(port) {
    const self = await WebSocket.open(port);
    self.openPacket = JSON.parse((await self.receive()).slice(1));
    self.send("40");
    assert.match(await self.receive(), /^40\{"sid"/);
    assert.equal(await self.receive(), '42["auth",{}]');
    return self;
  }

  /** One frame, right or wrong. */
  frame(opcode, payload = "", { fin = true, masked = true, rsv = 0, length } = {}) {
    const data = Buffer.from(payload);
    const size = length ?? data.length;
    const head = [(fin ? 0x80 : 0) | (rsv << 4) | opcode];
    const mask = masked ? 0x80 : 0;
    if (size < 126) head.push(mask | size);
    else if (size < 65536) head.push(mask | 126, size >> 8, size & 255);
    else head.push(mask | 127, ...bigEndian(size));
    const key = masked ? crypto.randomBytes(4) : Buffer.alloc(0);
    if (masked) data.forEach((byte, i) => (data[i] = byte ^ key[i % 4]));
    this.socket.write(Buffer.concat([Buffer.from(head), key, data]));
  }

  send(text) {
    this.frame(Opcode.text, text);
  }

  sendBinary(bytes) {
    this.frame(Opcode.binary, bytes);
  }

  /** The next frame as `{opcode, payload}`, or undefined once the connection is closed. */
  async nextFrame() {
    if (this.#frames.length > 0) return this.#frames.shift();
    if (this.socket.closed) return undefined;
    return await new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The next message: text, or bytes. */
  async receive() {
    const frame = await this.nextFrame();
    assert.ok(frame, "the connection was closed");
    if (frame.opcode === Opcode.text) return frame.payload.toString();
    assert.equal(frame.opcode, Opcode.binary);
    return frame.payload;
  }

  /** Resolves once the server closed the connection, with the code of its close frame: undefined when none came, 1005 for an empty one. */
  async closeCode() {
    for (;;) {
      const frame = await this.nextFrame();
      if (!frame) return undefined;
      if (frame.opcode === Opcode.close) {
        await this.closed;
        return frame.payload.length >= 2 ? frame.payload.readUInt16BE() : 1005;
      }
    }
  }

  /** Closes the connection in order. */
  async leave() {
    this.frame(Opcode.close);
    await this.closeCode();
    await this.closed;
  }

  #take(chunk) {
    this.#received = Buffer.concat([this.#received, chunk]);
    for (;;) {
      const [used, frame] = parse(this.#received);
      if (!frame) return;
      this.#received = this.#received.subarray(used);
      if (frame.opcode === Opcode.close) {
        this.frame(Opcode.close, frame.payload);
        this.socket.end();
      }
      const waiter = this.#waiting.shift();
      if (waiter) waiter(frame);
      else this.#frames.push(frame);
    }
  }
}

/** One frame at the front of `bytes`, as a server sends it: unmasked. */
function parse(bytes) {
  if (bytes.length < 2) return [0];
  assert.equal(bytes[1] & 0x80, 0, "a server does not mask");
  let [length, start] = [bytes[1] & 0x7f, 2];
  if (length === 126) {
    if (bytes.length < 4) return [0];
    [length, start] = [bytes.readUInt16BE(2), 4];
  } else if (length === 127) {
    if (bytes.length < 10) return [0];
    [length, start] = [Number(bytes.readBigUInt64BE(2)), 10];
  }
  if (bytes.length < start + length) return [0];
  return [
    start + length,
    { opcode: bytes[0] & 0x0f, fin: bytes[0] >= 0x80, payload: bytes.subarray(start, start + length) },
  ];
}

function bigEndian(size) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(size));
  return bytes;
}

async function nextChunk(socket) {
  return await new Promise((resolve) => {
    const done = (chunk) => {
      socket.off("data", done).off("close", done).pause();
      resolve(chunk instanceof Buffer ? chunk : undefined);
    };
    socket.on("data", done).on("close", done).resume();
  });
}
