//! What happens when: the programs act, faults come, deadlines pass, bytes arrive.

use std::time::Duration;

use super::client::Client;
use super::ledger::Ledger;
use super::scenario::{End, NAMESPACES, REFUSED, Scenario};
use super::server::Server;
use super::shared::Shared;
use super::tally::{Injected, Tally};
use super::wire::{Due, Wire};
use super::{Failure, Planted};
use crate::network::Side;
use crate::random::Random;
use socketio_core::proto::engine::packet::Transport;

/// More steps than that at one time are a loop.
const STEPS_AT_ONCE: u32 = 20_000;

/// More steps than that in a run are one too.
const STEPS: u64 = 400_000;

/// What makes a run again.
const TEST: &str = "cargo test -p socketio-tests --test fault_simulation --";

/// One run.
#[derive(Debug)]
pub(super) struct Simulation {
    /// What to call the run, and how to make it again.
    name: (String, String),
    client: Client,
    server: Server,
    shared: Shared,
    /// What the programs still do, and when the next of it comes.
    actions: usize,
    action_at: Duration,
    burst: usize,
    fault_at: Duration,
    /// When the network carries again.
    heals_at: Option<Duration>,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Event {
    Arrival(Due),
    ServerTick(u32),
    ServerReturned(u32),
    ClientTick,
    ClientReturned,
    Action,
    Fault,
    Heal,
}

impl Simulation {
    /// The run of that seed.
    pub(super) fn drawn(seed: u64, planted: Option<Planted>, traced: bool) -> Self {
        let mut random = Random::new(seed);
        let scenario = Scenario::draw(&mut random);
        let again = format!("SEED={seed} {TEST} replay --nocapture");
        Self::new((format!("seed {seed}"), again), random, scenario, None, planted, traced)
    }

    /// A short one that is cut at some byte.
    pub(super) fn cut(transports: &[Transport], cut_at: u64, traced: bool) -> Self {
        let name = (format!("{transports:?}, cut at byte {cut_at}"), format!("{TEST} cut"));
        Self::new(name, Random::new(1), Scenario::plain(transports), Some(cut_at), None, traced)
    }

    fn new(
        name: (String, String),
        mut random: Random,
        scenario: Scenario,
        cut_at: Option<u64>,
        planted: Option<Planted>,
        traced: bool,
    ) -> Self {
        let wire = Wire::new(scenario.network.clone(), cut_at, Random::new(random.next()));
        let ledger = Ledger::new(random.next(), scenario.size, scenario.limits.max_payload);
        let mut shared = Shared::new(random, scenario, wire, ledger, planted, traced);
        let client = Client::new(&mut shared);
        let actions = shared.scenario.actions;
        let fault_at = shared.random.up_to(2 * shared.scenario.fault_every);
        Self {
            name,
            client,
            server: Server::default(),
            shared,
            actions,
            action_at: Duration::ZERO,
            burst: 0,
            fault_at,
            heals_at: None,
        }
    }

    /// All of it.
    pub(super) fn run(&mut self) -> Result<Tally, Box<Failure>> {
        self.shared.note_scenario();
        for namespace in NAMESPACES {
            if namespace == "/" || self.shared.random.percent(30) {
                self.client.connect(&mut self.shared, namespace);
            }
        }
        while self.actions > 0 && self.step(None) {}
        self.settle();
        self.finish();
        match self.shared.take_breach() {
            None => Ok(self.shared.wire.tally.clone()),
            Some(breach) => {
                let (run, again) = self.name.clone();
                Err(Box::new(Failure { run, again, breach, trace: Vec::new() }))
            }
        }
    }

    pub(super) fn take_trace(&mut self) -> Vec<String> {
        self.shared.take_trace()
    }

