//! Floor 2: threads.
