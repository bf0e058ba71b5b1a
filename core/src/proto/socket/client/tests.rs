use std::time::Duration;

use super::*;

type Peer = ClientPeer<&'static str, &'static str>;

const LIMITS: Limits = Limits::DEFAULT;

/// A peer with inactive sockets for `/` and `/adm`.
fn peer() -> Peer {
    let mut peer = Peer::new();
    peer.add("/".into(), "root", &LIMITS).unwrap();
    peer.add("/adm".into(), "admin", &LIMITS).unwrap();
    peer
}

/// A peer whose `/` is connected, and `/adm` connecting.
fn connected() -> Peer {
    let mut peer = peer();
    peer.opened();
    assert!(peer.connect("/") && peer.connect("/adm"));
    assert!(matches!(receive(&mut peer, "0{\"sid\":\"x\"}"), Some(Incoming::Connected { sid, .. }) if *sid == *"x"));
    peer
}

#[track_caller]
fn receive(peer: &mut Peer, text: &str) -> Option<Incoming<&'static str, &'static str>> {
    peer.receive(Message::Text(text), &LIMITS).unwrap()
}

#[track_caller]
fn emit(peer: &mut Peer, namespace: &str, name: &str) -> Option<Bytes> {
    peer.emit(namespace, name, &Payload::new(), &mut None, &LIMITS).unwrap().send.map(|sent| sent.text().clone())
}

#[track_caller]
fn ask(peer: &mut Peer, namespace: &str, waiter: &'static str, deadline: Option<Instant>) -> Option<Bytes> {
    let emitted = peer.emit(namespace, "q", &Payload::new(), &mut Some((waiter, deadline)), &LIMITS).unwrap();
    emitted.send.map(|sent| sent.text().clone())
}

#[test]
fn active_sockets_connect_when_the_connection_opens() {
    let mut peer = peer();
    assert!(!peer.connect("/adm"));
    assert!(peer.active("/adm") && !peer.connected("/adm") && !peer.active("/"));

    assert_eq!(peer.opened(), [("/adm".into(), "admin")]);
    assert!(!peer.connect("/adm"));
    assert!(peer.connect("/"));
    assert!(
        matches!(receive(&mut peer, "0/adm,{\"sid\":\"\\u0061\"}"), Some(Incoming::Connected { socket: "admin", sid, .. }) if *sid == *"a")
    );
    assert!(peer.connected("/adm") && !peer.connected("/"));
}

#[test]
fn what_is_emitted_before_the_connection_is_sent_with_it_in_order() {
    let mut peer = peer();
    assert_eq!(emit(&mut peer, "/", "a"), None);
    peer.connect("/");
    peer.opened();
    assert_eq!(ask(&mut peer, "/", "w", None), None);

    let Some(Incoming::Connected { unsent, .. }) = receive(&mut peer, "0{\"sid\":\"x\"}") else { panic!() };
    assert_eq!(unsent.iter().map(Outgoing::text).collect::<Vec<_>>(), ["42[\"a\"]", "420[\"q\"]"]);
    assert_eq!(emit(&mut peer, "/", "b").unwrap(), "42[\"b\"]");
    assert!(matches!(receive(&mut peer, "30[1]"), Some(Incoming::Ack { waiter: "w", .. })));
}

#[test]
fn what_arrived_for_an_attempt_that_was_given_up_is_not_for_the_next_one() {
    let mut peer = connected();
    assert!(receive(&mut peer, "2/adm,[\"a\"]").is_none());
    peer.disconnect("/adm");
    peer.closed();
    peer.connect("/adm");
    peer.opened();
    let Some(Incoming::Connected { early, .. }) = receive(&mut peer, "0/adm,{\"sid\":\"y\"}") else { panic!() };
    assert!(early.is_empty());

    let mut peer = connected();
    assert!(receive(&mut peer, "2/adm,[\"a\"]").is_none());
    assert!(matches!(receive(&mut peer, "4/adm,{\"message\":\"no\"}"), Some(Incoming::ConnectError { .. })));
    assert!(peer.connect("/adm"));
    let Some(Incoming::Connected { early, .. }) = receive(&mut peer, "0/adm,{\"sid\":\"y\"}") else { panic!() };
    assert!(early.is_empty());
}

#[test]
fn what_arrives_before_the_confirmation_is_delivered_with_it() {
    let mut peer = connected();
    assert!(receive(&mut peer, "2/adm,[\"a\"]").is_none());
    assert!(receive(&mut peer, "2/adm,[\"b\"]").is_none());

    let Some(Incoming::Connected { early, .. }) = receive(&mut peer, "0/adm,{\"sid\":\"y\"}") else { panic!() };
    assert_eq!(early.iter().map(ReceivedEvent::name).collect::<Vec<_>>(), ["a", "b"]);
    assert!(matches!(receive(&mut peer, "2/adm,[\"c\"]"), Some(Incoming::Event { socket: "admin", .. })));
}

#[test]
fn what_arrives_before_the_confirmation_is_bounded() {
    let limits = Limits { undelivered_events: 2, ..LIMITS };
    let mut peer = connected();
    for fits in [true, true, false] {
        assert_eq!(peer.receive(Message::Text("2/adm,[\"a\"]"), &limits).is_ok(), fits);
    }
}

