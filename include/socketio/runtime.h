/* Generated from ffi/src/runtime.rs: change that, not this. */

#ifndef SOCKETIO_RUNTIME_H
#define SOCKETIO_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "status.h"
#include "text.h"

/**
 * No limit, where a time or a number of bytes is wanted.
 */
#define SIO_FOREVER UINT32_MAX

/**
 * The library's threads: those that read and write, and those that call back. Servers and managers keep theirs alive.
 * Programs need none of their own: where a function takes a runtime, NULL is the default one.
 *
 * Methods: sio_runtime_new, sio_runtime_get_default, sio_runtime_shutdown_wait, sio_runtime_retain,
 * sio_runtime_release.
 */
typedef struct sio_runtime sio_runtime;

/**
 * How a runtime is built.
 *
 * Methods: sio_runtime_options_new, sio_runtime_options_set_worker_threads, .._dispatch_threads,
 * .._thread_name_prefix, sio_runtime_options_free.
 */
typedef struct sio_runtime_options sio_runtime_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Options with their defaults.
 *
 * Ownership: returns owned options.
 * Thread: any.
 */
sio_runtime_options *sio_runtime_options_new(void);

/**
 * How many threads read and write; 0, the default, is one per processor.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_runtime_options_set_worker_threads(sio_runtime_options *options, uint32_t count);

/**
 * How many threads call back; 0, the default, is one, so that no two callbacks run at once. With more of them,
 * callbacks of one socket still keep their order and never overlap.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 */
sio_status sio_runtime_options_set_dispatch_threads(sio_runtime_options *options, uint32_t count);

/**
 * What the names of the threads begin with: "sio" by default.
 *
 * Ownership: borrows `options`, copies `prefix`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_UTF8.
 */
sio_status sio_runtime_options_set_thread_name_prefix(sio_runtime_options *options, sio_str prefix);

/**
 * Frees the options.
 *
 * Ownership: consumes `options`, which may be NULL.
 * Thread: any.
 */
void sio_runtime_options_free(sio_runtime_options *options);

/**
 * A runtime with threads of its own.
 *
 * Ownership: borrows `options`, which may be NULL; `out` receives an owned reference.
 * Thread: any.
 * Errors: SIO_ERR_IO when the threads cannot be started.
 */
sio_status sio_runtime_new(const sio_runtime_options *options, sio_runtime **out);

/**
 * The process's shared runtime; its threads start with the first call.
 *
 * Ownership: returns a borrowed reference, which lives as long as the process.
 * Thread: any.
 * Errors: NULL when the threads cannot be started.
 */
sio_runtime *sio_runtime_get_default(void);

/**
 * Stops the runtime's threads; what waits to be delivered is delivered first. Close its servers and managers before:
 * what still uses the runtime is dead afterwards.
 *
 * Ownership: borrows `runtime`.
 * Thread: any that delivers no callbacks.
 * Errors: SIO_ERR_TIMEOUT when callbacks still run after `timeout_ms`, SIO_ERR_WOULD_DEADLOCK.
 */
sio_status sio_runtime_shutdown_wait(sio_runtime *runtime, uint32_t timeout_ms);

/**
 * One more reference.
 *
 * Ownership: borrows `runtime`; returns an owned reference to it.
 * Thread: any.
 */
sio_runtime *sio_runtime_retain(sio_runtime *runtime);

/**
 * Gives a reference back. The threads end when nothing uses the runtime any more.
 *
 * Ownership: consumes `runtime`, which may be NULL.
 * Thread: any.
 */
void sio_runtime_release(sio_runtime *runtime);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_RUNTIME_H */
