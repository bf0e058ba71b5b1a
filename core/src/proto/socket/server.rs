//! The server's end of a connection.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use smallvec::SmallVec;

use super::acks::AckTable;
use super::decoder::{Decoder, Packet};
use super::error::ProtocolError;
use super::event::ReceivedEvent;
use super::text;
use crate::data::{Limits, Payload};
use crate::proto::engine::packet::Message;

/// The namespaces that a client has joined over one connection, and what the server waits for from it.
///
/// `S` is what the layer above knows a joined socket by, and is cloned with every event; `W` waits for an acknowledgement.
/// A connection without a namespace holds no memory here, one with a single namespace none but the peer itself.
#[derive(Debug)]
pub struct ServerPeer<S, W> {
    decoder: Decoder,
    /// In the order of their names.
    joined: SmallVec<[Joined<S, W>; 1]>,
    /// The first id of the next namespace's acknowledgements: a client that leaves and joins again may still answer what the
    /// socket before asked.
    next_ack: u64,
}

/// A namespace that the client has joined, or had.
#[derive(Debug)]
pub struct Joined<S, W> {
    /// The namespace's name.
    pub namespace: Arc<str>,
    /// The client's socket there.
    pub socket: S,
    /// Who waits for answers of the client.
    pub acks: AckTable<W>,
}

/// What a message of the client means for the layer above.
#[derive(Debug)]
pub enum Incoming<'a, S, W> {
    /// The client wants to join. Either [`join`](ServerPeer::join) and answer with [`text::connected`], or answer with
    /// [`text::connect_error`].
    Connect {
        /// The namespace's name, of bounded length.
        namespace: &'a str,
        /// The auth data, a JSON object.
        auth: Option<&'a str>,
    },
    /// The client wants to join and may not: send this `CONNECT_ERROR`.
    Refused(Bytes),
    /// An event for a socket.
    Event {
        /// The socket.
        socket: S,
        /// The event.
        event: ReceivedEvent,
    },
    /// The answer that `waiter` waits for.
    Ack {
        /// The socket whose client answered.
        socket: S,
        /// Who asked.
        waiter: W,
        /// The answer.
        payload: Payload,
    },
    /// The client left a namespace: `client namespace disconnect`.
    Disconnect(Joined<S, W>),
}

impl<S: Clone, W> ServerPeer<S, W> {
    /// The peer of a new connection, in no namespace.
    pub fn new() -> Self {
        Self { decoder: Decoder::new(), joined: SmallVec::new(), next_ack: 0 }
    }

