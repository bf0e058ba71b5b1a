/*
 * A member of the chat in a program that ticks, as games do: 60 times a second it runs the callbacks that wait, at most so
 * many that the frame is not late, and then whatever a frame is about. It never waits for the network.
 *
 *   loop_tick URL ROOM NAME [--members COUNT] [--expect COUNT]
 *
 * chat/member.h says what it does.
 */
#include "chat/member.h"
#include "chat/must.h"

#include <time.h>

enum { TICKS_PER_S = 60, CALLBACKS_PER_TICK = 64, NANOS_PER_S = 1000000000 };

struct game {
  sio_manager *manager;
  bool leaving;
  bool over;
  int ticks;
};

/* ---- the end ---------------------------------------------------------------------------------------------------- */

/* The manager's last callback. */
static void on_left(int32_t status, const sio_error *error, void *user_data)
{
  struct game *game = user_data;
  (void)error;
  must(status, "close");
  game->over = true;
}

static void leave(struct game *game)
{
  if (!game->leaving) {
    game->leaving = true;
    must(sio_manager_close(game->manager, on_left, game, NULL), "close");
  }
}

static void on_finished(void *user_data)
{
  leave(user_data);
}

/* ---- the game --------------------------------------------------------------------------------------------------- */

/* Input, physics and drawing of a real one are here. */
static void play(struct game *game)
{
  game->ticks++;
  if (game->ticks == CHAT_PATIENCE_S * TICKS_PER_S) {
    leave(game);
  }
}

static void sleep_until(struct timespec *tick)
{
  tick->tv_nsec += NANOS_PER_S / TICKS_PER_S;
  if (tick->tv_nsec >= NANOS_PER_S) {
    tick->tv_nsec -= NANOS_PER_S;
    tick->tv_sec++;
  }
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, tick, NULL);
}

int main(int argc, char **argv)
{
  struct game game = {0};
  chat_member *member = chat_member_new(argc, argv, on_finished, &game);
  sio_queue *queue = NULL;
  struct timespec tick;
  bool good;

  must(sio_queue_new(NULL, NULL, NULL, NULL, &queue), "queue");
  game.manager = chat_member_manager(member, queue);
  chat_member_join(member, game.manager);
  clock_gettime(CLOCK_MONOTONIC, &tick);
  while (!game.over) {
    /* What is left waits for the next frame. */
    must(sio_queue_dispatch(queue, CALLBACKS_PER_TICK, NULL), "dispatch");
    play(&game);
    sleep_until(&tick);
  }

  good = chat_member_free(member);
  sio_manager_release(game.manager);
  sio_queue_release(queue);
  return good ? 0 : 1;
}
