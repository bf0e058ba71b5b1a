/* The library says who it is, and names its statuses. */
#include "check.h"

int main(void)
{
  char expected[32];
  snprintf(expected, sizeof expected, "%d.%d.%d", SIO_VERSION_MAJOR, SIO_VERSION_MINOR, SIO_VERSION_PATCH);
  check(strcmp(sio_version(), expected) == 0);
  check(sio_version_number() == SIO_VERSION_MAJOR * 1000000 + SIO_VERSION_MINOR * 1000 + SIO_VERSION_PATCH);
  check_ok(sio_abi_check(SIO_ABI_VERSION));
  check_status(sio_abi_check(SIO_ABI_VERSION + 1), SIO_ERR_ABI);
  check(sio_last_error_message().len > 0);

  check(strcmp(sio_status_name(SIO_OK), "SIO_OK") == 0);
  check(strcmp(sio_status_name(SIO_ERR_WOULD_DEADLOCK), "SIO_ERR_WOULD_DEADLOCK") == 0);
  check(strcmp(sio_status_name(12345), "unknown status") == 0);
  return 0;
}