#[test]
fn a_confirmation_without_an_id_is_an_old_server() {
    let mut peer = peer();
    peer.opened();
    peer.connect("/");
    for text in ["0", "0{}", "0{\"sid\":\"\"}", "0{\"sid\":1}"] {
        let Some(Incoming::ConnectError { error, .. }) = receive(&mut peer, text) else { panic!("{text}") };
        assert!(error.message().starts_with("It seems you are trying to reach a Socket.IO server in v2.x"));
    }
}

#[test]
fn a_refused_socket_is_not_active_any_more() {
    for (text, message, data) in [
        ("4/adm,{\"message\":\"Invalid namespace\"}", "Invalid namespace", None),
        ("4/adm,{\"message\":\"n\\u006f\",\"data\":{\"a\": 1}}", "no", Some("{\"a\": 1}")),
        ("4/adm,\"Unable to connect\"", "Unable to connect", None),
    ] {
        let mut peer = connected();
        let Some(Incoming::ConnectError { socket, error }) = receive(&mut peer, text) else { panic!("{text}") };
        assert_eq!(
            (socket, error.kind(), error.message(), error.data()),
            ("admin", ErrorKind::Rejected, message, data)
        );
        assert!(!peer.active("/adm") && peer.connected("/") && peer.any_active());
    }
}

#[test]
fn the_server_can_put_a_socket_out() {
    let mut peer = connected();
    ask(&mut peer, "/", "w", None);

    let Some(Incoming::Disconnected(left)) = receive(&mut peer, "1") else { panic!() };

    assert_eq!((left.socket, left.connected, left.waiters), ("root", true, vec!["w"]));
    assert!(!peer.active("/") && peer.active("/adm"));
    assert!(receive(&mut peer, "2[\"a\"]").is_none());
}

#[test]
fn a_socket_can_leave() {
    let mut peer = connected();
    ask(&mut peer, "/", "w", None);

    let (message, left) = peer.disconnect("/").unwrap();

    assert_eq!((&message[..], left.waiters), (&b"41"[..], vec!["w"]));
    assert!(peer.disconnect("/").is_none());
    assert_eq!(emit(&mut peer, "/", "later"), None);
    assert!(peer.connect("/"));
    let Some(Incoming::Connected { unsent, .. }) = receive(&mut peer, "0{\"sid\":\"z\"}") else { panic!() };
    assert_eq!(unsent.len(), 1);
}

#[test]
fn a_socket_that_leaves_while_it_connects_does_so_when_the_server_answers() {
    let mut peer = connected();
    assert!(peer.disconnect("/adm").is_none());
    assert!(!peer.active("/adm"));

    assert!(matches!(receive(&mut peer, "0/adm,{\"sid\":\"y\"}"), Some(Incoming::Reply(reply)) if reply == "41/adm,"));

    assert!(peer.connect("/adm"));
    assert!(peer.disconnect("/adm").is_none());
    assert!(!peer.connect("/adm"), "one CONNECT is on its way already");
    assert!(matches!(receive(&mut peer, "0/adm,{\"sid\":\"y\"}"), Some(Incoming::Connected { .. })));
}

#[test]
fn a_lost_connection_fails_what_was_asked_and_keeps_what_was_not_sent() {
    let mut peer = connected();
    ask(&mut peer, "/", "asked", None);
    ask(&mut peer, "/adm", "kept", None);
    assert!(peer.receive(Message::Text("51-[\"a\"]"), &LIMITS).unwrap().is_none());

    let lost: Vec<_> = peer.closed().into_iter().map(|left| (left.socket, left.connected, left.waiters)).collect();

    assert_eq!(lost, [("root", true, vec!["asked"]), ("admin", false, vec![])]);
    assert!(peer.active("/") && !peer.connected("/"));
    assert!(peer.closed().is_empty());
    assert_eq!(peer.opened().len(), 2);
    let Some(Incoming::Connected { unsent, .. }) = receive(&mut peer, "0/adm,{\"sid\":\"y\"}") else { panic!() };
    assert_eq!(unsent[0].text(), "42/adm,0[\"q\"]");
    assert!(matches!(receive(&mut peer, "3/adm,0[]"), Some(Incoming::Ack { waiter: "kept", .. })));
}

#[test]
fn an_event_whose_answer_is_overdue_is_not_sent_any_more() {
    let start = Instant::now();
    let deadline = Some(start + Duration::from_secs(1));
    let mut peer = peer();
    ask(&mut peer, "/", "w", deadline);
    emit(&mut peer, "/", "a");

    assert_eq!(peer.deadline(), deadline);
    assert_eq!(peer.expire(start), None);
    assert_eq!(peer.expire(start + Duration::from_secs(1)), Some("w"));

    peer.connect("/");
    peer.opened();
    let Some(Incoming::Connected { unsent, .. }) = receive(&mut peer, "0{\"sid\":\"x\"}") else { panic!() };
    assert_eq!(unsent.iter().map(Outgoing::text).collect::<Vec<_>>(), ["42[\"a\"]"]);
}

