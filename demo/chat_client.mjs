// The member of the chat of ffi/examples/chat_client.c, with the official client.
//
//   node chat_client.mjs URL ROOM NAME [--members COUNT]
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { CAPTION, FACE } from "./face.mjs";

const { io } = createRequire(new URL("../tests/interop/package.json", import.meta.url))("socket.io-client");

const PATIENCE_MS = 60_000;
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { members: { type: "string", default: "2" } },
});
const [url, room, name] = positionals;
const members = Number(values.members);
const tell = (text) => console.log(`[${name}] ${text}`);

const socket = io(url);
const done = { spoken: false, acknowledged: false, seen: 0 };

function speak(present) {
  if (done.spoken || present < members) return;
  done.spoken = true;
  say(`hello, I am ${name}`);
  tell("sends a picture");
  socket.emit("picture", CAPTION, FACE);
  say("did this arrive?", (answer) => {
    tell(`the server has acknowledged: ${answer}`);
    done.acknowledged = true;
    leaveWhenDone();
  });
}

function say(text, ...ack) {
  tell(`says: ${text}`);
  socket.emit("message", text, ...ack);
}

function see(text) {
  tell(text);
  done.seen += 1;
  leaveWhenDone();
}

function leaveWhenDone() {
  if (!done.acknowledged || done.seen < 3 * (members - 1)) return;
  tell("has seen everything and leaves");
  clearTimeout(patience);
  socket.disconnect();
}

socket.on("connect", () => {
  tell(`joins ${room}`);
  socket.emit("join", room, name, speak);
});
socket.on("joined", (who, present) => {
  tell(`${who} has joined`);
  speak(present);
});
socket.on("left", (who) => tell(`${who} has left`));
socket.on("message", (who, text) => see(`${who}: ${text}`));
socket.on("picture", (who, caption, bytes) =>
  see(`${who} sent ${FACE.equals(bytes) ? "the face" : "a picture"}: ${caption}`),
);
socket.on("connect_error", (error) => tell(`cannot connect: ${error.message}`));

const patience = setTimeout(() => {
  tell("gives up");
  process.exit(1);
}, PATIENCE_MS);