    /// Takes a message of the client. Most become something to do; a binary packet's first ones, and answers that nobody
    /// waits for, do not.
    ///
    /// After an error the connection is closed. The client sees it as the official server lets it see it: without a word.
    pub fn receive<'a>(
        &mut self,
        message: Message<'a>,
        limits: &Limits,
    ) -> Result<Option<Incoming<'a, S, W>>, ProtocolError> {
        let joined = &self.joined;
        let Some(decoded) = self.decoder.add(message, limits, |namespace| find(joined, namespace).is_ok())? else {
            return Ok(None);
        };
        let place = find(joined, &decoded.namespace);
        match (decoded.packet, place) {
            (Packet::Connect(auth), Err(_)) => Ok(Some(self.connect(&decoded.namespace, auth, limits))),
            (Packet::Event(event), Ok(at)) => {
                Ok(Some(Incoming::Event { socket: self.joined[at].socket.clone(), event }))
            }
            (Packet::Ack(id, payload), Ok(at)) => {
                let joined = &mut self.joined[at];
                let waiter = id.and_then(|id| joined.acks.take(id));
                Ok(waiter.map(|waiter| Incoming::Ack { socket: joined.socket.clone(), waiter, payload }))
            }
            (Packet::Disconnect, Ok(at)) => Ok(Some(Incoming::Disconnect(self.remove(at)))),
            _ => Err(ProtocolError::State),
        }
    }

    fn connect<'a>(&self, namespace: &Cow<'a, str>, auth: Option<&'a str>, limits: &Limits) -> Incoming<'a, S, W> {
        match namespace {
            _ if self.joined.len() >= limits.namespaces => {
                Incoming::Refused(text::connect_error(namespace, "Too many namespaces", None))
            }
            // Only what came with attachments is owned.
            Cow::Borrowed(namespace) if namespace.len() <= limits.namespace_name => {
                Incoming::Connect { namespace, auth }
            }
            _ => Incoming::Refused(text::connect_error(namespace, "Invalid namespace", None)),
        }
    }

    /// The client is in `namespace` from now on. A socket that is there already is given back, in place of the new one.
    pub fn join(&mut self, namespace: Arc<str>, socket: S) -> Option<Joined<S, W>> {
        let before = self.leave(&namespace);
        let acks = AckTable::after(self.next_ack);
        let at = find(&self.joined, &namespace).unwrap_or_else(|at| at);
        self.joined.insert(at, Joined { namespace, socket, acks });
        before
    }

    /// The client is not in `namespace` any more.
    pub fn leave(&mut self, namespace: &str) -> Option<Joined<S, W>> {
        find(&self.joined, namespace).ok().map(|at| self.remove(at))
    }

    fn remove(&mut self, at: usize) -> Joined<S, W> {
        let left = self.joined.remove(at);
        self.next_ack = self.next_ack.max(left.acks.next_id());
        if self.joined.len() <= 1 {
            self.joined.shrink_to_fit();
        }
        left
    }

    /// The connection is gone: all namespaces are left, and a packet that is not complete is forgotten.
    pub fn close(&mut self) -> impl Iterator<Item = Joined<S, W>> + use<S, W> {
        self.decoder.reset();
        std::mem::take(&mut self.joined).into_iter()
    }

    /// The sockets of this connection.
    pub fn sockets(&self) -> impl Iterator<Item = &S> {
        self.joined.iter().map(|joined| &joined.socket)
    }

    /// The socket in `namespace`.
    pub fn socket(&self, namespace: &str) -> Option<&S> {
        find(&self.joined, namespace).ok().map(|at| &self.joined[at].socket)
    }

    /// Whether no namespace is joined.
    pub fn is_empty(&self) -> bool {
        self.joined.is_empty()
    }

    /// How many bytes of packets that are not complete are kept.
    pub fn held_bytes(&self) -> usize {
        self.decoder.held_bytes()
    }

    /// Lets `waiter` wait for the client's answer until `deadline`. Returns the id to put into the event, and the waiter that
    /// has to give way when too many wait; `None`, dropping `waiter`, when the namespace is not joined.
    pub fn expect_ack(
        &mut self,
        namespace: &str,
        waiter: W,
        deadline: Option<Instant>,
        limits: &Limits,
    ) -> Option<(u64, Option<W>)> {
        let at = find(&self.joined, namespace).ok()?;
        Some(self.joined[at].acks.insert(waiter, deadline, limits.pending_acks))
    }

    /// Takes back a waiter, because the event that asks cannot be sent.
    pub fn cancel_ack(&mut self, namespace: &str, id: u64) -> Option<W> {
        let at = find(&self.joined, namespace).ok()?;
        self.joined[at].acks.take(id)
    }

    /// When [`expire`](Self::expire) is wanted next.
    pub fn deadline(&self) -> Option<Instant> {
        self.joined.iter().filter_map(|joined| joined.acks.deadline()).min()
    }

    /// One waiter whose time is over. Call it until there is none.
    pub fn expire(&mut self, now: Instant) -> Option<W> {
        self.joined.iter_mut().find_map(|joined| joined.acks.expire(now)).map(|(_, waiter)| waiter)
    }
}

impl<S: Clone, W> Default for ServerPeer<S, W> {
    fn default() -> Self {
        Self::new()
    }
}

