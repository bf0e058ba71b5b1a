/* Generated from ffi/src/version.rs: change that, not this. */

#ifndef SOCKETIO_VERSION_H
#define SOCKETIO_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "status.h"

/**
 * The first number of the version.
 */
#define SIO_VERSION_MAJOR 0

/**
 * The second number of the version.
 */
#define SIO_VERSION_MINOR 1

/**
 * The third number of the version.
 */
#define SIO_VERSION_PATCH 0

/**
 * The number of the binary interface that this header describes, for sio_abi_check.
 */
#define SIO_ABI_VERSION 1

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library, "0.1.0" for instance.
 *
 * Ownership: returns a constant.
 * Thread: any.
 */
const char *sio_version(void);

/**
 * The version of the library as a number: major * 1,000,000 + minor * 1,000 + patch.
 *
 * Thread: any.
 */
uint32_t sio_version_number(void);

/**
 * Says whether the library is the one that the header belongs to: call it with SIO_ABI_VERSION.
 *
 * Thread: any.
 * Errors: SIO_ERR_ABI when it is not.
 */
sio_status sio_abi_check(uint32_t abi);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* SOCKETIO_VERSION_H */
