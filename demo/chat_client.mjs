// A member of the chat with the official client.
//
//   node chat_client.mjs URL ROOM NAME [--members COUNT]
import { createRequire } from "node:module";
import { takePart } from "../bindings/node/examples/chat/member.mjs";

const { io } = createRequire(new URL("../tests/interop/package.json", import.meta.url))("socket.io-client");

takePart(io, process.argv.slice(2));
