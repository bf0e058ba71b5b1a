//! `engine-echo PORT [--ping-interval MS] [--ping-timeout MS] [--max-payload BYTES] [--transports LIST]`
//!
//! Raw Engine.IO at `/engine.io/` on 127.0.0.1 and ::1: every message comes back in kind.

#![allow(clippy::print_stderr, reason = "a program with a command line")]

use std::process::ExitCode;
use std::time::Duration;

use socketio_core::data::limits::Limits;
use socketio_core::net::cors::CorsConfig;
use socketio_core::proto::engine::packet::{Message, Packet, Transport};
use socketio_core::proto::engine::session::SessionConfig;
use socketio_core::runtime::Runtime;
use socketio_core::server::EngineServer;
use socketio_core::server::connection::{Io, Layer};
use socketio_core::server::engine::EngineConfig;

struct Echo;

impl Layer for Echo {
    fn message(&mut self, io: &mut Io<'_, Self>, message: Message<'_>) {
        io.send(match message {
            Message::Text(text) => Packet::message(text),
            Message::Binary(bytes) => Packet::Binary(bytes.to_vec().into()),
        });
    }
}

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("engine-echo: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut arguments: impl Iterator<Item = String>) -> Result<(), String> {
    let port: u16 = arguments.next().and_then(|port| port.parse().ok()).ok_or("usage: engine-echo PORT [options]")?;
    let config = configure(arguments)?;
    let runtime = Runtime::get_default().map_err(|error| error.to_string())?;
    let server = EngineServer::new(&runtime, config, Box::new(|_| Echo));
    for host in ["127.0.0.1", "[::1]"] {
        server.listen(&format!("{host}:{port}")).map_err(|error| error.to_string())?;
    }
    loop {
        std::thread::park();
    }
}

fn configure(mut arguments: impl Iterator<Item = String>) -> Result<EngineConfig, String> {
    let mut session = SessionConfig::default();
    let mut limits = Limits::default();
    let mut transports = vec![Transport::Polling, Transport::WebSocket];
    while let Some(option) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{option} needs a value"))?;
        let number = || value.parse().map_err(|_| format!("{option}: {value} is no number"));
        match option.as_str() {
            "--ping-interval" => session.ping_interval = Duration::from_millis(number()?),
            "--ping-timeout" => session.ping_timeout = Duration::from_millis(number()?),
            "--max-payload" => limits.max_payload = number()? as usize,
            "--transports" => {
                let names = value.split(',').map(Transport::from_name);
                transports = names.collect::<Option<_>>().ok_or_else(|| format!("{value}: unknown transport"))?;
            }
            _ => return Err(format!("{option}: unknown option")),
        }
    }
    session.max_payload = limits.max_payload;
    session.upgrades = transports.contains(&Transport::WebSocket);
    let cors = Some(CorsConfig::default());
    Ok(EngineConfig { path: "/engine.io/".into(), transports, session, limits, cors })
}