    /// Nothing goes wrong any more: the client is connected again in the end, and all that was sent to sockets that are
    /// connected has arrived.
    pub(super) fn settle(&mut self) {
        self.shared.note(|| "--- nothing goes wrong any more".to_owned());
        self.shared.calm = true;
        self.fault_at = Duration::MAX;
        self.heals_at = None;
        self.shared.wire.heal();
        if !self.client.wants_connection() {
            self.client.connect(&mut self.shared, "/");
        }
        let scenario = &self.shared.scenario;
        // Both notice what is dead, the client tries again, and an upgrade that cannot be is given up.
        let long = 2 * (scenario.heartbeat() + scenario.session.upgrade_timeout + scenario.connect_timeout)
            + Duration::from_secs(30);
        let mut cuts = None;
        // A cut at a certain byte may come only now.
        while cuts != Some(self.shared.wire.tally.injected(Injected::Cut)) {
            cuts = Some(self.shared.wire.tally.injected(Injected::Cut));
            let until = self.shared.now + long;
            while self.step(Some(until)) {}
            self.shared.now = self.shared.now.max(until);
        }
        // A heartbeat may be on its way just now.
        for _ in 0..10_000 {
            if !(self.client.is_busy() || self.open_session().is_some_and(|number| self.server.is_busy(number))) {
                break;
            }
            self.step(None);
        }
        self.check_at_rest();
    }

    /// The run ends as it was drawn; then nothing is left.
    pub(super) fn finish(&mut self) {
        let end = self.shared.scenario.end;
        self.shared.note(|| format!("--- the end: {end:?}"));
        match end {
            End::Client => self.client.close(&mut self.shared),
            End::Server => {
                // The client goes as well, but it learns of the server's end first.
                for number in self.server.open() {
                    self.server.close(&mut self.shared, number);
                }
                let until = self.shared.now + self.shared.random.up_to(Duration::from_secs(2));
                while self.step(Some(until)) {}
                self.client.close(&mut self.shared);
            }
            End::Silence(sides) => self.silence(sides),
        }
        let scenario = &self.shared.scenario;
        let long = scenario.heartbeat() + scenario.session.close_timeout + Duration::from_secs(60);
        let until = self.shared.now + long;
        while self.step(Some(until)) {}
        if let End::Silence(_) = end {
            // The client has tried to connect again and again.
            self.client.close(&mut self.shared);
            let until = until + long;
            while self.step(Some(until)) {}
        }
        self.client.drain(&mut self.shared);
        let left = self.client.leftovers().or_else(|| self.server.leftovers());
        if let Some(left) = left {
            self.shared.breach(left);
        }
        if self.shared.ledger.unresolved() > 0 {
            let line = format!("{} wait for an answer in vain", self.shared.ledger.unresolved());
            self.shared.breach(line);
        }
    }

    /// Lets the next thing happen; false when nothing does, or not before `until`.
    fn step(&mut self, until: Option<Duration>) -> bool {
        if self.shared.is_broken() {
            return false;
        }
        let Some((at, event)) = self.next() else { return false };
        if until.is_some_and(|until| at > until) {
            return false;
        }
        if at > self.shared.now {
            self.check_heartbeats();
            self.burst = 0;
            self.shared.now = at;
        }
        self.burst += 1;
        self.shared.wire.tally.steps += 1;
        if self.burst > STEPS_AT_ONCE as usize || self.shared.wire.tally.steps > STEPS {
            self.shared.breach(format!("no end of steps: {event:?}"));
        }
        self.take(event);
        true
    }

    /// What comes next: the first in time, and any of those that are due already.
    fn next(&mut self) -> Option<(Duration, Event)> {
        let Self { client, server, shared, .. } = self;
        let mut events: Vec<(Duration, Event)> = shared.wire.due().map(|due| (due.at, Event::Arrival(due))).collect();
        events.extend(server.due(shared).map(|(at, number, returns)| {
            (at, if returns { Event::ServerReturned(number) } else { Event::ServerTick(number) })
        }));
        events.extend(
            client
                .due(shared)
                .map(|(at, returns)| (at, if returns { Event::ClientReturned } else { Event::ClientTick })),
        );
        if self.actions > 0 {
            events.push((self.action_at, Event::Action));
        }
        if !shared.calm {
            events.push((self.fault_at, Event::Fault));
        }
        events.extend(self.heals_at.map(|at| (at, Event::Heal)));
        let now = shared.now;
        let first = events.iter().map(|(at, _)| (*at).max(now)).min()?;
        events.retain(|(at, _)| *at <= first);
        let (_, event) = *shared.random.pick(&events);
        Some((first, event))
    }

