// What the server answers to requests, right and wrong, over plain HTTP.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";
import { useObserver } from "../lib/observer.mjs";
import { PATH, Polling, WebSocket, exchange, request, untilClosed } from "../lib/raw.mjs";
import { oursOnly, useServer } from "../lib/server.mjs";
import { afterEach, describe, test } from "../lib/test.mjs";

const MAX_PAYLOAD = 10_000;
const ERRORS = [
  '{"code":0,"message":"Transport unknown"}',
  '{"code":1,"message":"Session ID unknown"}',
  '{"code":2,"message":"Bad handshake method"}',
  '{"code":3,"message":"Bad request"}',
  '{"code":4,"message":"Forbidden"}',
  '{"code":5,"message":"Unsupported protocol version"}',
];
const EMPTY = "";

describe("HTTP", () => {
  const server = useServer("--max-payload", String(MAX_PAYLOAD));
  const send = (method, path, options) => request(server.port, method, path, options);

  const observer = useObserver(server);

  // Whatever a test did: newcomers are served as before.
  afterEach(async () => {
    const session = await (await Polling.open(server.port)).connect();
    await session.send('420["echo",1]', "1");
  });

  describe("a handshake", () => {
    test("opens a session", async () => {
      const { status, headers, body } = await send("GET", PATH);
      assert.equal(status, 200);
      assert.equal(headers["content-type"], "text/plain; charset=UTF-8");
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["content-length"], String(body.length));
      assert.equal(headers["set-cookie"], undefined);
      const { sid, ...rest } = JSON.parse(body.slice(1));
      assert.match(sid, /^[\w-]{20}$/);
      assert.deepEqual(rest, {
        upgrades: ["websocket"],
        pingInterval: 25000,
        pingTimeout: 20000,
        maxPayload: MAX_PAYLOAD,
      });
    });

    const refused = [
      ["without a transport", "GET", "/socket.io/?EIO=4", 0],
      ["with an unknown transport", "GET", "/socket.io/?EIO=4&transport=pigeon", 0],
      ["with a transport that is not offered", "GET", "/socket.io/?EIO=4&transport=webtransport", 0],
      [
        "with the name of an object's own property for a transport",
        "GET",
        "/socket.io/?EIO=4&transport=constructor",
        0,
      ],
      ["with an unknown transport and an unknown version", "GET", "/socket.io/?EIO=9&transport=pigeon", 0],
      ["by POST", "POST", PATH, 2],
      ["by PUT", "PUT", PATH, 2],
      ["by DELETE", "DELETE", PATH, 2],
      ["for a WebSocket without an upgrade", "GET", "/socket.io/?EIO=4&transport=websocket", 3],
      ["of version 3", "GET", "/socket.io/?EIO=3&transport=polling", 5],
      ["of version 5", "GET", "/socket.io/?EIO=5&transport=polling", 5],
      ["without a version", "GET", "/socket.io/?transport=polling", 5],
      ["with an unknown sid", "GET", `${PATH}&sid=unknown`, 1],
      ["with an unknown sid by POST", "POST", `${PATH}&sid=unknown`, 1],
      ["with a sid that is an object's own property", "GET", `${PATH}&sid=__proto__`, 1],
      ["with a sid of another length", "GET", `${PATH}&sid=${"x".repeat(5000)}`, 1],
    ];
    for (const [name, method, path, code] of refused) {
      test(`${name} is refused with code ${code}`, async () => {
        const { status, headers, body } = await send(method, path);
        assert.deepEqual([status, body], [400, ERRORS[code]]);
        assert.equal(headers["content-type"], "application/json");
      });
    }

    test("with a strange query is served or refused, no more", async () => {
      for (const query of [
        "&sid=",
        "&sid",
        "&b64=1",
        "&j=0",
        "&t=%00%ff",
        "&&&==&=x",
        "&EIO=3",
        "&transport=websocket",
        "&sid=a&sid=b",
      ]) {
        const { status } = await send("GET", PATH + query);
        assert.ok(status === 200 || status === 400, `${query}: ${status}`);
      }
    });

    test("is refused outside the path", async () => {
      for (const path of ["/", "/socket.iox/?EIO=4&transport=polling", "/other?EIO=4&transport=polling"]) {
        assert.equal((await send("GET", path)).status, 404);
      }
    });
  });

  describe("an upgrade", () => {
    const refused = [
      ["with an unknown transport", "/socket.io/?EIO=4&transport=pigeon", "Transport unknown"],
      ["with an unknown sid", "/socket.io/?EIO=4&transport=websocket&sid=unknown", "Session ID unknown"],
    ];
    for (const [name, path, message] of refused) {
      test(`${name} is refused`, async () => {
        const { status, body, head } = await WebSocket.handshake(server.port, path);
        assert.deepEqual([status, body], [400, message]);
        assert.match(head.toLowerCase(), /content-type: text\/html/);
        assert.match(head.toLowerCase(), /connection: close/);
      });
    }

    test("of a polling request opens nothing", async () => {
      const answer = await WebSocket.handshake(server.port, PATH);
      // The official server says 101 and closes at once.
      if (answer.status === 101) assert.equal(await WebSocket.over(answer).closeCode(), 1005);
      else assert.deepEqual([answer.status, answer.body], [400, "Bad request"]);
    });

    test("of version 3 is refused before it is answered with 101", oursOnly, async () => {
      const { status, body } = await WebSocket.handshake(server.port, "/socket.io/?EIO=3&transport=websocket");
      assert.deepEqual([status, body], [400, "Unsupported protocol version"]);
    });

    test("without a key or with an unknown version is refused", async () => {
      for (const headers of [
        { "sec-websocket-key": undefined },
        { "sec-websocket-key": "short" },
        { "sec-websocket-version": "12" },
      ]) {
        const { status } = await WebSocket.handshake(server.port, "/socket.io/?EIO=4&transport=websocket", headers);
        assert.ok(status >= 400 && status < 500, `${JSON.stringify(headers)}: ${status}`);
      }
    });
  });

  describe("a session", () => {
    test("answers a POST with ok", async () => {
      const session = await Polling.open(server.port);
      const { status, headers, body } = await session.post("40");
      assert.deepEqual([status, body], [200, "ok"]);
      assert.equal(headers["content-type"], "text/html");
    });

    test("refuses another transport than its own", async () => {
      const session = await Polling.open(server.port);
      const { status, body } = await send("GET", session.path.replace("polling", "websocket"));
      assert.deepEqual([status, body], [400, ERRORS[3]]);
      await session.connect();
    });

    test("refuses polling once it is a WebSocket", async () => {
      const socket = await WebSocket.connect(server.port);
      const { status, body } = await send("GET", `${PATH}&sid=${socket.openPacket.sid}`);
      assert.deepEqual([status, body], [400, ERRORS[3]]);
      await socket.leave();
    });

    test("answers other methods with 500 and stays", async () => {
      const session = await Polling.open(server.port);
      for (const method of ["PUT", "DELETE", "PATCH"]) {
        assert.deepEqual(pick(await send(method, session.path)), [500, EMPTY]);
      }
      await session.connect();
    });

    test("takes a body of exactly the largest size", async () => {
      const session = await (await Polling.open(server.port)).connect();
      const packet = `420["echo","${"x".repeat(MAX_PAYLOAD - 14)}"]`;
      assert.equal(packet.length, MAX_PAYLOAD);
      await session.send(packet);
      assert.equal((await session.receive()).length, MAX_PAYLOAD - 7);
    });

    test("answers a body over the bound with 413 and stays", async () => {
      const session = await (await Polling.open(server.port)).connect();
      assert.deepEqual(pick(await session.post("4".repeat(MAX_PAYLOAD + 1))), [413, EMPTY]);
      await session.send('420["echo",1]');
      assert.equal(await session.receive(), "430[1]");
    });

    test("answers a chunked body over the bound with 413 and stays", async () => {
      const session = await (await Polling.open(server.port)).connect();
      const { status } = await session.post("4".repeat(MAX_PAYLOAD + 1), { "transfer-encoding": "chunked" });
      assert.equal(status, 413);
      await session.send('420["echo",1]');
      assert.equal(await session.receive(), "430[1]");
    });

    test("takes a chunked body", async () => {
      const session = await (await Polling.open(server.port)).connect();
      const { status, body } = await session.post('420["echo",1]', { "transfer-encoding": "chunked" });
      assert.deepEqual([status, body], [200, "ok"]);
      assert.equal(await session.receive(), "430[1]");
    });

    test("answers a promise of too much with 413 before the body comes", oursOnly, async () => {
      const session = await Polling.open(server.port);
      const socket = net.connect(server.port, "127.0.0.1");
      socket.write(`POST ${session.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n`);
      const [chunk] = await once(socket, "data");
      assert.match(chunk.toString(), /^HTTP\/1\.1 413 /);
      socket.destroy();
      await session.connect();
    });

    test("ends at a body of octets", async () => {
      const session = await (await Polling.open(server.port)).connect();
      const answer = await session.post("\x04", { "content-type": "application/octet-stream" });
      assert.deepEqual(pick(answer), [400, EMPTY]);
      await observer.sees("transport error");
      await session.gone();
    });

    test("ends at a second GET: the first gets its close, the second 400", async () => {
      const session = await (await Polling.open(server.port)).connect();
      // Either may arrive first: the one that is refused is the second.
      const answers = (await Promise.all([session.get(), session.get()])).map(pick);
      answers.sort(([a], [b]) => a - b);
      assert.deepEqual(answers, [
        [200, "1"],
        [400, EMPTY],
      ]);
      await observer.sees("transport error");
      await session.gone();
    });

    test("ends at a second POST while the first is on its way", async () => {
      const session = await (await Polling.open(server.port)).connect();
      const first = net.connect(server.port, "127.0.0.1");
      const over = untilClosed(first);
      first.write(`POST ${session.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\nExpect: 100-continue\r\n\r\n`);
      await once(first, "data"); // 100: the first has begun
      assert.deepEqual(pick(await session.post('42["message",2]')), [400, EMPTY]);
      await observer.sees("transport error");
      first.destroy();
      await over;
      await session.gone();
    });

    test("ends when a poll is aborted", async () => {
      const session = await (await Polling.open(server.port)).connect();
      const poll = net.connect(server.port, "127.0.0.1");
      poll.write(`GET ${session.path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      // A second request over the same connection shows that the first was read: it is not answered before the first.
      await session.send('42["join","den"]');
      poll.destroy();
      await observer.sees("transport error");
      await session.gone();
    });

    test("ends when a body is cut short, and nothing of it is handled", async () => {
      const broadcasts = observer.listen();
      const session = await (await Polling.open(server.port)).connect();
      const post = net.connect(server.port, "127.0.0.1");
      const packet = '42["broadcast","half"]';
      post.write(`POST ${session.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n`);
      await once(post, "data");
      post.end(packet + "\x1e");
      await observer.sees("transport error");
      post.destroy();
      await session.gone();
      assert.deepEqual(await broadcasts.done(), []);
    });

    test("ends when the client posts a close, and its poll gets a noop", async () => {
      const session = await (await Polling.open(server.port)).connect();
      const poll = session.get();
      await session.send('42["join","den"]'); // the poll was sent before this
      await session.send("1");
      assert.deepEqual(pick(await poll), [200, "6"]);
      await observer.sees("transport close");
      await session.gone();
    });

    test("hands over what waits in one body, in order", async () => {
      const session = await (await Polling.open(server.port)).connect();
      await session.send('42["message",1]', '42["message","two"]', '42["message",{"three":3}]');
      const { body } = await session.get();
      assert.equal(body, '42["message-back",1]\x1e42["message-back","two"]\x1e42["message-back",{"three":3}]');
    });

    test("carries binary as base64", async () => {
      const session = await (await Polling.open(server.port)).connect();
      await session.send('451-["message",{"_placeholder":true,"num":0}]', "bAQIDBA==");
      const { body } = await session.get();
      assert.equal(body, '451-["message-back",{"_placeholder":true,"num":0}]\x1ebAQIDBA==');
    });
  });

  describe("CORS", () => {
    test("a preflight gets 204 with the headers", async () => {
      const { status, headers, body } = await send("OPTIONS", PATH, {
        headers: {
          origin: "http://a.example",
          "access-control-request-method": "POST",
          "access-control-request-headers": "x-token",
        },
      });
      assert.deepEqual([status, body], [204, EMPTY]);
      assert.equal(headers["access-control-allow-origin"], "*");
      assert.equal(headers["access-control-allow-methods"], "GET,HEAD,PUT,PATCH,POST,DELETE");
      assert.equal(headers["access-control-allow-headers"], "x-token");
      assert.equal(headers["access-control-allow-credentials"], undefined);
    });

    test("answers and refusals carry the origin", async () => {
      const headers = { origin: "http://a.example" };
      for (const path of [PATH, `${PATH}&sid=unknown`]) {
        const answer = await send("GET", path, { headers });
        assert.equal(answer.headers["access-control-allow-origin"], "*");
        assert.equal(answer.headers["access-control-allow-credentials"], undefined);
      }
    });
  });

  describe("the bounds of HTTP", () => {
    test("a head over 16 KiB gets 431 and the connection is closed", async () => {
      const answer = await exchange(
        server.port,
        `GET ${PATH} HTTP/1.1\r\nHost: x\r\nX-Long: ${"x".repeat(20_000)}\r\n\r\n`,
      );
      assert.match(answer, /^HTTP\/1\.1 431 /);
    });

    test("a target over 16 KiB is refused and the connection is closed", async () => {
      const answer = await exchange(server.port, `GET ${PATH}&x=${"x".repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 4(31|14) /);
    });

    test("more than a hundred headers get 431", oursOnly, async () => {
      const headers = Array.from({ length: 101 }, (_, i) => `X-${i}: ${i}\r\n`).join("");
      const answer = await exchange(server.port, `GET ${PATH} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`);
      assert.match(answer, /^HTTP\/1\.1 431 /);
    });

    test("a request without a Host is refused", async () => {
      const answer = await exchange(server.port, `GET ${PATH} HTTP/1.1\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 /);
    });

    const malformed = {
      "no HTTP at all": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
      "a bad version": `GET ${PATH} HTTP/9.9\r\nHost: x\r\n\r\n`,
      "a bad header": `GET ${PATH} HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n`,
      "differing lengths": `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1`,
      "a length that is no number": `POST ${PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n1`,
    };
    for (const [name, bytes] of Object.entries(malformed)) {
      test(`${name} is refused and the connection is closed`, async () => {
        const answer = await exchange(server.port, Buffer.from(bytes, "latin1"));
        assert.match(answer, /^(HTTP\/1\.1 (400|505) |$)/);
      });
    }

    test("a bad chunk size ends the request and is not handled", async () => {
      const broadcasts = observer.listen();
      const session = await (await Polling.open(server.port)).connect();
      const head = `POST ${session.path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`;
      await exchange(server.port, `${head}13\r\n42["broadcast",123]\r\nzz\r\n`);
      assert.deepEqual(await broadcasts.done(), []);
    });

    test("a connection that is reset in the middle harms nobody", async () => {
      const bytes = `GET ${PATH} HTTP/1.1\r\nHost: x\r\n\r\n`;
      for (let cut = 1; cut <= bytes.length; cut += 7) {
        const socket = net.connect(server.port, "127.0.0.1");
        await once(socket, "connect");
        socket.write(bytes.slice(0, cut), () => socket.resetAndDestroy());
        await once(socket, "close");
      }
    });

    test("requests in a pipeline are answered in order", async () => {
      const get = (path, more = "") => `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
      const answer = await exchange(
        server.port,
        get(`${PATH}&sid=unknown`) + get("/socket.io/?EIO=4", "Connection: close\r\n"),
      );
      assert.deepEqual(answer.match(/"code":\d/g), ['"code":1', '"code":0']);
    });
  });
});

function pick({ status, body }) {
  return [status, body];
}
