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
 * .._thread_name_prefix, .._thread_hooks, sio_runtime_options_free.
 */
typedef struct sio_runtime_options sio_runtime_options;

/**
 * Called on a thread of the library, first or last. It must not call the library, and may not unwind.
 *
 * Thread: the one that it is about; several may be at it at once.
 */
typedef void (*sio_thread_fn)(void *user_data);

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
 * Errors: SIO_ERR_INVALID_ARGUMENT for more than 1024.
 */
sio_status sio_runtime_options_set_worker_threads(sio_runtime_options *options, uint32_t count);

/**
 * How many threads call back; 0, the default, is one, so that no two callbacks run at once. With more of them,
 * callbacks of one socket still keep their order and never overlap.
 *
 * Ownership: borrows `options`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_ARGUMENT for more than 1024.
 */
sio_status sio_runtime_options_set_dispatch_threads(sio_runtime_options *options, uint32_t count);

/**
 * What the names of the threads begin with: "sio" by default, which makes "sio-io" of those that read and write, and
 * "sio-dispatch-0" and so on of those that call back. Linux keeps 15 bytes of a name: what a longer prefix pushes out at
 * the end is cut off.
 *
 * Ownership: borrows `options`, copies `prefix`.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_UTF8; SIO_ERR_INVALID_ARGUMENT for a NUL.
 */
sio_status sio_runtime_options_set_thread_name_prefix(sio_runtime_options *options,
                                                      sio_str prefix);

/**
 * Has `on_start` and `on_stop` called on each thread of the runtime, before all else and after all else: to attach it to a
 * virtual machine, or to set its priority or its processor. Either may be NULL. It concerns threads that read and write,
 * those that call back, and helpers that come and go, for example to resolve a name. All signals are blocked on them, in
 * `on_start` already, but those that report a fault of the thread itself. `on_stop` may still come when
 * sio_runtime_shutdown_wait has returned; it does not come for threads that the end of the process ends.
 *
 * Ownership: borrows `options`; takes `user_data` over with `destroy`, which is called when the options and all runtimes
 * that were made of them are gone and the last `on_stop` has returned.
 * Thread: any, one at a time; `destroy` runs on any.
 * Errors: SIO_ERR_INVALID_ARGUMENT when `options` is NULL.
 */
sio_status sio_runtime_options_set_thread_hooks(sio_runtime_options *options,
                                                sio_thread_fn on_start,
                                                sio_thread_fn on_stop,
                                                void *user_data,
                                                sio_destroy_fn destroy);

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
 * Tells the library that this process is a child which was forked without fork(), by the system call itself: from now on
 * the handles of its parent answer SIO_ERR_FORKED, and new objects get a new runtime. After fork() the library knows it,
 * and this does nothing.
 *
 * Thread: the child's only one, before anything else of the library is called.
 */
void sio_after_fork_child(void);

/**
 * Corks this thread: what it sends from now on, on any object of the library, is written when it is uncorked, once for each
 * connection. It costs a system call less for each message behind the first. The order stays as it is. Corks nest, also
 * with callbacks, whose messages are written together anyhow: what is sent under several is written with the last sio_uncork.
 *
 * What another thread sends on the same connection, and what is written for other reasons, takes along what waits. A function
 * that waits (`_wait`) writes before. A thread that ends corked leaves what it has sent to whoever writes next. A child that
 * was forked from a corked thread is corked too; what the parent has sent is written by the parent alone.
 *
 * Thread: any; it concerns the calling thread alone.
 */
void sio_cork(void);

/**
 * Takes back one sio_cork of this thread; the last one writes. Without a sio_cork before it does nothing.
 *
 * Thread: any; it concerns the calling thread alone.
 */
void sio_uncork(void);

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
