//! The network between the two sides of a [`Pair`](crate::pair::Pair): what is in transit, when it arrives, and what may
//! overtake what.

use std::time::{Duration, Instant};

use bytes::Bytes;
use socketio_core::proto::engine::session::ExchangeId;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The server.
    Server,
    /// The client.
    Client,
}

impl Side {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }
}

/// All that is on its way. Requests and answers overtake everything; frames keep their order in each direction.
#[derive(Debug)]
pub(crate) struct Network {
    transit: Vec<Parcel>,
    latency: Duration,
    jitter: Duration,
    random: u64,
    deaf: [bool; 2],
}

/// Something on its way.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) to: Side,
    pub(crate) at: Instant,
    pub(crate) what: What,
}

/// What travels: requests, answers and frames.
#[derive(Debug)]
pub(crate) enum What {
    Get(ExchangeId),
    PostHead(ExchangeId, Bytes),
    PostBody(ExchangeId, Bytes),
    Abort(ExchangeId),
    /// `None`: any status but 200.
    Answer(ExchangeId, Option<Bytes>),
    Frame(Frame),
}

/// What travels on the WebSocket, its opening and closing included.
#[derive(Debug)]
pub(crate) enum Frame {
    Open,
    Opened,
    Text(Bytes),
    Binary(Bytes),
    Close,
}

/// A request and what became of it.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) is_get: bool,
    /// The server has answered it.
    pub(crate) answered: bool,
    /// The client has the answer, or nobody waits for it any more.
    pub(crate) over: bool,
}

impl Network {
    /// Takes from `latency` to `latency + jitter`, drawn by `seed`.
    pub(crate) const fn new(latency: Duration, jitter: Duration, seed: u64) -> Self {
        Self { transit: Vec::new(), latency, jitter, random: seed | 1, deaf: [false; 2] }
    }

    /// Changes how long it takes from now on.
    pub(crate) const fn set_latency(&mut self, latency: Duration, jitter: Duration, seed: u64) {
        (self.latency, self.jitter, self.random) = (latency, jitter, seed | 1);
    }

    /// From now on nothing is sent to `side`.
    pub(crate) const fn deafen(&mut self, side: Side) {
        self.deaf[side as usize] = true;
    }

    /// Sends.
    pub(crate) fn put(&mut self, now: Instant, to: Side, what: What) {
        if self.deaf[to as usize] {
            return;
        }
        // xorshift
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let jitter = self.jitter.mul_f64((self.random % 1000) as f64 / 1000.0);
        let mut at = now + self.latency + jitter;
        if let What::Frame(_) = what {
            let earlier = self.transit.iter().filter(|it| it.to == to && matches!(it.what, What::Frame(_)));
            at = earlier.map(|it| it.at).fold(at, Instant::max);
        }
        self.transit.push(Parcel { to, at, what });
    }

    /// The places of all that may arrive next.
    pub(crate) fn arrivals(&self) -> impl Iterator<Item = usize> {
        let mut frame_to = [false; 2];
        self.transit.iter().enumerate().filter_map(move |(place, parcel)| {
            let overtakes = !matches!(parcel.what, What::Frame(_));
            (overtakes || !std::mem::replace(&mut frame_to[parcel.to as usize], true)).then_some(place)
        })
    }

    /// When what is at that place arrives.
    pub(crate) fn time_of(&self, place: usize) -> Instant {
        self.transit[place].at
    }

    /// Takes what is at that place.
    pub(crate) fn take(&mut self, place: usize) -> Parcel {
        self.transit.remove(place)
    }

    /// Loses all for which `is_lost` holds; returns whether there was any.
    pub(crate) fn lose(&mut self, is_lost: impl Fn(&What) -> bool) -> bool {
        let before = self.transit.len();
        self.transit.retain(|parcel| !is_lost(&parcel.what));
        self.transit.len() < before
    }
}
