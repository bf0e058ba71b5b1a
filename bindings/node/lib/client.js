"use strict";
// The client, as `socket.io-client` exports it.

const { lookup } = require("./client/lookup.js");
const { Manager } = require("./client/manager.js");
const { Socket } = require("./client/socket.js");

/** The version of the Socket.IO protocol. */
const protocol = 5;

module.exports = Object.assign(lookup, { Manager, Socket, connect: lookup, default: lookup, io: lookup, protocol });
