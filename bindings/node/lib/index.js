"use strict";
// The server, as `socket.io` exports it.

const { Namespace } = require("./namespace.js");
const { Server } = require("./server.js");
const { Socket } = require("./socket.js");

module.exports = (port, options) => new Server(port, options);
module.exports.Server = Server;
module.exports.Namespace = Namespace;
module.exports.Socket = Socket;
