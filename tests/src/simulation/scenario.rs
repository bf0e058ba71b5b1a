//! What a run is like: drawn from the seed before it begins.

use std::sync::Arc;
use std::time::Duration;

use socketio_core::data::Limits;
use socketio_core::proto::engine::packet::Transport::{self, Polling, WebSocket};
use socketio_core::proto::engine::session::{ClientConfig, SessionConfig};

use super::tally::Injected;
use crate::random::Random;

/// The namespaces that there are.
pub(super) const NAMESPACES: [&str; 4] = ["/", "/chat", "/games", "/refused"];

/// The one that the server does not know.
pub(super) const REFUSED: &str = "/refused";

/// The conditions of one run.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) session: Arc<SessionConfig>,
    pub(super) client: ClientConfig,
    pub(super) limits: Limits,
    pub(super) network: Conditions,
    /// The faults that may come, and about how far apart they are.
    pub(super) faults: Vec<Injected>,
    pub(super) fault_every: Duration,
    /// How much the two programs do, and about how far apart that is.
    pub(super) actions: usize,
    pub(super) pace: Duration,
    /// The largest argument or attachment of an ordinary event.
    pub(super) size: usize,
    /// How many events in a hundred have a handler that takes its time, and how much at most.
    pub(super) slow: usize,
    pub(super) handler_time: Duration,
    /// How the run ends.
    pub(super) end: End,
    /// How long the client waits for a connection to open.
    pub(super) connect_timeout: Duration,
}

/// How the network is when nothing is wrong with it.
#[derive(Clone, Debug)]
pub(super) struct Conditions {
    pub(super) latency: Duration,
    pub(super) jitter: Duration,
    /// The bytes that one direction of a connection holds before it takes no more.
    pub(super) capacity: usize,
    /// How many writes in a hundred are split, reads coalesced, messages fragmented.
    pub(super) split: usize,
    pub(super) coalesce: usize,
    pub(super) fragment: usize,
    /// How many connections in a hundred are cut after so many bytes at most.
    pub(super) cut: usize,
    pub(super) cut_within: usize,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The client's program closes.
    Client,
    /// The server's program closes.
    Server,
    /// Nothing is carried any more, in either or one of the directions.
    Silence([bool; 2]),
}

impl Scenario {
    /// What `random` draws.
    pub(super) fn draw(random: &mut Random) -> Self {
        let ways: [&[Transport]; 5] =
            [&[Polling, WebSocket], &[Polling, WebSocket], &[Polling, WebSocket], &[Polling], &[WebSocket]];
        let seconds = |random: &mut Random, from: usize, to: usize| {
            Duration::from_secs((from + random.below(to - from + 1)) as u64)
        };
        let max_payload = *random.pick(&[2_000, 6_000, 20_000, 1_000_000]);
        let session = SessionConfig {
            ping_interval: seconds(random, 5, 25),
            ping_timeout: seconds(random, 5, 20),
            upgrade_timeout: seconds(random, 2, 10),
            close_timeout: seconds(random, 5, 30),
            max_payload,
            ..SessionConfig::default()
        };
        let mut limits = Limits::DEFAULT;
        limits.max_payload = max_payload;
        limits.queued_bytes = *random.pick(&[4_000, 16_000, 64_000, 16 << 20]);
        limits.undelivered_events = *random.pick(&[1, 3, 8, 1_024]);
        limits.undelivered_bytes = *random.pick(&[500, 8_000, 1 << 20]);
        limits.pending_acks = *random.pick(&[2, 8, 65_536]);
        let faults = Self::draw_faults(random);
        let rough = !faults.is_empty();
        // A connection that is both narrow and slow would hold heartbeats up by itself.
        let (capacity, latency, jitter) = *random.pick(&[
            (300, 100, 1_000),
            (300, 2_000, 0),
            (2_000, 100, 0),
            (2_000, 2_000, 20_000),
            (16_000, 20_000, 1_000),
            (16_000, 2_000, 200_000),
            (256_000, 80_000, 20_000),
            (256_000, 80_000, 200_000),
        ]);
        let network = Conditions {
            latency: Duration::from_micros(latency),
            jitter: Duration::from_micros(jitter),
            capacity,
            split: *random.pick(&[0, 10, 50, 90]),
            coalesce: *random.pick(&[0, 30, 90]),
            fragment: *random.pick(&[0, 0, 20, 60]),
            cut: if faults.contains(&Injected::Cut) { 15 } else { 0 },
            cut_within: *random.pick(&[200, 1_000, 5_000]),
        };
        let end = match random.below(6) {
            0 | 1 => End::Client,
            2 => End::Server,
            3 => End::Silence([true, true]),
            4 => End::Silence([true, false]),
            _ => End::Silence([false, true]),
        };
        Self {
            session: Arc::new(session),
            client: ClientConfig { transports: Arc::from(*random.pick(&ways)), upgrade: true },
            limits,
            network,
            faults,
            fault_every: if rough { seconds(random, 1, 15) } else { Duration::from_hours(1) },
            actions: 10 + random.below(60),
            pace: Duration::from_millis(*random.pick(&[2, 30, 300, 1_500])),
            size: *random.pick(&[20, 200, 1_500]),
            slow: *random.pick(&[0, 0, 10, 40]),
            handler_time: Duration::from_millis(*random.pick(&[5, 100, 1_000, 3_000])),
            end,
            connect_timeout: seconds(random, 3, 20),
        }
    }

    /// A short run in which nothing is drawn: what is cut at every byte.
    pub(super) fn plain(transports: &[Transport]) -> Self {
        let session = SessionConfig {
            upgrade_timeout: Duration::from_secs(2),
            close_timeout: Duration::from_secs(5),
            ..SessionConfig::default()
        };
        Self {
            session: Arc::new(session),
            client: ClientConfig { transports: Arc::from(transports), upgrade: true },
            limits: Limits::DEFAULT,
            network: Conditions {
                latency: Duration::from_millis(5),
                jitter: Duration::from_millis(1),
                capacity: 256_000,
                split: 0,
                coalesce: 0,
                fragment: 0,
                cut: 0,
                cut_within: 0,
            },
            faults: Vec::new(),
            fault_every: Duration::from_hours(1),
            actions: 12,
            pace: Duration::from_millis(8),
            size: 20,
            slow: 0,
            handler_time: Duration::ZERO,
            end: End::Client,
            connect_timeout: Duration::from_secs(3),
        }
    }

    /// One run in eight is without faults: there nothing at all may go wrong.
    fn draw_faults(random: &mut Random) -> Vec<Injected> {
        if random.below(8) == 0 {
            return Vec::new();
        }
        let mut faults = Injected::SCHEDULED.to_vec();
        faults.retain(|_| random.percent(40));
        faults
    }

    /// The longest that a session lives on without a sign of the other side.
    pub(super) fn heartbeat(&self) -> Duration {
        self.session.ping_interval + self.session.ping_timeout
    }
}
