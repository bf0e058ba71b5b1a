/* Generated from ffi/src/queue.rs: change that, not this. */

#ifndef SOCKETIO_QUEUE_H
#define SOCKETIO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "runtime.h"
#include "status.h"
#include "text.h"

/**
 * Callbacks that wait until the host asks for them: for programs with a loop of their own. Servers and managers use it that
 * were given it in their options; several may share one.
 *
 * The host waits for its descriptor, or is told by its wake function, and then calls sio_queue_dispatch, which runs the
 * callbacks; a game may just call that once per frame. What a callback sends is written before sio_queue_dispatch returns.
 * While a host does not dispatch, connections stop reading when their share is full, and go on afterwards.
 *
 * Methods: sio_queue_new, sio_queue_fd, sio_queue_dispatch, sio_queue_take, sio_queue_close, sio_queue_retain,
 * sio_queue_release.
 */
typedef struct sio_queue sio_queue;

/**
 * Tells that a queue which was empty has something, or that a dispatch has left something behind: dispatch soon. It
 * must not block, and must not call the library. Typical are uv_async_send, g_main_context_wakeup, PostMessage.
 *
 * Thread: any; also two at once.
 */
typedef void (*sio_wake_fn)(void *user_data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * An empty queue, which the threads of `runtime` fill.
 *
 * Ownership: borrows `runtime`; NULL is the default one. Takes `user_data` over with `destroy`, which is called when the
 * queue is closed and no `wake` is running any more: what `wake` uses is not to be taken apart before that. `wake` may be NULL; `out` receives an owned reference.
 * Thread: any.
 * Errors: SIO_ERR_IO when the process has no descriptor left.
 */
sio_status sio_queue_new(sio_runtime *runtime,
                         sio_wake_fn wake,
                         void *user_data,
                         sio_destroy_fn destroy,
                         sio_queue **out);

/**
 * A descriptor for poll, epoll, kqueue, libuv, GLib, asyncio, ...: readable while something waits. The host only polls it:
 * it neither reads nor closes it.
 *
 * Ownership: borrows `queue`, whose the descriptor is: it is closed with the last reference.
 * Thread: any.
 * Errors: -1 when `queue` is none.
 */
int32_t sio_queue_fd(const sio_queue *queue);

/**
 * Runs callbacks on this thread: at most `max`, 0 for all that wait now. It does not wait for any. More may wait when it
 * returns: the descriptor is readable then, and the wake function has been called.
 *
 * Ownership: borrows `queue`; `count`, which may be NULL, receives how many deliveries it made. One can be several callbacks,
 * or none.
 * Thread: any, one at a time.
 * Errors: SIO_ERR_INVALID_STATE when another thread is at it, or one of its callbacks calls this, or records that did not fit
 * into the last sio_queue_take wait for the next; SIO_ERR_CLOSED.
 */
sio_status sio_queue_dispatch(sio_queue *queue,
                              size_t max,
                              size_t *count);

/**
 * Closes the queue: callbacks that wait will not be called, and servers and managers that use it have nobody to tell. Close
 * them before. A thread that dispatches just now may still make the call that it has begun with. What waits is given up: acks are not sent, and `user_data` that nobody else needs is
 * destroyed, here or on the thread that dispatches just now.
 *
 * Ownership: borrows `queue`.
 * Thread: any, also one of its callbacks.
 */
sio_status sio_queue_close(sio_queue *queue);

/**
 * One more reference.
 *
 * Ownership: borrows `queue`; returns an owned reference to it.
 * Thread: any.
 */
sio_queue *sio_queue_retain(sio_queue *queue);

/**
 * Gives a reference back. The last one closes the queue: nobody could dispatch it any more.
 *
 * Ownership: consumes `queue`, which may be NULL.
 * Thread: any.
 */
void sio_queue_release(sio_queue *queue);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_QUEUE_H */
