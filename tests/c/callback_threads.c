/* No callback comes on a surprising thread: each runs on a dispatch thread of the runtime that it belongs to, or, where
 * the header says so, on the thread that makes the call. */
#include "kinds.h"

#include <sys/prctl.h>

static pthread_t main_thread;

static void inside(enum kind kind)
{
  char name[16] = "";
  check(prctl(PR_GET_NAME, name, 0, 0, 0) == 0);
  if (kind == LOG) {
    check(strcmp(name, "sio-dispatch-0") == 0); /* lines are the process's: the default runtime delivers them */
  } else if (on_own_thread(kind)) {
    check(strcmp(name, "mine-dispatch-0") == 0);
  } else {
    check(pthread_equal(pthread_self(), main_thread));
  }
}

int main(void)
{
  sio_runtime_options *options = sio_runtime_options_new();
  sio_runtime *runtime = NULL;
  main_thread = pthread_self();
  check_ok(sio_runtime_options_set_thread_name_prefix(options, SIO_STR("mine")));
  check_ok(sio_runtime_new(options, &runtime));
  sio_runtime_options_free(options);
  let_everything_happen(runtime);
  end_runtime();
  return 0;
}
