/* Where the operating system gives no more threads, a runtime is an error and leaves nothing behind. */
#include "loopback.h"
#include "memory.h"

#include <sys/resource.h>

static int destroyed;

static void destroy(void *user_data)
{
  count(user_data);
}

static void on_thread(void *user_data)
{
  (void)user_data;
}

/* Room for the stacks of a few threads and not of a thousand. */
static void limit_address_space(void)
{
  struct rlimit limit;
  unsigned long pages = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  check(statm && fscanf(statm, "%lu", &pages) == 1);
  fclose(statm);
  limit.rlim_cur = limit.rlim_max = pages * (rlim_t)sysconf(_SC_PAGESIZE) + 256 * 1024 * 1024;
  check(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void fails(uint32_t workers, uint32_t dispatchers)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *runtime = NULL;
  check_ok(sio_runtime_options_set_worker_threads(options, workers));
  check_ok(sio_runtime_options_set_dispatch_threads(options, dispatchers));
  check_ok(sio_runtime_options_set_thread_hooks(options, on_thread, on_thread, &destroyed, destroy));
  check_status(sio_runtime_new(options, &runtime), SIO_ERR_IO);
  check(runtime == NULL);
  sio_runtime_options_free(options);
}

int main(void)
{
  sio_server *server;
  if (is_checked()) {
    /* A checker maps far more than any limit. */
    return 0;
  }
  limit_address_space();
  fails(1000, 1);
  check_reaches(&destroyed, 1);
  fails(1, 1000);
  check_reaches(&destroyed, 2);

  /* The process goes on. */
  server = start_server(NULL);
  end_server(server);
  return 0;
}
