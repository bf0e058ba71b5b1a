/*
 * The chat's server, whose callbacks run on a thread of the library. chat/server.h says what the chat is.
 *
 *   chat_server [PORT [PAGE]]
 *
 * PORT is 3000 by default; 0 is any that is free. PAGE is the file that browsers get. Ctrl-C ends it.
 */
#include "chat/must.h"
#include "chat/server.h"

#include <pthread.h>
#include <signal.h>

int main(int argc, char **argv)
{
  sio_server *server = NULL;
  chat *chat;
  sigset_t end;
  int number;

  /* Blocked in every thread, and waited for below. */
  sigemptyset(&end);
  sigaddset(&end, SIGINT);
  sigaddset(&end, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end, NULL);

  must(sio_server_new(NULL, NULL, &server), "server");
  chat = chat_new(server, argc > 2 ? argv[2] : NULL);
  chat_listen(server, argc > 1 ? argv[1] : "3000");

  sigwait(&end, &number);
  must(sio_server_close_wait(server, 10000), "close");
  sio_server_release(server);
  chat_free(chat);
  return 0;
}
