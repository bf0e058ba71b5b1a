// A member of the chat: joins a room, says what every member says, and leaves when it has seen what all others said.
// ffi/examples/chat/server.h says what the chat is.
import { parseArgs } from "node:util";
import { CAPTION, FACE } from "./face.mjs";

const PATIENCE_MS = 60_000;

/** Takes part as the command line says: URL ROOM NAME [--members COUNT]. `io` is that of socket.io-client, or ours. */
export function takePart(io, args) {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { members: { type: "string", default: "2" } },
  });
  const [url, room, name] = positionals;
  const members = Number(values.members);
  const socket = io(url);
  const done = { spoken: false, acknowledged: false, seen: 0 };

  const tell = (text) => console.log(`[${name}] ${text}`);

  function say(text, ...ack) {
    tell(`says: ${text}`);
    socket.emit("message", text, ...ack);
  }

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
}
