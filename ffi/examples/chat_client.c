/*
 * A member of the chat, whose callbacks run on a thread of the library. chat/member.h says what it does.
 *
 *   chat_client URL ROOM NAME [--members COUNT] [--expect COUNT]
 *
 * It ends with 0 when it has seen everything, and with 1 when that takes longer than 20 seconds.
 */
#include "chat/member.h"
#include "chat/must.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>

static void on_finished(void *user_data)
{
  sem_post(user_data);
}

/* Sleeps until the semaphore is posted, or patience ends. */
static void wait_for(sem_t *finished)
{
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += CHAT_PATIENCE_S;
  while (sem_timedwait(finished, &end) != 0 && errno == EINTR) {
  }
}

int main(int argc, char **argv)
{
  sem_t finished;
  chat_member *member = chat_member_new(argc, argv, on_finished, &finished);
  sio_manager *manager = chat_member_manager(member, NULL);
  bool good;

  sem_init(&finished, 0, 0);
  chat_member_join(member, manager);
  wait_for(&finished);
  must(sio_manager_close_wait(manager, 5000), "close");
  good = chat_member_free(member);
  sio_manager_release(manager);
  sem_destroy(&finished);
  return good ? 0 : 1;
}
