//! Which library this is, and whether a header fits it.

use std::ffi::c_char;

use socketio_core::{Error, ErrorKind};

use crate::status::sio_status;

/// The first number of the version.
pub const SIO_VERSION_MAJOR: u32 = 0;
/// The second number of the version.
pub const SIO_VERSION_MINOR: u32 = 1;
/// The third number of the version.
pub const SIO_VERSION_PATCH: u32 = 0;
/// The number of the binary interface that this header describes, for sio_abi_check.
pub const SIO_ABI_VERSION: u32 = 1;

/// The version of the library, "0.1.0" for instance.
///
/// Ownership: returns a constant.
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_version() -> *const c_char {
    guard!(Ok(concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()))
}

/// The version of the library as a number: major * 1,000,000 + minor * 1,000 + patch.
///
/// Thread: any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_version_number() -> u32 {
    guard!(Ok(SIO_VERSION_MAJOR * 1_000_000 + SIO_VERSION_MINOR * 1_000 + SIO_VERSION_PATCH))
}

/// Says whether the library is the one that the header belongs to: call it with SIO_ABI_VERSION.
///
/// Thread: any.
/// Errors: SIO_ERR_ABI when it is not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sio_abi_check(abi: u32) -> sio_status {
    guard!(if abi == SIO_ABI_VERSION {
        Ok(())
    } else {
        Err(Error::new(ErrorKind::Abi, format!("the header has ABI {abi}, the library {SIO_ABI_VERSION}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_crate() {
        let version = format!("{SIO_VERSION_MAJOR}.{SIO_VERSION_MINOR}.{SIO_VERSION_PATCH}");
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
    }
}
