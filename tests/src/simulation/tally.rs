//! What was injected, and what came of it, counted.

use std::fmt;

/// Something that was done to the sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Injected {
    /// A connection broke at some byte; both ends see it.
    Cut,
    /// A connection carried nothing for a while.
    Stall,
    /// The network went silent for a while: what was open is dead for good, and nobody is told.
    Outage,
    /// The same in one direction.
    HalfOpen,
    /// The clock of one side jumped far ahead.
    ClockJump,
    /// Time went by while neither side ran (both were suspended).
    Suspension,
    /// The client gave up a request that was under way.
    Abort,
    /// A connection was refused.
    Refusal,
    /// What was written at once arrived in pieces.
    Split,
    /// What was written bit by bit arrived at once.
    Coalesced,
    /// What was sent later, on another connection, arrived earlier.
    Overtaken,
    /// A message came in fragments, some with a control frame in between.
    Fragmented,
    /// The transport took only part of what was to be written.
    PartialWrite,
}

/// Something that a run went through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Happened {
    /// The client opened a session.
    Opened,
    /// It did so again after the one before had ended.
    Reconnected,
    /// A session moved from polling to a WebSocket.
    Upgraded,
    /// An upgrade was given up and polling went on.
    UpgradeFailed,
    /// A session ended because its heartbeat stayed away.
    PingTimeout,
    /// Reading stopped because handlers were slow.
    Paused,
    /// An emitter was told that too much waits.
    Refused,
    /// An event arrived.
    Event,
    /// An event arrived with attachments.
    BinaryEvent,
    /// An answer arrived.
    Answered,
    /// A waiter got an error in the place of an answer.
    Unanswered,
    /// A namespace was joined.
    Joined,
    /// A namespace was left while the connection stayed.
    Left,
    /// A message was larger than allowed.
    Oversized,
    /// A request was answered.
    RequestAnswered,
}

impl Injected {
    /// Those that come by their own schedule.
    pub(super) const SCHEDULED: [Self; 8] = [
        Self::Cut,
        Self::Stall,
        Self::Outage,
        Self::HalfOpen,
        Self::ClockJump,
        Self::Suspension,
        Self::Abort,
        Self::Refusal,
    ];
    const LAST: Self = Self::PartialWrite;
}

/// How often each came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    injected: [u64; Injected::LAST as usize + 1],
    happened: [u64; Happened::RequestAnswered as usize + 1],
    /// Steps in all.
    pub steps: u64,
    /// Bytes that were given to the network.
    pub bytes: u64,
}

impl Tally {
    /// How often that was injected.
    pub const fn injected(&self, what: Injected) -> u64 {
        self.injected[what as usize]
    }

    /// How often that happened.
    pub const fn happened(&self, what: Happened) -> u64 {
        self.happened[what as usize]
    }

    pub(super) const fn inject(&mut self, what: Injected) {
        self.injected[what as usize] += 1;
    }

    pub(super) const fn happen(&mut self, what: Happened) {
        self.happened[what as usize] += 1;
    }

    /// Adds what another run counted.
    pub fn add(&mut self, other: &Self) {
        self.injected.iter_mut().zip(other.injected).for_each(|(sum, more)| *sum += more);
        self.happened.iter_mut().zip(other.happened).for_each(|(sum, more)| *sum += more);
        self.steps += other.steps;
        self.bytes += other.bytes;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Happened as H;
        use Injected as I;
        const INJECTED: [I; I::LAST as usize + 1] = [
            I::Cut,
            I::Stall,
            I::Outage,
            I::HalfOpen,
            I::ClockJump,
            I::Suspension,
            I::Abort,
            I::Refusal,
            I::Split,
            I::Coalesced,
            I::Overtaken,
            I::Fragmented,
            I::PartialWrite,
        ];
        const HAPPENED: [H; H::RequestAnswered as usize + 1] = [
            H::Opened,
            H::Reconnected,
            H::Upgraded,
            H::UpgradeFailed,
            H::PingTimeout,
            H::Paused,
            H::Refused,
            H::Event,
            H::BinaryEvent,
            H::Answered,
            H::Unanswered,
            H::Joined,
            H::Left,
            H::Oversized,
            H::RequestAnswered,
        ];
        write!(f, "{} steps, {} bytes; injected:", self.steps, self.bytes)?;
        for what in INJECTED {
            write!(f, " {what:?} {}", self.injected(what))?;
        }
        write!(f, "; happened:")?;
        for what in HAPPENED {
            write!(f, " {what:?} {}", self.happened(what))?;
        }
        Ok(())
    }
}
