/* Leaks are looked for in the program itself, and not in children that it forks: what the other threads of their parent
 * held, nobody holds there any more. */
#ifndef LEAKS_H
#define LEAKS_H

#if defined __SANITIZE_ADDRESS__ || defined UNDER_VALGRIND
#include <unistd.h>

static pid_t program_;

__attribute__((constructor)) static void begin_(void)
{
  program_ = getpid();
}
#endif

#ifdef __SANITIZE_ADDRESS__
/* LeakSanitizer asks this before it looks. */
int __lsan_is_turned_off(void)
{
  return getpid() != program_;
}
#endif

#ifdef UNDER_VALGRIND
#include <valgrind/valgrind.h>

/* It runs with --leak-check=no until here. */
__attribute__((destructor)) static void end_(void)
{
  if (getpid() == program_) {
    VALGRIND_CLO_CHANGE("--leak-check=full");
  }
}
#endif

#endif
