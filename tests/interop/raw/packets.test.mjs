// Packets of both layers, right and wrong, over a WebSocket and over polling.
import assert from "node:assert/strict";
import { useObserver } from "../lib/observer.mjs";
import { Polling, WebSocket } from "../lib/raw.mjs";
import { oursOnly, useServer } from "../lib/server.mjs";
import { describe, test } from "../lib/test.mjs";

const nested = (depth) => "[".repeat(depth) + "]".repeat(depth);

/** The reason of what is well-formed but out of place: polling sessions that nobody polls at the time have a word of their own. */
const OUT_OF_PLACE = { websocket: "forced close", polling: "forced server close" };

/** Each ends the whole connection; the socket's reason stands beside it. */
const WRONG = [
  // Engine.IO
  ["an unknown Engine.IO packet", ["7"], "parse error"],
  ["no digit at all", ["hello"], "parse error"],
  // Socket.IO
  ["an unknown packet", ["49"], "forced close"],
  ["an empty message", ["4"], "forced close"],
  ["broken JSON", ['42["x"'], "forced close"],
  ["JSON with more behind it", ['42["x"]]'], "forced close"],
  ["an object for an event", ['42{"a":1}'], "forced close"],
  ["an event without a name", ["42[]"], "forced close"],
  ["an event named by null", ["42[null]"], "forced close"],
  ["an event named by an object", ["42[{}]"], "forced close"],
  ["a reserved event: connect", ['42["connect"]'], "forced close"],
  ["a reserved event: connect_error", ['42["connect_error"]'], "forced close"],
  ["a reserved event: disconnect", ['42["disconnect"]'], "forced close"],
  ["a reserved event: disconnecting", ['42["disconnecting"]'], "forced close"],
  ["a reserved event: newListener", ['42["newListener"]'], "forced close"],
  ["a reserved event: removeListener", ['42["removeListener"]'], "forced close"],
  ["an ack that is no array", ["430{}"], "forced close"],
  ["an ack id that is no integer", ['421.5["x"]'], "forced close"],
  ["a disconnect with data", ["41{}"], "forced close"],
  ["a connect with an array", ["40/custom,[]"], "forced close"],
  ["a connect with a text", ['40/custom,"x"'], "forced close"],
  ["a second connect", ["40"], OUT_OF_PLACE],
  ["an event for a namespace that was not joined", ['42/custom,["message",1]'], OUT_OF_PLACE],
  ["an event for an unknown namespace", ['42/nope,["message",1]'], OUT_OF_PLACE],
  ["a connect error by the client", ['44{"message":"x"}'], OUT_OF_PLACE],
  [
    "text while attachments are awaited",
    ['451-["message",{"_placeholder":true,"num":0}]', '42["message"]'],
    "forced close",
  ],
  ["binary that nobody awaits", [Buffer.from([1])], "forced close"],
  ["no count of attachments", ['45["message"]'], "forced close"],
  ["a count that is no number", ['45x-["message"]'], "forced close"],
  ["no attachments in a binary event", ['450-["message"]'], "forced close"],
  ["more attachments than the bound", ['4511-["message"]'], "forced close"],
  ["a huge count of attachments", ['4599999999999999999999-["message"]'], "forced close"],
  ["a placeholder out of range", ['451-["message",{"_placeholder":true,"num":1}]', Buffer.from([1])], "forced close"],
  ["a negative placeholder", ['451-["message",{"_placeholder":true,"num":-1}]', Buffer.from([1])], "forced close"],
  [
    "a placeholder that is a text",
    ['451-["message",{"_placeholder":true,"num":"0"}]', Buffer.from([1])],
    "forced close",
  ],
];

/** What the official server lets pass, and the bounds that it lacks. */
const WRONG_OURS = [
  ["no JSON", ["42"], "forced close"],
  [
    "a placeholder that is no integer",
    ['451-["message",{"_placeholder":true,"num":0.5}]', Buffer.from([1])],
    "forced close",
  ],
  ["nesting over the bound", [`42["message",${nested(128)}]`], "forced close"],
  ["more arguments than the bound", [`42["message"${",0".repeat(65_537)}]`], "forced close"],
  ["an ack id over 64 bits", ['42118446744073709551616["echo"]'], "forced close"],
];

