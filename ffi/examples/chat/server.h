/*
 * The server's half of a chat: rooms, messages, acknowledged messages and small pictures.
 *
 *   from a client                         what the server does
 *   join ROOM NAME         -> ack COUNT   to the others in the room: joined NAME COUNT
 *   message TEXT           -> ack "sent"  to the others in the room: message NAME TEXT
 *   picture CAPTION BYTES  -> ack "sent"  to the others in the room: picture NAME CAPTION BYTES
 *   it goes away                          to the others in the room: left NAME COUNT
 *
 * COUNT is how many are in the room. Nothing here is locked: no two callbacks of the server may run at once. They do not on
 * the library's one dispatch thread, which is the default, and not on a queue.
 */
#ifndef CHAT_SERVER_H
#define CHAT_SERVER_H

#include <socketio.h>

typedef struct chat chat;

/* A chat in the namespace "/" of `server`. Browsers get the file `page`, which may be NULL. */
chat *chat_new(sio_server *server, const char *page);

/* Listens on `port` of 127.0.0.1 and prints the URL. Port "0" is any that is free. */
void chat_listen(sio_server *server, const char *port);

/* How many are in any room. Where the callbacks run. */
size_t chat_members(const chat *chat);

/* Frees the chat, after the end of its server. */
void chat_free(chat *chat);

#endif
