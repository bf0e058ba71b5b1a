//! The options of a server, under their official names.

use std::time::Duration;

use serde_json::{Map, Value};

use super::engine::EngineConfig;
use crate::data::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::net::cors::CorsConfig;
use crate::proto::engine::packet::Transport;
use crate::proto::engine::session::SessionConfig;
use crate::runtime::dispatch::DeliveryMode;
use crate::runtime::log;

/// The options of a server. The defaults are the official server's.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// What the path of a request starts with (`/socket.io`).
    pub path: String,
    /// From the opening, or the last pong, to the next ping (25 s).
    pub ping_interval: Duration,
    /// How long a pong may take (20 s).
    pub ping_timeout: Duration,
    /// How long an upgrade may take (10 s).
    pub upgrade_timeout: Duration,
    /// How long a client may take to join a namespace (45 s).
    pub connect_timeout: Duration,
    /// The transports that clients may use (polling, WebSocket).
    pub transports: Vec<Transport>,
    /// Whether a session on polling may move to a WebSocket (yes).
    pub allow_upgrades: bool,
    /// Who may use the server from a page of another origin (nobody).
    pub cors: Option<CorsConfig>,
    /// All bounds; `maxHttpBufferSize` is `limits.max_payload`.
    pub limits: Limits,
    /// Where callbacks run (on the runtime's dispatch threads).
    pub delivery: DeliveryMode,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let session = SessionConfig::default();
        Self {
            path: "/socket.io".into(),
            ping_interval: session.ping_interval,
            ping_timeout: session.ping_timeout,
            upgrade_timeout: session.upgrade_timeout,
            connect_timeout: Duration::from_secs(45),
            transports: vec![Transport::Polling, Transport::WebSocket],
            allow_upgrades: true,
            cors: None,
            limits: Limits::default(),
            delivery: DeliveryMode::default(),
        }
    }
}

/// Official options that are known and not built yet, each with the value that changes nothing.
const NOT_BUILT: [(&str, Value); 15] = [
    ("adapter", Value::Null),
    ("addTrailingSlash", Value::Bool(true)),
    ("allowEIO3", Value::Bool(false)),
    ("allowRequest", Value::Null),
    ("cleanupEmptyChildNamespaces", Value::Bool(false)),
    ("connectionStateRecovery", Value::Null),
    ("cookie", Value::Bool(false)),
    ("destroyUpgrade", Value::Bool(true)),
    ("destroyUpgradeTimeout", Value::Null),
    ("httpCompression", Value::Bool(false)),
    ("initialPacket", Value::Null),
    ("parser", Value::Null),
    ("perMessageDeflate", Value::Bool(false)),
    ("serveClient", Value::Bool(false)),
    ("wsEngine", Value::Null),
];

impl ServerConfig {
    /// The defaults, changed by the official option object.
    ///
    /// # Errors
    /// As of [`ServerConfig::merge_json`].
    pub fn from_json(options: &str) -> Result<Self> {
        let mut config = Self::default();
        config.merge_json(options)?;
        Ok(config)
    }

    /// Takes over what the official option object `options` holds. A key that nobody knows is ignored and logged; on an
    /// error nothing is changed.
    ///
    /// # Errors
    /// `InvalidJson` when it is no object, `InvalidArgument` for a value that an option cannot have, `Unsupported` for a
    /// known option that is not built yet; each names the key.
    pub fn merge_json(&mut self, options: &str) -> Result<()> {
        let options: Map<String, Value> =
            serde_json::from_str(options).map_err(|error| Error::new(ErrorKind::InvalidJson, error.to_string()))?;
        let mut merged = self.clone();
        for (key, value) in &options {
            merged.set(key, value)?;
        }
        *self = merged;
        Ok(())
    }

    /// Refuses what cannot work.
    pub(super) fn check(&self) -> Result<()> {
        if self.transports.is_empty() {
            return Err(invalid("transports", "at least one is needed"));
        }
        if !self.path.starts_with('/') {
            return Err(invalid("path", "it starts with a slash"));
        }
        self.cors.as_ref().map_or(Ok(()), CorsConfig::check)
    }

