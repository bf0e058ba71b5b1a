//! Floor 3: who else hears.
