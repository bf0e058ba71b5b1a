/*
 * Socket.IO and Engine.IO, servers and clients, in C.
 *
 * One header per type in socketio/; this one includes them all.
 *
 * CONVENTIONS
 *
 * Names       sio_<type>_<verb>. A function whose first parameter is a `sio_T *` is a method of T. Callbacks end in
 *             `_fn`.
 *
 * Text        is UTF-8 with a length, `sio_str` by value, and never needs a NUL: SIO_STR("x") makes one of a literal,
 *             sio_cstr(p) of a C string. Bytes are `sio_bytes`.
 *
 * Ownership   `_new` and `_take_` give a reference that is yours: release (or free) it once. What `_get_` gives and
 *             what a callback receives is borrowed: it lives until the callback returns, or until its owner is
 *             released or changed; `_retain` keeps it. Arguments are borrowed, unless the documentation says that they
 *             are consumed. Every `_release` and `_free` takes NULL and does nothing then.
 *             To close something is not to release it: a handle of a closed object stays valid until it is released,
 *             and answers SIO_ERR_CLOSED.
 *
 * Callbacks   come with `user_data` and `destroy`, which may be NULL. The library calls destroy(user_data) exactly
 *             once, after the last call of the callback has returned, and also when the registration fails. Callbacks
 *             must not unwind: no C++ exception and no longjmp may leave them.
 *
 * Threads     Every function may be called from any thread, and from within callbacks, except that those ending in
 *             `_wait` answer SIO_ERR_WOULD_DEADLOCK on a thread that delivers callbacks. Types that are built before
 *             they are used (`*_options`, a payload while arguments are added, a value, a broadcast) are for one
 *             thread at a time. Callbacks run with no lock held; those of one socket keep their order and never
 *             overlap. Where they run is an option of servers and managers (sio_delivery_mode): on threads of the
 *             library that do nothing else, unless said otherwise; where the host dispatches a sio_queue; or where the
 *             event was read. Threads of the library take no signals but those that report a fault of their own.
 *             Nothing is started before the first object that needs it.
 *
 * Fork        A child that was forked cannot use the objects of its parent: their handles answer SIO_ERR_FORKED, to
 *             give them back does nothing, and no `destroy` runs. Payloads, values, texts and options are data and
 *             stay good; new objects work and get a runtime of their own. Descriptors that the child has inherited stay
 *             open until it calls exec or ends. A child that was forked inside a callback on a thread of the library
 *             must call exec or _exit there. See sio_after_fork_child for children that fork() knows nothing of.
 *
 * Errors      Functions that can fail return a `sio_status`, and write their results only when that is SIO_OK. Those
 *             that return something else return NULL, 0, false or an empty text. sio_last_error_message() has the
 *             detail of the last failure on the calling thread. A handle that is NULL, of another type, or released
 *             (as far as that can be seen) gives SIO_ERR_INVALID_ARGUMENT. The library prints nothing, and neither
 *             exits nor aborts.
 *
 * Numbers     Times are milliseconds. In options, 0 is the official default and SIO_FOREVER is no limit. Values of
 *             enums are passed as int32_t and checked.
 *
 * Binaries    Types are opaque or never change; what is new comes as new functions. sio_abi_check(SIO_ABI_VERSION)
 *             tells whether the library is the one that this header belongs to. The library cannot be unloaded.
 */
#ifndef SOCKETIO_H
#define SOCKETIO_H

#include "socketio/text.h"
#include "socketio/status.h"
#include "socketio/version.h"
#include "socketio/runtime.h"
#include "socketio/log.h"
#include "socketio/value.h"
#include "socketio/payload.h"
#include "socketio/error.h"
#include "socketio/ack.h"
#include "socketio/event.h"
#include "socketio/queue.h"
#include "socketio/delivery.h"
#include "socketio/server_options.h"
#include "socketio/server.h"
#include "socketio/request.h"
#include "socketio/handshake.h"
#include "socketio/socket.h"
#include "socketio/namespace.h"
#include "socketio/middleware.h"
#include "socketio/broadcast.h"
#include "socketio/manager_options.h"
#include "socketio/manager.h"
#include "socketio/client.h"
#include "socketio/auth.h"

#endif /* SOCKETIO_H */