const RIGHT = [
  ["an ack id of 0", ['420["echo",1]'], "430[1]"],
  ["a large ack id", ['42123456789["echo",1]'], "43123456789[1]"],
  ["an ack that nobody awaits", ['4399["x"]', '421["echo"]'], "431[]"],
  ["an event that nobody handles", ['42["unheard of",{"a":1}]', '421["echo"]'], "431[]"],
  ["an event named by a number", ["42[7,1]", '421["echo"]'], "431[]"],
  ["an event called error", ['42["error","x"]', '421["echo"]'], "431[]"],
  ["blanks in the JSON", ['421[ "echo" , 1 ]'], "431[1]"], // which ours forwards as they came
  ["an escaped event name", ['421["\\u0065cho",1]'], "431[1]"],
  ["an attachment that no placeholder names", ['451-["unheard of"]', Buffer.from([1]), '421["echo"]'], "431[]"],
  [
    "a namespace name over the bound",
    [`40/${"n".repeat(256)},`],
    `44/${"n".repeat(256)},{"message":"Invalidnamespace"}`,
  ],
  ["a room of an odd name", ['421["join","__proto__"]', '422["leave","constructor"]'], "431[]"],
  ["a leave of a room never joined", ['421["leave","never"]'], "431[]"],
];

const TRANSPORTS = {
  websocket: async (port) => {
    const socket = await WebSocket.connect(port);
    return {
      send: (packets) =>
        packets.forEach((packet) => (Buffer.isBuffer(packet) ? socket.sendBinary(packet) : socket.send(packet))),
      receive: () => socket.receive(),
      ended: () => socket.closed,
      leave: () => socket.leave(),
    };
  },
  polling: async (port) => {
    const session = await (await Polling.open(port)).connect();
    return {
      send: (packets) =>
        session.post(
          packets.map((packet) => (Buffer.isBuffer(packet) ? `b${packet.toString("base64")}` : packet)).join("\x1e"),
        ),
      receive: () => session.receive(),
      ended: () => session.gone(),
      leave: () => session.send("1"),
    };
  },
};

for (const [transport, open] of Object.entries(TRANSPORTS)) {
  describe(`packets over ${transport}`, () => {
    const server = useServer();
    const observer = useObserver(server);

    for (const [cases, options] of [
      [WRONG, {}],
      [WRONG_OURS, oursOnly],
    ]) {
      for (const [name, packets, reason] of cases) {
        const expected = reason[transport] ?? reason;
        test(`${name}: ${expected}, and nobody else is harmed`, options, async () => {
          const peer = await open(server.port);
          await peer.send(packets);
          await peer.ended();
          await observer.sees(expected);
        });
      }
    }

    for (const [name, packets, answer] of RIGHT) {
      test(`${name} is fine`, async () => {
        const peer = await open(server.port);
        await peer.send(packets);
        assert.equal((await peer.receive()).replaceAll(" ", ""), answer);
        await peer.leave();
      });
    }

    test("a disconnect leaves one namespace, with or without a comma", async () => {
      const peer = await open(server.port);
      for (const leave of ["41/custom,", "41/custom"]) {
        await peer.send(['40/custom,{"token":1}']);
        assert.match(await peer.receive(), /^40\/custom,\{"sid":"[\w-]{20}"\}$/);
        assert.equal(await peer.receive(), '42/custom,["auth",{"token":1}]');
        await peer.send([leave, '421["echo"]']);
        assert.equal(await peer.receive(), "431[]");
      }
      await peer.leave();
    });

    test("an unknown namespace is refused by name, also with a query", async () => {
      const peer = await open(server.port);
      await peer.send(["40/nope,"]);
      assert.equal(await peer.receive(), '44/nope,{"message":"Invalid namespace"}');
      await peer.send(["40/?x=1,"]);
      assert.equal(await peer.receive(), '44/?x=1,{"message":"Invalid namespace"}');
      await peer.leave();
    });

    test("a namespace name over the bound is refused", oursOnly, async () => {
      const peer = await open(server.port);
      await peer.send([`40/${"n".repeat(256)},`]);
      assert.match(await peer.receive(), /^44/);
      await peer.leave();
    });

    test("what comes behind a bad packet is not handled", async () => {
      const peer = await open(server.port);
      const broadcasts = observer.listen();
      await peer.send(["7", '42["broadcast","behind"]']);
      await observer.sees("parse error");
      assert.deepEqual(await broadcasts.done(), []);
    });
  });
}

describe("before a namespace is joined", () => {
  const server = useServer();

  for (const [name, packet] of [
    ["an event", '42["message"]'],
    ["an ack", "430[]"],
    ["a disconnect", "41"],
    ["binary", Buffer.from([1])],
  ]) {
    test(`${name} ends the connection`, async () => {
      const socket = await WebSocket.open(server.port);
      await socket.receive();
      if (Buffer.isBuffer(packet)) socket.sendBinary(packet);
      else socket.send(packet);
      await socket.closeCode();
      await socket.closed;
    });
  }
});
