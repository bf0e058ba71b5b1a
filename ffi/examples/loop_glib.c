/*
 * A member of the chat on a GLib main loop, as of a program with GTK: callbacks run on the thread of the loop.
 *
 *   loop_glib URL ROOM NAME [--members COUNT] [--expect COUNT]
 *
 * chat/member.h says what it does. The queue is a GSource here, which the queue's wake function makes ready from whatever
 * thread it is called on. g_unix_fd_add with the queue's descriptor would do as well.
 */
#include "chat/member.h"
#include "chat/must.h"

#include <glib.h>

/* Callbacks in a row before the loop sees to its other sources. */
enum { MOST_AT_ONCE = 1000 };

/* ---- a queue as a source ---------------------------------------------------------------------------------------- */

struct queue_source {
  GSource source;
  sio_queue *queue;
};

enum { READY = 0, NOT_READY = -1 };

/* Any thread. It wakes the loop if that sleeps. */
static void make_ready(void *source)
{
  g_source_set_ready_time(source, READY);
}

static void unref_source(void *source)
{
  g_source_unref(source);
}

/* What is left behind, or comes meanwhile, makes it ready again. */
static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer user_data)
{
  sio_queue *queue = ((struct queue_source *)source)->queue;
  (void)callback;
  (void)user_data;
  g_source_set_ready_time(source, NOT_READY);
  must(sio_queue_dispatch(queue, MOST_AT_ONCE, NULL), "dispatch");
  return G_SOURCE_CONTINUE;
}

/* A source that holds a queue, which holds the source for as long as it may wake it: close_queue ends that. */
static struct queue_source *open_queue(void)
{
  static GSourceFuncs functions = {.dispatch = dispatch};
  GSource *source = g_source_new(&functions, sizeof(struct queue_source));
  struct queue_source *queue_source = (struct queue_source *)source;
  must(sio_queue_new(NULL, make_ready, g_source_ref(source), unref_source, &queue_source->queue), "queue");
  g_source_attach(source, NULL);
  return queue_source;
}

static void close_queue(struct queue_source *queue_source)
{
  sio_queue_release(queue_source->queue);
  g_source_destroy(&queue_source->source);
  g_source_unref(&queue_source->source);
}

/* ---- the member ------------------------------------------------------------------------------------------------- */

struct app {
  GMainLoop *loop;
  sio_manager *manager;
  guint patience;
};

/* The manager's last callback. */
static void on_left(int32_t status, const sio_error *error, void *user_data)
{
  struct app *app = user_data;
  (void)error;
  must(status, "close");
  g_main_loop_quit(app->loop);
}

static void leave(struct app *app)
{
  if (app->patience) {
    g_source_remove(app->patience);
    app->patience = 0;
    must(sio_manager_close(app->manager, on_left, app, NULL), "close");
  }
}

static void on_finished(void *user_data)
{
  leave(user_data);
}

static gboolean on_patience_ended(gpointer user_data)
{
  leave(user_data);
  return G_SOURCE_REMOVE;
}

int main(int argc, char **argv)
{
  struct app app;
  chat_member *member = chat_member_new(argc, argv, on_finished, &app);
  struct queue_source *queue_source = open_queue();
  bool good;

  app.loop = g_main_loop_new(NULL, FALSE);
  app.patience = g_timeout_add_seconds(CHAT_PATIENCE_S, on_patience_ended, &app);
  app.manager = chat_member_manager(member, queue_source->queue);
  chat_member_join(member, app.manager);
  g_main_loop_run(app.loop);

  good = chat_member_free(member);
  sio_manager_release(app.manager);
  close_queue(queue_source);
  g_main_loop_unref(app.loop);
  return good ? 0 : 1;
}
