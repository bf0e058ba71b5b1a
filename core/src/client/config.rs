//! The options of a client, with the names and defaults of the official one.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::data::json;
use crate::error::{Error, ErrorKind, Result};
use crate::proto::engine::packet::Transport;
use crate::runtime::dispatch::DeliveryMode;
use crate::runtime::log;

/// How a manager connects, and connects again. The default is the official client's.
#[derive(Clone, Debug, PartialEq)]
pub struct ManagerConfig {
    /// `path`: where the server answers; a slash is added at the end unless
    /// [`add_trailing_slash`](Self::add_trailing_slash) is off. `/socket.io`
    pub path: String,
    /// `addTrailingSlash`: whether the path gets a slash at its end. `true`
    pub add_trailing_slash: bool,
    /// `transports`: the first one opens the connection, the others are upgraded to. Polling, then WebSocket.
    pub transports: Vec<Transport>,
    /// `upgrade`: whether a connection moves from polling to WebSocket when the server offers it. `true`
    pub upgrade: bool,
    /// `reconnection`: whether a lost or failed connection is opened again. `true`
    pub reconnection: bool,
    /// `reconnectionAttempts`: how often that is tried before it is given up; `None` and 0 are for ever. `None`
    pub reconnection_attempts: Option<u64>,
    /// `reconnectionDelay`: the wait before the first attempt; it doubles with each. Zero stands for the default. 1 s
    pub reconnection_delay: Duration,
    /// `reconnectionDelayMax`: the longest wait between attempts. Zero stands for the default. 5 s
    pub reconnection_delay_max: Duration,
    /// `randomizationFactor`: by what part of itself a wait is changed at random, 0 to 1. 0.5
    pub randomization_factor: f64,
    /// `timeout`: how long opening a connection may take; [`Duration::MAX`] (`false` in JSON) is for ever. 20 s
    pub timeout: Duration,
    /// `query`: names and values for the query of every request, instead of the query of the URL.
    pub query: Vec<(String, String)>,
    /// `extraHeaders`: sent with every request and with the WebSocket handshake.
    pub extra_headers: Vec<(String, String)>,
    /// `autoConnect`: whether a socket connects when it is made. `true`
    pub auto_connect: bool,
    /// `auth`: for sockets that have no auth of their own: the text of a JSON object that each CONNECT carries.
    pub auth_json: Option<String>,
    /// Most bytes of one message, and of the answer to one polling request, that are accepted from the server.
    /// 100 MiB, as the official client's WebSocket has it.
    pub max_payload: usize,
    /// Most bytes that may wait to be sent; past it emitting fails with `Backpressure`. 16 MiB
    pub max_buffered_bytes: usize,
    /// Where callbacks run: on a dispatch thread of the runtime.
    pub delivery: DeliveryMode,
}

/// What one socket of a manager has for itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SocketConfig {
    /// `auth`: the text of a JSON object that each CONNECT carries; the manager's when `None`.
    pub auth_json: Option<String>,
}

/// Official options that are known and not built, with the value that asks for nothing special.
const NOT_BUILT: [(&str, Value); 26] = [
    ("ackTimeout", Value::Null),
    ("agent", Value::Bool(false)),
    ("autoUnref", Value::Bool(false)),
    ("ca", Value::Null),
    ("cert", Value::Null),
    ("ciphers", Value::Null),
    ("closeOnBeforeunload", Value::Bool(false)),
    ("forceBase64", Value::Bool(false)),
    ("forceNew", Value::Bool(true)),
    ("key", Value::Null),
    ("localAddress", Value::Null),
    ("multiplex", Value::Bool(true)),
    ("parser", Value::Null),
    ("passphrase", Value::Null),
    ("perMessageDeflate", Value::Bool(false)),
    ("pfx", Value::Null),
    ("protocols", Value::Null),
    ("rejectUnauthorized", Value::Bool(true)),
    ("rememberUpgrade", Value::Bool(false)),
    ("requestTimeout", Value::Null),
    ("retries", Value::Null),
    ("timestampParam", Value::Null),
    ("timestampRequests", Value::Bool(true)),
    ("transportOptions", Value::Null),
    ("tryAllTransports", Value::Bool(false)),
    ("withCredentials", Value::Bool(false)),
];

impl Default for ManagerConfig {
    fn default() -> Self {
        Self {
            path: "/socket.io".to_owned(),
            add_trailing_slash: true,
            transports: vec![Transport::Polling, Transport::WebSocket],
            upgrade: true,
            reconnection: true,
            reconnection_attempts: None,
            reconnection_delay: Duration::from_secs(1),
            reconnection_delay_max: Duration::from_secs(5),
            randomization_factor: 0.5,
            timeout: Duration::from_secs(20),
            query: Vec::new(),
            extra_headers: Vec::new(),
            auto_connect: true,
            auth_json: None,
            max_payload: 100 << 20,
            max_buffered_bytes: 16 << 20,
            delivery: DeliveryMode::default(),
        }
    }
}