#[test]
fn volatile_events_are_dropped_when_they_cannot_be_written() {
    let mut peer = connected();
    let mut volatile =
        |namespace, writable| peer.emit_volatile(namespace, "v", &Payload::new(), writable, &LIMITS).unwrap().is_some();
    assert!(volatile("/", true) && !volatile("/", false) && !volatile("/adm", true) && !volatile("/adm", false));

    let Some(Incoming::Connected { unsent, .. }) = receive(&mut peer, "0/adm,{\"sid\":\"y\"}") else { panic!() };
    assert_eq!(unsent.len(), 1);
}

#[test]
fn what_is_kept_is_bounded() {
    let limits = Limits { queued_bytes: 10, ..LIMITS };
    let mut peer = peer();
    let emit =
        |peer: &mut Peer| peer.emit("/", "12345", &Payload::new(), &mut None, &limits).map(drop).map_err(|e| e.kind());
    assert_eq!(emit(&mut peer), Ok(()));
    assert_eq!(emit(&mut peer), Err(ErrorKind::Backpressure));
    peer.opened();
    peer.connect("/");
    receive(&mut peer, "0{\"sid\":\"x\"}");
    assert_eq!(emit(&mut peer), Ok(()));
}

#[test]
fn answers_are_sent_while_connected_only() {
    let mut peer = connected();
    assert_eq!(peer.answer("/", 3, &Payload::new()).unwrap().text(), "433[]");
    peer.closed();
    assert!(peer.answer("/", 3, &Payload::new()).is_none());
}

#[test]
fn a_namespace_has_one_socket_and_their_number_is_bounded() {
    let mut peer = Peer::new();
    for i in 0..LIMITS.namespaces {
        peer.add(format!("/{i}").into(), "s", &LIMITS).unwrap();
    }
    assert_eq!(peer.add("/more".into(), "s", &LIMITS).map_err(|e| e.kind()), Err(ErrorKind::TooLarge));

    let mut peer = self::peer();
    assert_eq!(peer.add("/".into(), "s", &LIMITS).map_err(|e| e.kind()), Err(ErrorKind::InvalidState));
    let longest = format!("/{}", "x".repeat(255));
    assert!(peer.add(longest.as_str().into(), "s", &LIMITS).is_ok());
    assert!(peer.add((longest + "x").into(), "s", &LIMITS).is_err());
}

#[test]
fn packets_for_unknown_namespaces_are_ignored() {
    let mut peer = connected();
    for text in ["2/x,[\"a\"]", "1/x,", "0/x,{\"sid\":\"s\"}", "4/x,{}", "3/x,0[]"] {
        assert!(receive(&mut peer, text).is_none());
    }
    assert!(matches!(peer.receive(Message::Text("9"), &LIMITS), Err(ProtocolError::UnknownType)));
}

#[test]
fn no_input_makes_it_panic() {
    let mut random = crate::data::tests::Random::new(11);
    let seeds = [
        r#"0{"sid":"a","pid":"b"}"#,
        r#"4/adm,{"message":"m","data":{}}"#,
        r#"2/adm,1["a",{"b":[]}]"#,
        r#"51-["a"]"#,
        "1",
        "30[]",
    ];
    let mut peer = connected();
    for _ in 0..20_000 {
        let seed = seeds[random.below(seeds.len())];
        if peer.receive(Message::Text(&random.mutate(seed)), &LIMITS).is_err() {
            peer.closed();
            peer.opened();
        }
        let _ = peer.receive(Message::Binary(b"x"), &LIMITS);
        peer.connect("/");
        peer.connect("/adm");
    }
}

#[test]
fn a_socket_that_is_asked_what_its_connect_carries_connects_when_it_has_answered() {
    let mut peer = peer();
    peer.opened();
    assert!(peer.connect("/"));
    peer.ask("/");
    assert!(peer.active("/") && !peer.connect("/"));
    assert_eq!(emit(&mut peer, "/", "kept"), None);
    assert!(receive(&mut peer, "0{\"sid\":\"x\"}").is_none() && receive(&mut peer, "2[\"a\"]").is_none());
    assert!(peer.asked("/") && !peer.asked("/"));
    let Some(Incoming::Connected { unsent, .. }) = receive(&mut peer, "0{\"sid\":\"x\"}") else { panic!() };
    assert_eq!(unsent.len(), 1);
    peer.ask("/");
    assert!(peer.connected("/"));
}

#[test]
fn nobody_waits_for_the_answer_of_a_socket_that_has_left_or_lost_its_connection() {
    let mut peer = peer();
    peer.opened();
    assert!(peer.connect("/"));
    peer.ask("/");
    assert!(peer.disconnect("/").is_none());
    assert!(!peer.active("/") && !peer.asked("/"));

    // No CONNECT was sent, so no answer is waited for: the next one is sent at once.
    assert!(peer.connect("/"));
    peer.ask("/");
    peer.closed();
    assert!(peer.active("/") && !peer.asked("/"));
    assert_eq!(peer.opened(), [("/".into(), "root")]);
}
