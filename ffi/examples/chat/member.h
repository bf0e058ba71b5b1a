/*
 * A member of the chat of server.h.
 *
 *   PROGRAM URL ROOM NAME [--members COUNT] [--expect COUNT]
 *
 * It joins ROOM, waits until COUNT members are there (2 by default), says something, sends a picture, and says something
 * that the server acknowledges. It has finished when it has seen as many messages and pictures of others as are expected (3
 * of each other member by default).
 *
 * Nothing here is locked: its callbacks never overlap, and what is said to be so is called where they run.
 */
#ifndef CHAT_MEMBER_H
#define CHAT_MEMBER_H

#include <socketio.h>

/* How long a member waits for the others before it gives up. */
enum { CHAT_PATIENCE_S = 60 };

typedef struct chat_member chat_member;

/* Called once, where the callbacks run: the member has seen everything, or failed. */
typedef void (*chat_finished_fn)(void *user_data);

/* Who the command line says; `finished` is told when there is no more to wait for. Ends the program if that is no command
 * line. */
chat_member *chat_member_new(int argc, char **argv, chat_finished_fn finished, void *user_data);

/* A manager for the URL, with callbacks where `queue` is dispatched, or on a thread of the library if it is NULL. */
sio_manager *chat_member_manager(const chat_member *member, sio_queue *queue);

/* Connects with `manager`, and joins the room. */
void chat_member_join(chat_member *member, sio_manager *manager);

/* Whether the others listen. Where the callbacks run. */
bool chat_member_has_spoken(const chat_member *member);

/* Says something more. Where the callbacks run. */
void chat_member_say(chat_member *member, const char *text);

/* Frees the member, after the end of its manager. Returns whether it has seen everything. */
bool chat_member_free(chat_member *member);

#endif
