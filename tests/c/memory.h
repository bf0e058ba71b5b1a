/* What this process has, for tests that ask whether it comes back. */
#ifndef MEMORY_H
#define MEMORY_H

#include "process.h"

/* Whether a tool looks on that keeps memory of its own: then sizes say nothing. */
static inline bool is_checked(void)
{
#if defined __SANITIZE_ADDRESS__ || defined __SANITIZE_THREAD__ || defined UNDER_VALGRIND
  return true;
#else
  return false;
#endif
}

/* Resident memory, in KiB. */
static inline long resident_kib(void)
{
  char line[256];
  long kib = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) {
    sscanf(line, "VmRSS: %ld", &kib);
  }
  if (status) {
    fclose(status);
  }
  return kib;
}

static inline int is_file_(const char *file, const void *argument)
{
  (void)argument;
  return *file != '\0';
}

/* How many descriptors are open, besides the one that counts them; under a tool, which opens files of its own when it
 * likes, only those that the library can have. */
static inline int open_files(void)
{
  return is_checked() ? open_sockets_and_polls() : of_all("/proc/self/fd", is_file_, NULL) - 1;
}

#endif
