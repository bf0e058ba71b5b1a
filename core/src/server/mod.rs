//! Floor 4: who is speaking, listening side.
