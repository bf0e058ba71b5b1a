/* What callbacks tell the main thread: counters that it waits for. */
#ifndef WAIT_H
#define WAIT_H

#include "check.h"

#include <pthread.h>
#include <time.h>

/* How long callbacks are waited for. */
#ifndef PATIENCE_S
#define PATIENCE_S 20
#endif

static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wait_changed = PTHREAD_COND_INITIALIZER;

/* Adds one to a counter. */
static inline void count(int *counter)
{
  pthread_mutex_lock(&wait_lock);
  ++*counter;
  pthread_cond_broadcast(&wait_changed);
  pthread_mutex_unlock(&wait_lock);
}

static inline int counted(int *counter)
{
  int value;
  pthread_mutex_lock(&wait_lock);
  value = *counter;
  pthread_mutex_unlock(&wait_lock);
  return value;
}

/* Whether a counter gets to `value` while there is patience. */
static inline bool reaches(int *counter, int value)
{
  struct timespec end;
  int timed_out = 0;
  bool reached;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += PATIENCE_S;
  pthread_mutex_lock(&wait_lock);
  while (*counter < value && !timed_out) {
    timed_out = pthread_cond_timedwait(&wait_changed, &wait_lock, &end);
  }
  reached = *counter == value;
  pthread_mutex_unlock(&wait_lock);
  return reached;
}

#define check_reaches(counter, value) check(reaches(counter, value))

#endif