fn find<S, W>(joined: &[Joined<S, W>], namespace: &str) -> Result<usize, usize> {
    joined.binary_search_by(|joined| (*joined.namespace).cmp(namespace))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    type Peer = ServerPeer<&'static str, &'static str>;

    const LIMITS: Limits = Limits::DEFAULT;

    /// A peer in `/` and `/adm`.
    fn peer() -> Peer {
        let mut peer = Peer::new();
        assert!(peer.join("/".into(), "root").is_none());
        assert!(peer.join("/adm".into(), "admin").is_none());
        peer
    }

    #[track_caller]
    fn receive<'a>(
        peer: &mut Peer,
        text: &'a str,
    ) -> Result<Option<Incoming<'a, &'static str, &'static str>>, ProtocolError> {
        peer.receive(Message::Text(text), &LIMITS)
    }

    #[track_caller]
    fn refuses(text: &str, error: ProtocolError) {
        assert_eq!(receive(&mut peer(), text).map(drop), Err(error), "{text}");
    }

    #[test]
    fn a_client_joins_the_namespaces_it_names() {
        let mut peer = Peer::new();
        for (text, name, data) in [
            ("0", "/", None),
            ("0{\"a\":1}", "/", Some("{\"a\":1}")),
            ("0/adm", "/adm", None),
            ("0/adm,", "/adm", None),
            ("0/adm,{ } ", "/adm", Some("{ }")),
            ("0/?x=1,", "/?x=1", None),
        ] {
            let Ok(Some(Incoming::Connect { namespace, auth })) = receive(&mut peer, text) else { panic!("{text}") };
            assert_eq!((namespace, auth), (name, data));
        }
    }

    #[test]
    fn auth_data_nests_no_deeper_than_an_argument_may() {
        for (depth, fits) in [(126, true), (127, true), (128, false)] {
            let text = format!("0{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
            assert_eq!(receive(&mut Peer::new(), &text).is_ok(), fits, "{depth}");
        }
    }

    #[test]
    fn events_reach_the_socket_of_their_namespace() {
        let mut peer = peer();
        for (text, to, id) in [("2[\"a\",1]", "root", None), ("2/adm,0[\"a\",1]", "admin", Some(0))] {
            let Ok(Some(Incoming::Event { socket, event })) = receive(&mut peer, text) else { panic!("{text}") };
            assert_eq!((socket, event.name(), event.payload().json(), event.ack()), (to, "a", "[1]", id));
        }
    }

    #[test]
    fn an_ack_id_is_exact_to_64_bits() {
        let Ok(Some(Incoming::Event { event, .. })) = receive(&mut peer(), "218446744073709551615[\"a\"]") else {
            panic!()
        };
        assert_eq!(event.ack(), Some(u64::MAX));
        refuses("218446744073709551616[\"a\"]", ProtocolError::AckId);
        refuses(&format!("2{}[\"a\"]", "9".repeat(100_000)), ProtocolError::AckId);
    }

    #[test]
    fn answers_reach_their_waiter_once() {
        let mut peer = peer();
        assert_eq!(peer.expect_ack("/adm", "w", None, &LIMITS), Some((0, None)));

        assert!(matches!(receive(&mut peer, "30[]"), Ok(None)));
        let Ok(Some(Incoming::Ack { socket, waiter, payload })) = receive(&mut peer, "3/adm,0[\"x\"]") else {
            panic!()
        };
        assert_eq!((socket, waiter, payload.json()), ("admin", "w", "[\"x\"]"));
        assert!(matches!(receive(&mut peer, "3/adm,0[\"x\"]"), Ok(None)));
        assert!(matches!(receive(&mut peer, "3/adm,[\"x\"]"), Ok(None)));
    }

    #[test]
    fn waiters_expire() {
        let start = Instant::now();
        let mut peer = peer();
        peer.expect_ack("/adm", "w", Some(start + Duration::from_secs(1)), &LIMITS);

        assert_eq!(peer.deadline(), Some(start + Duration::from_secs(1)));
        assert_eq!(peer.expire(start), None);
        assert_eq!(peer.expire(start + Duration::from_secs(1)), Some("w"));
        assert_eq!(peer.deadline(), None);
    }

    #[test]
    fn a_client_leaves_a_namespace_and_takes_its_waiters_along() {
        let mut peer = peer();
        peer.expect_ack("/adm", "w", None, &LIMITS);

        let Ok(Some(Incoming::Disconnect(mut left))) = receive(&mut peer, "1/adm,") else { panic!() };

        assert_eq!((left.socket, left.acks.drain().next()), ("admin", Some((0, "w"))));
        assert_eq!(peer.sockets().collect::<Vec<_>>(), [&"root"]);
        assert!(matches!(receive(&mut peer, "0/adm,"), Ok(Some(Incoming::Connect { .. }))));
    }

    #[test]
    fn an_answer_to_the_socket_before_reaches_nobody() {
        let mut peer = peer();
        assert_eq!(peer.expect_ack("/adm", "before", None, &LIMITS), Some((0, None)));
        assert!(matches!(receive(&mut peer, "1/adm,"), Ok(Some(Incoming::Disconnect(_)))));
        peer.join("/adm".into(), "again");
        assert_eq!(peer.expect_ack("/adm", "now", None, &LIMITS), Some((1, None)));

        // The client read the event between its DISCONNECT and the answer to its second CONNECT.
        assert!(matches!(receive(&mut peer, "3/adm,0[]"), Ok(None)));
        let Ok(Some(Incoming::Ack { waiter, .. })) = receive(&mut peer, "3/adm,1[]") else { panic!() };
        assert_eq!(waiter, "now");
    }

    #[test]
    fn a_closed_connection_leaves_every_namespace() {
        let mut peer = peer();
        assert!(matches!(receive(&mut peer, "51-[\"a\"]"), Ok(None)));

        assert_eq!(peer.close().map(|left| left.socket).collect::<Vec<_>>(), ["root", "admin"]);
        assert!(peer.is_empty());
    }

    #[test]
    fn a_packet_that_does_not_fit_the_state_closes() {
        for text in
            ["2/x,[\"a\"]", "3/x,0[]", "1/x,", "51-/x,[\"a\"]", "0", "0/adm,{}", "4{\"message\":\"\"}", "4/x,\"a\""]
        {
            refuses(text, ProtocolError::State);
        }
    }

    #[test]
    fn malformed_packets_close() {
        for text in ["", "7", "9[\"a\"]", "a", "\u{e9}", "[\"a\"]", " 2[\"a\"]"] {
            refuses(text, ProtocolError::UnknownType);
        }
        for text in ["3", "30", "30{}", "30\"a\"", "0[]", "0\"a\"", "01", "0null", "1[]", "1{}"] {
            let error = receive(&mut if text.starts_with('0') { Peer::new() } else { peer() }, text).map(drop);
            assert!(matches!(error, Err(ProtocolError::Payload) | Ok(())), "{text}: {error:?}");
        }
        for text in ["2", "21", "2{}", "2 [\"a\"]", "21.5[\"a\"]", "2-1[\"a\"]", "2[\"a\"", "2[\"a\"]x", "2undefined"] {
            assert!(matches!(receive(&mut peer(), text), Err(ProtocolError::Json(_))), "{text}");
        }
        for text in ["2[]", "2[null]", "2[{}]", "2[\"connect\"]", "2[\"disconnecting\",1]"] {
            refuses(text, ProtocolError::EventName);
        }
    }

    #[test]
    fn a_binary_event_waits_for_its_attachments() {
        let mut peer = peer();
        let head = r#"52-/adm,3["a",{"_placeholder":true,"num":1},{"x":{"_placeholder":true,"num":0}}]"#;

        assert!(matches!(receive(&mut peer, head), Ok(None)));
        assert!(matches!(peer.receive(Message::Binary(b"one"), &LIMITS), Ok(None)));
        let complete = peer.receive(Message::Binary(b"two"), &LIMITS);

        let Ok(Some(Incoming::Event { socket, event })) = complete else { panic!("{complete:?}") };
        assert_eq!((socket, event.name(), event.ack()), ("admin", "a", Some(3)));
        assert_eq!(event.payload().attachments(), [&b"one"[..], b"two"]);
        assert!(matches!(receive(&mut peer, "2[\"a\"]"), Ok(Some(_))));
    }

    #[test]
    fn a_binary_answer_waits_for_its_attachments() {
        let mut peer = peer();
        peer.expect_ack("/", "w", None, &LIMITS);

        assert!(matches!(receive(&mut peer, r#"61-0[{"_placeholder":true,"num":0}]"#), Ok(None)));
        let Ok(Some(Incoming::Ack { payload, .. })) = peer.receive(Message::Binary(b"x"), &LIMITS) else { panic!() };
        assert_eq!(payload.attachments(), [&b"x"[..]]);
    }

    #[test]
    fn attachments_that_no_placeholder_names_are_tolerated() {
        let mut peer = peer();
        assert!(matches!(receive(&mut peer, "51-[\"a\"]"), Ok(None)));
        let Ok(Some(Incoming::Event { event, .. })) = peer.receive(Message::Binary(b"x"), &LIMITS) else { panic!() };
        assert_eq!((event.name(), event.payload().json()), ("a", "[]"));
        assert_eq!(event.payload().attachments().len(), 1);
    }

    #[test]
    fn wrong_announcements_of_attachments_close() {
        for text in
            ["50-[\"a\"]", "5[\"a\"]", "5-[\"a\"]", "51[\"a\"]", "5", "51", "5x-[\"a\"]", "5-1-[\"a\"]", "51.0-[\"a\"]"]
        {
            refuses(text, ProtocolError::Attachments);
        }
        for number in ["11", "99999999999999999999999"] {
            refuses(&format!("5{number}-[\"a\"]"), ProtocolError::TooManyAttachments);
        }
        for count in [9, 10] {
            assert!(matches!(receive(&mut peer(), &format!("5{count}-[\"a\"]")), Ok(None)));
        }
    }

    #[test]
    fn placeholders_out_of_range_close() {
        for num in ["1", "-1", "0.5", "1e0", "\"0\"", "null", "4294967296", "{}"] {
            let text = format!(r#"51-["a",{{"_placeholder":true,"num":{num}}}]"#);
            assert!(matches!(receive(&mut peer(), &text), Err(ProtocolError::Json(_))), "{text}");
        }
        let escaped = r#"51-["a",{"_place\u0068older":true,"num":1}]"#;
        assert!(matches!(receive(&mut peer(), escaped), Err(ProtocolError::Json(_))));
        // Not a placeholder, whatever it is.
        for text in [
            r#"51-["a",{"_placeholder":false,"num":7}]"#,
            r#"51-["a",{"_placeholder":1,"num":7}]"#,
            r#"2["a",{"_placeholder":true,"num":7}]"#,
        ] {
            assert!(receive(&mut peer(), text).is_ok(), "{text}");
        }
    }

    #[test]
    fn nothing_may_come_between_a_packet_and_its_attachments() {
        let mut peer = peer();
        assert!(matches!(receive(&mut peer, "51-[\"a\"]"), Ok(None)));
        assert!(matches!(receive(&mut peer, "2/adm,[\"a\"]"), Err(ProtocolError::UnexpectedText)));
    }

    #[test]
    fn binary_data_that_nothing_announced_closes() {
        assert!(matches!(peer().receive(Message::Binary(b"x"), &LIMITS), Err(ProtocolError::UnexpectedBinary)));
    }

    #[test]
    fn what_waits_for_attachments_is_bounded_in_all() {
        let head = "52-[\"a\"]";
        let limits = Limits { max_payload: head.len() + 10, ..LIMITS };
        for (second, fits) in [(4, true), (5, true), (6, false)] {
            let mut peer = peer();
            assert!(matches!(peer.receive(Message::Text(head), &limits), Ok(None)));
            assert!(matches!(peer.receive(Message::Binary(&[0; 5]), &limits), Ok(None)));
            let complete = peer.receive(Message::Binary(&vec![0; second]), &limits).map(|incoming| incoming.is_some());
            assert_eq!(complete, if fits { Ok(true) } else { Err(ProtocolError::TooLarge) });
            assert_eq!(peer.held_bytes(), 0);
        }
    }

    #[test]
    fn the_bound_of_namespace_names_holds() {
        let named = |length: usize| format!("/{}", "x".repeat(length - 1));
        for (length, fits) in [(255, true), (256, true), (257, false)] {
            let name = named(length);
            let mut peer = Peer::new();
            match receive(&mut peer, &format!("0{name},")) {
                Ok(Some(Incoming::Connect { namespace, .. })) => assert!(fits && namespace == name),
                Ok(Some(Incoming::Refused(reply))) => {
                    assert!(!fits && reply == format!("44{name},{{\"message\":\"Invalid namespace\"}}"));
                }
                other => panic!("{other:?}"),
            }
            let error = if fits { ProtocolError::State } else { ProtocolError::NamespaceName };
            assert_eq!(receive(&mut peer, &format!("2{name},[\"a\"]")).map(drop), Err(error));
        }
    }

    #[test]
    fn the_bound_of_namespaces_holds() {
        let mut peer = Peer::new();
        for i in 0..LIMITS.namespaces {
            let text = format!("0/{i}");
            assert!(matches!(receive(&mut peer, &text), Ok(Some(Incoming::Connect { .. }))), "{text}");
            peer.join(format!("/{i}").into(), "s");
        }
        let Ok(Some(Incoming::Refused(reply))) = receive(&mut peer, "0/more") else { panic!() };
        assert!(reply.starts_with(b"44/more,{\"message\":"));
    }

    #[test]
    fn a_peer_is_small() {
        assert!(size_of::<ServerPeer<Arc<()>, [u64; 4]>>() <= 64, "{}", size_of::<ServerPeer<Arc<()>, [u64; 4]>>());
    }

    #[test]
    fn no_input_makes_it_panic() {
        let mut random = crate::data::tests::Random::new(7);
        let seeds = [
            r#"2["a",{"b":[1,2.5e3,"\u00e9",null]}]"#,
            r#"52-/adm,12["a",{"_placeholder":true,"num":0}]"#,
            r#"0/x,{"a":1}"#,
            "30[]",
            "1",
        ];
        let mut peer = peer();
        for _ in 0..20_000 {
            let seed = seeds[random.below(seeds.len())];
            let text = random.mutate(seed);
            if receive(&mut peer, &text).is_err() || random.below(50) == 0 {
                peer.close().for_each(drop);
                peer.join("/".into(), "root");
                peer.join("/adm".into(), "admin");
            }
            let _ = peer.receive(Message::Binary(b"x"), &LIMITS);
        }
    }
}
