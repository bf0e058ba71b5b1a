// What packages say differently though they mean the same, and what some of them cannot do.

/** By server. */
export const SERVERS = {
  official: {
    reasons: {
      kicked: "server namespace disconnect",
      left: "client namespace disconnect",
      closed: ["transport close", "transport error"],
    },
    /** The data of the refusal; a text has no `message`. */
    unknownNamespace: { message: "Invalid namespace" },
    /** Whether it answers the last poll of a client that leaves. */
    mindsPolls: true,
    /** How long a message may be when payloads may be `max` bytes. */
    longestMessage: (max) => max,
  },
  "python-socketio": {
    reasons: { kicked: "server disconnect", left: "client disconnect", closed: ["transport close", "transport error"] },
    unknownNamespace: "Unable to connect",
    mindsPolls: false,
    longestMessage: (max, isPolling) => (isPolling ? max : max - 1),
  },
};

/** By client. */
export const CLIENTS = {
  official: {
    reasons: { kicked: "io server disconnect", left: "io client disconnect" },
    /** What `connect_error` tells of the data of a refusal. */
    refusal: (data) => data.message ?? "",
    /** Whether sockets come and go one by one on an open connection. */
    separateSockets: true,
    /** What becomes of a question that is asked while the connection is down. */
    askedWhileDown: "SIO_OK",
    /** Whether it tells how many attempts a reconnection took. */
    countsAttempts: true,
    /** Whether it posts no more at once than the server takes, and ends when the server does not take what it posts. */
    mindsRefusedPosts: true,
    /** Whether it ends though its last poll is not answered. */
    abandonsPolls: false,
  },
};
CLIENTS["python-socketio"] = {
  reasons: { kicked: "server disconnect", left: "client disconnect" },
  refusal: (data) => data.message ?? data,
  separateSockets: false,
  askedWhileDown: "SIO_ERR_NOT_CONNECTED",
  countsAttempts: false,
  mindsRefusedPosts: false,
  abandonsPolls: false,
};
CLIENTS.ours = { ...CLIENTS.official, refusal: (data) => data.message ?? data, abandonsPolls: true };
CLIENTS["ours in Python"] = { ...CLIENTS["python-socketio"], mindsRefusedPosts: true, abandonsPolls: true };