    pub(super) fn engine(&self) -> EngineConfig {
        EngineConfig {
            path: format!("{}/", self.path.trim_end_matches('/')),
            transports: self.transports.clone(),
            session: SessionConfig {
                ping_interval: self.ping_interval,
                ping_timeout: self.ping_timeout,
                upgrade_timeout: self.upgrade_timeout,
                max_payload: self.limits.max_payload,
                upgrades: self.allow_upgrades && self.transports.contains(&Transport::WebSocket),
                ..SessionConfig::default()
            },
            limits: self.limits.clone(),
            cors: self.cors.clone(),
        }
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<()> {
        match key {
            "path" => {
                let path = value.as_str().ok_or_else(|| invalid(key, "a text is wanted"))?;
                path.clone_into(&mut self.path);
            }
            "pingInterval" => self.ping_interval = millis(key, value)?,
            "pingTimeout" => self.ping_timeout = millis(key, value)?,
            "upgradeTimeout" => self.upgrade_timeout = millis(key, value)?,
            "connectTimeout" => self.connect_timeout = millis(key, value)?,
            "maxHttpBufferSize" => self.limits.max_payload = bytes(key, value)?,
            "maxBufferedBytes" => self.limits.queued_bytes = bytes(key, value)?,
            "transports" => {
                let names = value.as_array().ok_or_else(|| invalid(key, "a list is wanted"))?;
                self.transports = names.iter().map(|name| transport(key, name)).collect::<Result<_>>()?;
            }
            "allowUpgrades" => {
                self.allow_upgrades = value.as_bool().ok_or_else(|| invalid(key, "true or false is wanted"))?;
            }
            "cors" => {
                let cors = serde_json::from_value(value.clone());
                self.cors = cors.map_err(|error| invalid(key, &error.to_string()))?;
                self.cors.as_ref().map_or(Ok(()), CorsConfig::check)?;
            }
            _ => match NOT_BUILT.iter().find(|(known, _)| *known == key) {
                Some((_, nothing)) if value == nothing || value.is_null() => {}
                Some(_) => return Err(Error::new(ErrorKind::Unsupported, format!("{key}: not built yet"))),
                None => log::warning!(Server, "unknown option {key:?} is ignored"),
            },
        }
        Ok(())
    }
}

fn invalid(key: &str, what: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{key}: {what}"))
}

fn bytes(key: &str, value: &Value) -> Result<usize> {
    let bytes = value.as_u64().and_then(|bytes| usize::try_from(bytes).ok());
    bytes.ok_or_else(|| invalid(key, "a number of bytes is wanted"))
}

fn millis(key: &str, value: &Value) -> Result<Duration> {
    value.as_u64().map(Duration::from_millis).ok_or_else(|| invalid(key, "a number of milliseconds is wanted"))
}

fn transport(key: &str, name: &Value) -> Result<Transport> {
    match name.as_str() {
        Some("webtransport") => Err(Error::new(ErrorKind::Unsupported, format!("{key}: webtransport: not built yet"))),
        Some(name) => Transport::from_name(name).ok_or_else(|| invalid(key, &format!("{name:?} is no transport"))),
        None => Err(invalid(key, "names are wanted")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_option_object_is_taken() {
        let config = ServerConfig::from_json(
            r#"{"path":"/chat/","pingInterval":1000,"pingTimeout":2000,"upgradeTimeout":3000,"connectTimeout":4000,
                "maxHttpBufferSize":5000,"maxBufferedBytes":6000,"transports":["websocket"],"allowUpgrades":false,"cors":{"origin":"*"},
                "perMessageDeflate":false,"whatever":1}"#,
        )
        .unwrap();
        let engine = config.engine();
        assert_eq!(engine.path, "/chat/");
        assert_eq!(engine.session.ping_interval, Duration::from_secs(1));
        assert_eq!(engine.session.max_payload, 5000);
        assert_eq!(engine.limits.queued_bytes, 6000);
        assert_eq!(engine.transports, [Transport::WebSocket]);
        assert!(!engine.session.upgrades);
        assert!(engine.cors.is_some());
    }

    #[test]
    fn a_known_option_that_is_not_built_is_named() {
        for (options, key) in [
            (r#"{"allowEIO3":true}"#, "allowEIO3"),
            (r#"{"connectionStateRecovery":{}}"#, "connectionStateRecovery"),
            (r#"{"transports":["polling","webtransport"]}"#, "webtransport"),
        ] {
            let error = ServerConfig::from_json(options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(key), "{error}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_and_changes_nothing() {
        let mut config = ServerConfig::default();
        for options in [
            r#"{"pingTimeout":1,"pingInterval":-1}"#,
            r#"{"pingTimeout":1,"transports":"websocket"}"#,
            r#"{"pingTimeout":1,"transports":["carrier pigeon"]}"#,
            r#"{"pingTimeout":1,"cors":{"origin":true,"credentials":true}}"#,
        ] {
            assert_eq!(config.merge_json(options).unwrap_err().kind(), ErrorKind::InvalidArgument, "{options}");
        }
        assert_eq!(config.ping_timeout, ServerConfig::default().ping_timeout);
        assert_eq!(config.merge_json("[]").unwrap_err().kind(), ErrorKind::InvalidJson);
    }
}