    fn take(&mut self, event: Event) {
        let Self { client, server, shared, .. } = self;
        match event {
            Event::Arrival(due) => {
                let Some((arrival, room)) = shared.wire.take(shared.now, due) else { return };
                match due.to {
                    Side::Server => server.arrived(shared, due.connection, arrival),
                    Side::Client => client.arrived(shared, due.connection, arrival),
                }
                if room {
                    match due.to {
                        Side::Server => client.writable(shared, due.connection),
                        Side::Client => server.writable(shared, due.connection),
                    }
                }
            }
            Event::ServerTick(number) => server.tick(shared, number),
            Event::ServerReturned(number) => server.returned(shared, number),
            Event::ClientTick => client.tick(shared),
            Event::ClientReturned => client.returned(shared),
            Event::Action => self.action(),
            Event::Fault => self.fault(),
            Event::Heal => {
                shared.note(|| "network: carries again".to_owned());
                self.heals_at = None;
                shared.wire.silence([false; 2]);
                shared.wire.refusing = false;
            }
        }
    }

    /// One of the programs does something.
    fn action(&mut self) {
        let Self { client, server, shared, .. } = self;
        self.actions -= 1;
        let pause = if shared.random.percent(30) { Duration::ZERO } else { 2 * shared.scenario.pace };
        self.action_at = shared.now + shared.random.up_to(pause);
        let namespace = *shared.random.pick(&NAMESPACES[..3]);
        let ack = shared.random.percent(40);
        let open = server.open();
        match shared.random.below(100) {
            0..38 => {
                let volatile = shared.random.percent(10);
                client.emit(shared, namespace, ack && !volatile, volatile);
            }
            38..44 => {
                // A burst, with which writes are cut short.
                for _ in 0..shared.random.below(20) {
                    client.emit(shared, namespace, ack, false);
                }
            }
            44..78 if !open.is_empty() => {
                let count = if shared.random.percent(10) { shared.random.below(20) } else { 1 };
                let number = *shared.random.pick(&open);
                let broadcast = shared.random.percent(20);
                for _ in 0..count {
                    server.emit(shared, number, ack && !broadcast, broadcast);
                }
            }
            78..86 => {
                let namespace = if shared.random.percent(10) { REFUSED } else { namespace };
                client.connect(shared, namespace);
            }
            86..89 => client.disconnect(shared, namespace),
            89..93 => {
                // Leaves, and joins again at once: what was on its way meets the new socket.
                client.disconnect(shared, namespace);
                client.connect(shared, namespace);
            }
            93..95 => {
                client.close(shared);
                if shared.random.percent(70) {
                    client.connect(shared, namespace);
                }
            }
            95..96 if !open.is_empty() => {
                let number = *shared.random.pick(&open);
                server.leave(shared, number);
            }
            96..97 if !open.is_empty() => {
                let number = *shared.random.pick(&open);
                shared.note(|| format!("server {number}: the program closes it"));
                shared.blame(number);
                server.close(shared, number);
            }
            _ => {}
        }
    }