impl ManagerConfig {
    /// The default with the options of a JSON object on top; see [`merge_json`](Self::merge_json).
    pub fn from_json(json: &str) -> Result<Self> {
        let mut config = Self::default();
        config.merge_json(json)?;
        Ok(config)
    }

    /// Sets the options that a JSON object has, by their official names. On an error nothing is changed. Options that do
    /// not exist are ignored, and logged.
    ///
    /// # Errors
    /// `InvalidJson` when it is no JSON object, `InvalidArgument` for a value that an option cannot have, `Unsupported`
    /// for an official option that is not built yet; the last two name it.
    pub fn merge_json(&mut self, json: &str) -> Result<()> {
        let options: Map<String, Value> = serde_json::from_str(json)
            .map_err(|error| Error::new(ErrorKind::InvalidJson, format!("options must be a JSON object: {error}")))?;
        let mut merged = self.clone();
        for (name, value) in &options {
            merged.set(name, value)?;
        }
        *self = merged;
        Ok(())
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// `InvalidArgument` for the first option that cannot work.
    pub(super) fn validate(&self) -> Result<()> {
        if self.transports.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "transports: at least one is needed"));
        }
        if !(0.0..=1.0).contains(&self.randomization_factor) {
            return Err(Error::new(ErrorKind::InvalidArgument, "randomizationFactor: must be 0 to 1"));
        }
        self.auth_json.as_deref().map_or(Ok(()), check_auth)
    }

    /// The path as it is asked for.
    pub(super) fn request_path(&self) -> String {
        let path = self.path.strip_suffix('/').unwrap_or(&self.path);
        if self.add_trailing_slash { format!("{path}/") } else { path.to_owned() }
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<()> {
        let wanted = |what: &str| Error::new(ErrorKind::InvalidArgument, format!("{name}: must be {what}"));
        let boolean = || value.as_bool().ok_or_else(|| wanted("true or false"));
        let text = || value.as_str().map(str::to_owned).ok_or_else(|| wanted("a text"));
        let count = || value.as_u64().ok_or_else(|| wanted("a whole number, not negative"));
        let bytes = || count().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        let millis = || match value.as_f64() {
            Some(millis) if millis >= 0.0 => Ok(Duration::try_from_secs_f64(millis / 1000.0).unwrap_or(Duration::MAX)),
            _ => Err(wanted("a number of milliseconds, not negative")),
        };
        match name {
            "path" => self.path = text()?,
            "addTrailingSlash" => self.add_trailing_slash = boolean()?,
            "transports" => self.transports = transports(value)?,
            "upgrade" => self.upgrade = boolean()?,
            "reconnection" => self.reconnection = boolean()?,
            "reconnectionAttempts" => {
                self.reconnection_attempts = if value.is_null() { None } else { Some(count()?) };
            }
            "reconnectionDelay" => self.reconnection_delay = millis()?,
            "reconnectionDelayMax" => self.reconnection_delay_max = millis()?,
            "randomizationFactor" => {
                self.randomization_factor = value.as_f64().ok_or_else(|| wanted("a number"))?;
            }
            "timeout" => self.timeout = if *value == Value::Bool(false) { Duration::MAX } else { millis()? },
            "query" => self.query = pairs(name, value)?,
            "extraHeaders" => self.extra_headers = pairs(name, value)?,
            "autoConnect" => self.auto_connect = boolean()?,
            "auth" if value.is_null() => self.auth_json = None,
            "auth" if value.is_object() => self.auth_json = Some(value.to_string()),
            "auth" => return Err(wanted("an object")),
            "maxPayload" => self.max_payload = bytes()?,
            "maxBufferedBytes" => self.max_buffered_bytes = bytes()?,
            _ => match NOT_BUILT.iter().find(|(known, _)| *known == name) {
                None => log::warning!(Manager, "option {name:?} does not exist and is ignored"),
                Some((_, harmless)) if value == harmless || value.is_null() => {}
                Some(_) => {
                    return Err(Error::new(ErrorKind::Unsupported, format!("option {name} is not supported yet")));
                }
            },
        }
        Ok(())
    }
}

/// Checks the text of an auth: servers accept an object only.
pub(super) fn check_auth(json: &str) -> Result<()> {
    // Not serde_json, which refuses texts that JavaScript has: halves of surrogate pairs.
    match json::argument(json).map(|auth| json::is_object(&json[auth])) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::new(ErrorKind::InvalidJson, "auth must be a JSON object")),
        Err(error) => Err(Error::new(ErrorKind::InvalidJson, format!("auth must be a JSON object: {error}"))),
    }
}

