// Somebody who is there all the time: what happens to others must not touch them, and the server tells them about it.
import assert from "node:assert/strict";
import { io } from "socket.io-client";
import { ask, connected } from "./client.mjs";
import { WebSocket } from "./raw.mjs";
import { after, afterEach, before, beforeEach } from "./test.mjs";

/** How a socket of ours ends by each reason that a test may start from. */
const ENDINGS = {
  "server namespace disconnect": '42["kick",true]',
  "parse error": "7",
};

/**
 * An observer for all tests of the surrounding `describe`. Each test begins with `reason` as the last one that the
 * server has seen, and ends with the observer well.
 */
export function useObserver(server, reason = "server namespace disconnect") {
  const observer = new Observer();
  before(() => observer.arrive(server));
  beforeEach(async () => {
    const socket = await WebSocket.connect(server.port);
    socket.send(ENDINGS[reason]);
    await observer.sees(reason);
    await socket.closed;
  });
  afterEach(async () => assert.deepEqual(await ask(observer.socket, "echo", "well"), ["well"]));
  after(() => observer.socket?.disconnect());
  return observer;
}

class Observer {
  async arrive(server) {
    this.socket = io(server.url, { forceNew: true, reconnection: false, transports: ["websocket"] });
    await connected(this.socket);
  }

  /** Asks until the last reason that the server saw is one of `reasons`: it may be on its way when the first answer comes. */
  async sees(...reasons) {
    const deadline = Date.now() + 5000;
    for (;;) {
      const [seen] = await ask(this.socket, "last-reason");
      if (reasons.includes(seen)) return;
      assert.ok(Date.now() < deadline, `the last reason is ${seen}, not ${reasons.join(" or ")}`);
    }
  }

  /** Everything that is broadcast until `done` is called, which waits for what is under way. */
  listen() {
    const heard = [];
    const listener = (...args) => heard.push(args);
    this.socket.on("broadcast", listener);
    return {
      done: async () => {
        await ask(this.socket, "echo"); // behind whatever was broadcast before
        this.socket.off("broadcast", listener);
        return heard;
      },
    };
  }
}
