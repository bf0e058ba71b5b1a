//! Middlewares as the official client sees them: the same as those of the official server, line by line. `node` with the
//! packages that `make test` installs under `tests/interop`.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use socketio_core::data::Payload;
use socketio_core::runtime::dispatch::event::Event;
use socketio_core::runtime::{Runtime, RuntimeConfig};
use socketio_core::server::{Server, ServerConfig, Socket};
use socketio_tests::c::{root, succeed};

fn script() -> Command {
    let interop = root().join("tests/interop");
    assert!(interop.join("node_modules").exists(), "run scripts/setup first");
    let mut node = Command::new("node");
    node.arg(interop.join("middleware.mjs"));
    node
}

/// What the official client sees of a server.
fn visit(url: &str) -> String {
    let output = succeed(script().arg(url));
    String::from_utf8(output.stdout).unwrap()
}

/// The official server; it ends when its standard input does.
struct Official(Child);

impl Official {
    fn start() -> (Self, String) {
        let mut child = script().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut url).unwrap();
        (Self(child), url.trim().to_owned())
    }
}

impl Drop for Official {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn json(array: &str) -> Payload {
    Payload::from_json(array, Vec::new()).unwrap()
}

/// Ours with the same middlewares.
fn serve() -> Arc<Server> {
    let server = Server::new(&Runtime::new(&RuntimeConfig::default()).unwrap(), &ServerConfig::default()).unwrap();
    let namespace = server.of("/").unwrap();
    namespace.add_middleware(Box::new(|socket, next| {
        let decided = match socket.handshake().auth() {
            "{}" => next.reject("no token", None),
            r#"{"token":"bad"}"# => next.reject("not you", Some(r#"{"code":7,"ü":[null]}"#)),
            auth => {
                let token = auth.split('"').nth(3).unwrap_or_default();
                socket.join("let in").unwrap();
                socket.emit("early", &json(&format!("[\"{token}\"]"))).unwrap();
                std::thread::spawn(move || next.accept().unwrap());
                Ok(())
            }
        };
        decided.unwrap();
    }));
    namespace.add_middleware(Box::new(|socket, next| {
        let decided = match socket.handshake().auth() {
            r#"{"token":"second"}"# => next.reject("the second says no", Some("\"x\"")),
            _ => next.accept(),
        };
        decided.unwrap();
    }));
    namespace.on_connection(Box::new(|socket: &Arc<Socket>| {
        let rooms = format!("[{},{}]", socket.in_room("let in"), socket.in_room(socket.id()));
        socket.emit("welcome", &json(&rooms)).unwrap();
    }));
    let echo = |_: &Arc<Socket>, event: &mut Event| event.take_ack().unwrap().send(event.payload()).unwrap();
    namespace.on("echo", Box::new(echo)).unwrap();
    server.of("/open").unwrap();
    server.listen("127.0.0.1:0", Box::new(|_| {})).unwrap();
    server
}

#[test]
fn the_official_client_sees_what_it_sees_of_the_official_server() {
    let (_official, url) = Official::start();
    let expected = visit(&url);
    let server = serve();
    let seen = visit(&format!("http://{}", server.address(0).unwrap()));
    assert_eq!(seen, expected);
    assert_eq!(expected.lines().filter(|line| line.contains("\"connected\"")).count(), 3 * 7, "{expected}");
    assert_eq!(expected.lines().filter(|line| line.contains("\"refused\"")).count(), 3 * 3, "{expected}");
    server.close_wait(Duration::from_mins(1)).unwrap();
}
