/* A payload and a value that are never given back, though nothing holds them any more.
 *
 * asan: LeakSanitizer: detected memory leaks
 * asan: in sio_payload_new
 * asan: in sio_value_new_text
 * valgrind: definitely lost
 * valgrind: by 0x.*: sio_payload_new
 * valgrind: by 0x.*: sio_value_new_text
 */
#include "check.h"

static void forget(void)
{
  sio_payload *payload = sio_payload_new();
  sio_value *value = sio_value_new_text(SIO_STR("nobody remembers this"));
  check(payload != NULL && value != NULL);
}

int main(void)
{
  forget();
  return 0;
}