fn transports(value: &Value) -> Result<Vec<Transport>> {
    let invalid = || Error::new(ErrorKind::InvalidArgument, "transports: must be names of transports");
    let names = value.as_array().ok_or_else(invalid)?;
    names
        .iter()
        .map(|name| {
            let name = name.as_str().ok_or_else(invalid)?;
            Transport::from_name(name).ok_or_else(|| {
                let kind = if name == "webtransport" { ErrorKind::Unsupported } else { ErrorKind::InvalidArgument };
                Error::new(kind, format!("transports: {name:?} is not supported"))
            })
        })
        .collect()
}

/// The members of an object of texts; numbers and booleans become texts as in a query.
fn pairs(name: &str, value: &Value) -> Result<Vec<(String, String)>> {
    let invalid = || Error::new(ErrorKind::InvalidArgument, format!("{name}: must be an object of texts"));
    let members = value.as_object().ok_or_else(invalid)?;
    members
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => Ok((name.clone(), text.clone())),
            Value::Number(_) | Value::Bool(_) => Ok((name.clone(), value.to_string())),
            _ => Err(invalid()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn official_options_are_set_by_their_official_names() {
        let config = ManagerConfig::from_json(
            r#"{"path":"/x/","transports":["websocket"],"upgrade":false,"reconnection":false,"reconnectionAttempts":3,
                "reconnectionDelay":10.5,"reconnectionDelayMax":20,"randomizationFactor":0,"timeout":false,
                "query":{"a":"b","n":1},"extraHeaders":{"X-A":"b"},"autoConnect":false,"auth":{"token":"t"}}"#,
        )
        .unwrap();
        let expected = ManagerConfig {
            path: "/x/".to_owned(),
            transports: vec![Transport::WebSocket],
            upgrade: false,
            reconnection: false,
            reconnection_attempts: Some(3),
            reconnection_delay: Duration::from_micros(10_500),
            reconnection_delay_max: Duration::from_millis(20),
            randomization_factor: 0.0,
            timeout: Duration::MAX,
            query: vec![("a".to_owned(), "b".to_owned()), ("n".to_owned(), "1".to_owned())],
            extra_headers: vec![("X-A".to_owned(), "b".to_owned())],
            auto_connect: false,
            auth_json: Some(r#"{"token":"t"}"#.to_owned()),
            ..ManagerConfig::default()
        };
        assert_eq!(config, expected);
        assert_eq!(config.request_path(), "/x/");
        assert_eq!(ManagerConfig::from_json("{}").unwrap(), ManagerConfig::default());
    }

    #[test]
    fn options_not_built_are_unsupported_by_name_unless_they_ask_for_nothing() {
        for (name, harmless) in NOT_BUILT {
            let asked = format!(r#"{{"{name}":"something"}}"#);
            let error = ManagerConfig::from_json(&asked).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(name));
            ManagerConfig::from_json(&format!(r#"{{"{name}":{harmless}}}"#)).unwrap();
        }
        let error = ManagerConfig::from_json(r#"{"transports":["webtransport"]}"#).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn unknown_options_are_ignored_and_bad_values_change_nothing() {
        let mut config = ManagerConfig::default();
        config.merge_json(r#"{"no such option":1}"#).unwrap();
        for (json, kind) in [
            ("[]", ErrorKind::InvalidJson),
            ("{", ErrorKind::InvalidJson),
            (r#"{"upgrade":false,"path":1}"#, ErrorKind::InvalidArgument),
            (r#"{"reconnectionDelay":-1}"#, ErrorKind::InvalidArgument),
            (r#"{"timeout":true}"#, ErrorKind::InvalidArgument),
            (r#"{"transports":"polling"}"#, ErrorKind::InvalidArgument),
            (r#"{"transports":["carrier-pigeon"]}"#, ErrorKind::InvalidArgument),
            (r#"{"query":{"a":{}}}"#, ErrorKind::InvalidArgument),
            (r#"{"auth":[1]}"#, ErrorKind::InvalidArgument),
        ] {
            assert_eq!(config.merge_json(json).unwrap_err().kind(), kind, "{json}");
        }
        assert_eq!(config, ManagerConfig::default());
    }

    #[test]
    fn a_config_that_cannot_work_is_refused() {
        let no_transports = ManagerConfig { transports: Vec::new(), ..ManagerConfig::default() };
        assert_eq!(no_transports.validate().unwrap_err().kind(), ErrorKind::InvalidArgument);
        let odd = ManagerConfig { randomization_factor: f64::NAN, ..ManagerConfig::default() };
        assert!(odd.validate().is_err());
        let auth = ManagerConfig { auth_json: Some("[1]".to_owned()), ..ManagerConfig::default() };
        assert_eq!(auth.validate().unwrap_err().kind(), ErrorKind::InvalidJson);
        assert!(ManagerConfig::default().validate().is_ok());
    }
}
