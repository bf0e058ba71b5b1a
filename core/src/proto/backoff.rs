//! How long a client waits before it tries again.
