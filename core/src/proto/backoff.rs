//! How long a client waits before it tries to connect again: the formula of the official clients.

use std::time::Duration;

/// The delays of one series of attempts. Each is double the one before, and drawn around that value.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    jitter: f64,
    attempts: u32,
}

impl Backoff {
    /// Delays that start at `min` and do not exceed `max`, each off by up to `jitter` (0 to 1) times itself. A `jitter`
    /// outside of that is none.
    pub fn new(min: Duration, max: Duration, jitter: f64) -> Self {
        let jitter = if jitter > 0.0 && jitter <= 1.0 { jitter } else { 0.0 };
        Self { min, max, jitter, attempts: 0 }
    }

    /// The delay before the next attempt, in whole milliseconds. `random` is evenly drawn from 0 (included) to 1
    /// (excluded); one value gives both the direction and the size of what is added.
    #[allow(clippy::cast_sign_loss, reason = "neither a delay nor what is random is negative")]
    pub fn next_delay(&mut self, random: f64) -> Duration {
        let mut delay = millis(self.min) * 2_f64.powi(self.attempts.try_into().unwrap_or(i32::MAX));
        self.attempts = self.attempts.saturating_add(1);
        if self.jitter > 0.0 {
            let deviation = (random * self.jitter * delay).floor();
            let down = ((random * 10.0) as u64).is_multiple_of(2);
            delay = if down { delay - deviation } else { delay + deviation };
        }
        // Past the range of numbers (`inf - inf`) there is only the longest delay.
        let max = millis(self.max);
        Duration::from_millis(if delay < max { delay } else { max } as u64)
    }

    /// How many delays were asked for since the last [`reset`](Self::reset).
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// A connection was opened: the next series starts at the beginning.
    pub const fn reset(&mut self) {
        self.attempts = 0;
    }
}

/// Whole milliseconds, at most fifty days.
fn millis(duration: Duration) -> f64 {
    f64::from(u32::try_from(duration.as_millis()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(min: u64, max: u64, jitter: f64, randoms: &[f64]) -> Vec<u64> {
        let mut backoff = Backoff::new(Duration::from_millis(min), Duration::from_millis(max), jitter);
        randoms.iter().map(|random| backoff.next_delay(*random).as_millis() as u64).collect()
    }

    #[test]
    fn delays_are_those_of_the_official_formula() {
        // Printed by npm `backo2` 1.0.2 with `Math.random` replaced by these values in turn.
        let randoms = [0.0, 0.05, 0.149, 0.25, 0.39, 0.5, 0.61, 0.77, 0.88, 0.999];
        assert_eq!(
            delays(1_000, 5_000, 0.5, &randoms),
            [1_000, 1_950, 4_298, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000]
        );
        assert_eq!(
            delays(100, 10_000, 0.5, &randoms),
            [100, 195, 429, 700, 1_912, 4_000, 4_448, 10_000, 10_000, 10_000]
        );
        assert_eq!(
            delays(100, 10_000, 0.0, &randoms),
            [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]
        );
        assert_eq!(
            delays(250, 1_000_000, 1.0, &randoms),
            [250, 475, 1_149, 1_500, 5_560, 12_000, 6_240, 56_640, 7_680, 255_872]
        );
        assert_eq!(delays(7, 100_000, 0.3, &randoms), [7, 14, 29, 52, 125, 257, 367, 1_102, 1_319, 4_658]);
        assert_eq!(
            delays(100, 10_000, 2.0, &randoms),
            [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000, 10_000]
        );
    }

    #[test]
    fn no_number_of_attempts_is_too_many() {
        for jitter in [0.0, 0.5, 1.0] {
            let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5), jitter);
            backoff.attempts = 1022;
            for random in [0.0, 0.1, 0.5, 0.999_999].repeat(10) {
                assert_eq!(backoff.next_delay(random), Duration::from_secs(5), "{jitter} {random}");
            }
            backoff.attempts = u32::MAX;
            assert_eq!(backoff.next_delay(0.7), Duration::from_secs(5));
            assert_eq!(backoff.attempts(), u32::MAX);
            backoff.reset();
            assert!(backoff.next_delay(0.0) <= Duration::from_secs(1));
        }
        let mut endless = Backoff::new(Duration::MAX, Duration::MAX, 1.0);
        assert!(endless.next_delay(0.3) > Duration::from_hours(1));
        assert_eq!(Backoff::new(Duration::ZERO, Duration::ZERO, 0.5).next_delay(0.3), Duration::ZERO);
    }
}
