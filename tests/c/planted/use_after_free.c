/* A socket's namespace is used after its last reference was given back: the library itself reads what is freed.
 *
 * asan: AddressSanitizer: heap-use-after-free
 * asan: in sio_value_count
 * asan: in sio_value_free
 * valgrind: Invalid read of size
 * valgrind: by 0x.*: sio_value_count
 * valgrind: by 0x.*: sio_value_free
 */
#include "check.h"

int main(void)
{
  sio_value *array = sio_value_new_array();
  sio_value_free(array);
  return sio_value_count(array) == 0 ? 0 : 1;
}
