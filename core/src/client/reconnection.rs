//! When a manager connects again: the official client's rules, without a clock and without randomness of its own.

use std::time::{Duration, Instant};

use super::config::ManagerConfig;
use crate::proto::backoff::Backoff;

/// The state of a manager's attempts to connect again.
#[derive(Debug)]
pub(super) struct Reconnection {
    enabled: bool,
    max_attempts: u64,
    backoff: Backoff,
    /// Attempts are under way, or waited for.
    active: bool,
    /// The program has closed the manager: nothing is tried.
    closed: bool,
    /// When the next attempt is due.
    at: Option<Instant>,
}

/// What became of the wish to connect again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheduled {
    /// It is off, or under way already.
    No,
    /// An attempt comes.
    Later,
    /// There were as many attempts as allowed.
    GivenUp,
}

impl Reconnection {
    pub(super) fn new(config: &ManagerConfig) -> Self {
        // As in the official client, zero is not meant: attempts without a wait would never let go of the processor.
        let or = |delay: Duration, default| if delay.is_zero() { default } else { delay };
        let default = ManagerConfig::default();
        let min = or(config.reconnection_delay, default.reconnection_delay);
        let max = or(config.reconnection_delay_max, default.reconnection_delay_max);
        Self {
            enabled: config.reconnection,
            max_attempts: config.reconnection_attempts.filter(|max| *max > 0).unwrap_or(u64::MAX),
            backoff: Backoff::new(min, max, config.randomization_factor),
            active: false,
            closed: false,
            at: None,
        }
    }

    /// Whether attempts are under way: connecting is left to them.
    pub(super) fn is_active(&self) -> bool {
        self.active
    }

    /// When the next attempt is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.at
    }

    /// Whether an attempt is due: its number, from 1.
    pub(super) fn due(&mut self, now: Instant) -> Option<u32> {
        self.at.take_if(|at| *at <= now).map(|_| self.backoff.attempts())
    }

    /// A connection is being opened, by an attempt or by the program.
    pub(super) fn opening(&mut self) {
        self.closed = false;
        self.at = None;
    }

    /// It was opened: the number of attempts that it took, if any were under way.
    pub(super) fn opened(&mut self) -> Option<u32> {
        let attempts = self.backoff.attempts();
        std::mem::take(&mut self.active).then(|| {
            self.backoff.reset();
            attempts
        })
    }

    /// It could not be opened. Whether this was an attempt to connect again, and what comes next. `random` is evenly drawn
    /// from 0 to 1.
    pub(super) fn open_failed(&mut self, now: Instant, random: f64) -> (bool, Scheduled) {
        if std::mem::take(&mut self.active) {
            (true, self.schedule(now, random))
        } else if self.backoff.attempts() == 0 {
            (false, self.schedule(now, random))
        } else {
            (false, Scheduled::No)
        }
    }

    /// An open connection is gone.
    pub(super) fn lost(&mut self, now: Instant, random: f64) -> Scheduled {
        self.backoff.reset();
        self.schedule(now, random)
    }

    /// The program wants no connection.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.active = false;
        self.at = None;
        self.backoff.reset();
    }

    fn schedule(&mut self, now: Instant, random: f64) -> Scheduled {
        if !self.enabled || self.closed || self.active {
            return Scheduled::No;
        }
        if u64::from(self.backoff.attempts()) >= self.max_attempts {
            self.backoff.reset();
            return Scheduled::GivenUp;
        }
        self.active = true;
        let delay = self.backoff.next_delay(random);
        self.at = Some(now.checked_add(delay).unwrap_or(now + Duration::from_hours(1)));
        Scheduled::Later
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reconnection(attempts: Option<u64>) -> Reconnection {
        let config =
            ManagerConfig { reconnection_attempts: attempts, randomization_factor: 0.0, ..ManagerConfig::default() };
        Reconnection::new(&config)
    }

    #[test]
    fn attempts_are_counted_and_waits_double_until_it_is_given_up() {
        let mut reconnection = reconnection(Some(2));
        let start = Instant::now();
        assert_eq!(reconnection.open_failed(start, 0.0), (false, Scheduled::Later));
        assert_eq!(reconnection.deadline(), Some(start + Duration::from_secs(1)));
        assert_eq!(reconnection.due(start), None);
        assert_eq!(reconnection.due(start + Duration::from_secs(1)), Some(1));
        reconnection.opening();
        assert_eq!(reconnection.open_failed(start, 0.0), (true, Scheduled::Later));
        assert_eq!(reconnection.deadline(), Some(start + Duration::from_secs(2)));
        assert_eq!(reconnection.due(start + Duration::from_secs(2)), Some(2));
        reconnection.opening();
        assert_eq!(reconnection.open_failed(start, 0.0), (true, Scheduled::GivenUp));
        assert!(!reconnection.is_active());
    }

    #[test]
    fn zero_stands_for_the_default_as_in_the_official_client() {
        let config = ManagerConfig {
            reconnection_attempts: Some(0),
            reconnection_delay: Duration::ZERO,
            reconnection_delay_max: Duration::ZERO,
            randomization_factor: 0.0,
            ..ManagerConfig::default()
        };
        let mut reconnection = Reconnection::new(&config);
        let start = Instant::now();
        for seconds in [1, 2, 4, 5] {
            assert_eq!(reconnection.open_failed(start, 0.0).1, Scheduled::Later);
            assert_eq!(reconnection.deadline(), Some(start + Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn a_connection_that_is_open_again_starts_the_count_anew() {
        let mut reconnection = reconnection(None);
        let start = Instant::now();
        assert_eq!(reconnection.opened(), None);
        assert_eq!(reconnection.lost(start, 0.0), Scheduled::Later);
        assert!(reconnection.due(start + Duration::from_secs(1)).is_some());
        reconnection.opening();
        assert_eq!(reconnection.opened(), Some(1));
        assert_eq!(reconnection.lost(start, 0.0), Scheduled::Later);
        assert_eq!(reconnection.deadline(), Some(start + Duration::from_secs(1)));
    }

    #[test]
    fn a_closed_manager_does_not_connect_until_it_is_opened() {
        let mut reconnection = reconnection(None);
        let start = Instant::now();
        assert_eq!(reconnection.lost(start, 0.0), Scheduled::Later);
        reconnection.close();
        assert_eq!(reconnection.deadline(), None);
        assert_eq!(reconnection.lost(start, 0.0), Scheduled::No);
        reconnection.opening();
        assert_eq!(reconnection.open_failed(start, 0.0), (false, Scheduled::Later));
    }
}
