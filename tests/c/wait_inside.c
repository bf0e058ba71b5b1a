/* A callback that waits for callbacks would wait for itself: it is told so at once, and everything goes on. */
#include "kinds.h"

static void inside(enum kind kind)
{
  if (!on_own_thread(kind)) {
    return;
  }
  if (world.server) {
    check_status(sio_server_close_wait(world.server, SIO_FOREVER), SIO_ERR_WOULD_DEADLOCK);
  }
  if (world.manager) {
    check_status(sio_manager_close_wait(world.manager, SIO_FOREVER), SIO_ERR_WOULD_DEADLOCK);
  }
  check_status(sio_runtime_shutdown_wait(world.runtime, SIO_FOREVER), SIO_ERR_WOULD_DEADLOCK);
  check_status(sio_runtime_shutdown_wait(sio_runtime_get_default(), SIO_FOREVER), SIO_ERR_WOULD_DEADLOCK);
  check(sio_last_error_message().len > 0);
}

int main(void)
{
  sio_runtime *runtime = NULL;
  check_ok(sio_runtime_new(NULL, &runtime));
  let_everything_happen(runtime);
  end_runtime();
  return 0;
}
