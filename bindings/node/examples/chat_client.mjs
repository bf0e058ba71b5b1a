// A member of the chat.
//
//   node chat_client.mjs URL ROOM NAME [--members COUNT]
import { io } from "socketio-native/client";
import { takePart } from "./chat/member.mjs";

takePart(io, process.argv.slice(2));
