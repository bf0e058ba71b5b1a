//! Floor 4: who is speaking, calling side.