    /// Something goes wrong.
    fn fault(&mut self) {
        let Self { client, server: _, shared, .. } = self;
        self.fault_at = shared.now + shared.random.up_to(2 * shared.scenario.fault_every);
        if shared.scenario.faults.is_empty() {
            return;
        }
        let fault = *shared.random.pick(&shared.scenario.faults);
        shared.note(|| format!("network: {fault:?}"));
        let connections = shared.wire.connections();
        let connection = if connections.is_empty() { 0 } else { *shared.random.pick(&connections) };
        let some = !connections.is_empty();
        match fault {
            Injected::Cut if some => {
                shared.inject(Injected::Cut);
                let lossy = shared.random.percent(50);
                shared.wire.reset(shared.now, connection, lossy);
            }
            Injected::Stall if some => {
                shared.inject(Injected::Stall);
                let side = *shared.random.pick(&[Side::Server, Side::Client]);
                let long = if shared.random.percent(70) {
                    Duration::from_secs(2)
                } else {
                    shared.scenario.heartbeat() + Duration::from_secs(10)
                };
                let until = shared.now + shared.random.up_to(long);
                shared.wire.stall(connection, side, until);
            }
            Injected::Outage | Injected::HalfOpen => {
                let one = shared.random.below(2);
                let sides = if fault == Injected::Outage { [true, true] } else { [one == 0, one == 1] };
                shared.inject(fault);
                let long = shared.random.up_to(shared.scenario.heartbeat());
                self.silence(sides);
                self.heals_at = Some(self.shared.now + long);
            }
            Injected::ClockJump | Injected::Suspension => {
                let far = [Duration::from_secs(2), shared.scenario.heartbeat(), Duration::from_hours(9)];
                let far = *shared.random.pick(&far);
                let jump = shared.random.up_to(far);
                shared.inject(fault);
                self.blame_all();
                if fault == Injected::Suspension {
                    self.shared.now += jump;
                } else {
                    let side = self.shared.random.below(2);
                    self.shared.ahead[side] += jump;
                }
                // A server that has not run sends its ping late, and waits as long as ever for the answer.
                let until = self.shared.clock(Side::Server) + self.shared.scenario.session.ping_timeout;
                for number in self.server.open() {
                    self.shared.ledger.pulse(number, Side::Server, until);
                }
                self.burst = 0;
            }
            Injected::Abort => client.abort(shared),
            Injected::Refusal => {
                shared.wire.refusing = true;
                let long = shared.random.up_to(Duration::from_secs(5));
                self.heals_at = Some(shared.now + long);
            }
            _ => {}
        }
    }

    fn silence(&mut self, sides: [bool; 2]) {
        self.shared.note(|| format!("network: silent, server and client deaf: {sides:?}"));
        self.blame_all();
        self.shared.wire.silence(sides);
    }

    /// What was done may end every session.
    fn blame_all(&mut self) {
        for number in self.server.open() {
            self.shared.blame(number);
        }
        for connection in self.shared.wire.connections() {
            if let Some(carrier) = self.shared.wire.carrier(connection) {
                self.shared.blame(carrier);
            }
        }
        if let Some(number) = self.client.session_number() {
            self.shared.blame(number);
        }
    }

    /// The session that both sides have open.
    fn open_session(&self) -> Option<u32> {
        self.client.open_session().filter(|number| self.server.open().contains(number))
    }

    /// No session lives longer than its heartbeat allows.
    fn check_heartbeats(&mut self) {
        for side in [Side::Server, Side::Client] {
            if let Some((session, late)) = self.shared.ledger.outlived(side, self.shared.clock(side)) {
                self.shared.breach(format!("the {side:?}'s session {session} has outlived its heartbeat by {late:?}"));
            }
        }
    }

    fn check_at_rest(&mut self) {
        if self.shared.is_broken() {
            return;
        }
        let Some(number) = self.open_session() else {
            return self.shared.breach("the client is not connected in the end".to_owned());
        };
        if self.server.open().len() > 1 {
            let line = format!("the server has the sessions {:?} of one client", self.server.open());
            self.shared.breach(line);
        }
        for side in [Side::Server, Side::Client] {
            let left = self.shared.ledger.underway(number, side);
            if left > 0 {
                self.shared.breach(format!("{left} messages have not arrived at the {side:?} in session {number}"));
            }
        }
        let joined = self.server.sockets(number);
        for namespace in NAMESPACES {
            let (here, there) = (self.client.socket(namespace), joined.get(namespace).copied());
            if here != there || here.is_some() != self.client.active(namespace) {
                self.shared.breach(format!("{namespace}: the client has socket {here:?}, the server {there:?}"));
            }
            for side in [Side::Server, Side::Client] {
                let left = here.map_or(0, |socket| self.shared.ledger.missing(socket, side));
                if left > 0 {
                    self.shared.breach(format!("{left} events have not arrived at the {side:?} in {namespace}"));
                }
            }
        }
        if self.client.transport() != self.server.transport(number) {
            self.shared.breach(format!("the client is on {:?}, the server is not", self.client.transport()));
        }
    }
}
