//! The URL that a client is given: which server, and which namespace.

use std::fmt::Write;

use crate::error::{Error, ErrorKind, Result};

/// A URL in its parts: `http://host:port/namespace?query`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    path: String,
    query: Option<String>,
}

impl Url {
    /// Takes a URL apart. `http` and `ws` mean the same: which transports are used is said elsewhere. A fragment is
    /// dropped.
    ///
    /// # Errors
    /// `Unsupported` for `https` and `wss`; `InvalidArgument` for what is no URL of a server.
    pub fn parse(url: &str) -> Result<Self> {
        let invalid = |why: &str| Error::new(ErrorKind::InvalidArgument, format!("URL {url:?} {why}"));
        let (scheme, rest) = url.split_once("://").ok_or_else(|| invalid("has no scheme such as http://"))?;
        match scheme.to_ascii_lowercase().as_str() {
            "http" | "ws" => {}
            secure @ ("https" | "wss") => {
                return Err(Error::new(ErrorKind::Unsupported, format!("{secure}:// is not supported yet")));
            }
            _ => return Err(invalid("has a scheme other than http or ws")),
        }
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(invalid("has characters that must be percent-encoded"));
        }
        let rest = rest.split_once('#').map_or(rest, |(rest, _fragment)| rest);
        let (authority, path_and_query) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(Error::new(ErrorKind::Unsupported, "user and password in a URL are not supported"));
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(|| invalid("has no ] behind its address"))?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| invalid("has no IPv6 address in its brackets"))?;
                match rest.strip_prefix(':') {
                    port @ Some(_) => (host, port),
                    None if rest.is_empty() => (host, None),
                    None => return Err(invalid("has no port behind its address")),
                }
            }
            None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        if host.is_empty() {
            return Err(invalid("has no host"));
        }
        let port = match port {
            None | Some("") => 80,
            Some(port) => {
                port.parse().ok().filter(|port| *port != 0).ok_or_else(|| invalid("has no port of 1 to 65535"))?
            }
        };
        let (path, query) = path_and_query.split_once('?').map_or((path_and_query, None), |(path, query)| {
            (path, Some(query.to_owned()).filter(|query| !query.is_empty()))
        });
        Ok(Self { host: host.to_owned(), port, path: path.to_owned(), query })
    }

    /// The host name or address, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; 80 where the URL had none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path as it was written, which names the namespace: empty or with a leading slash.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The query as it was written, without its question mark.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Host and port as a request names them: brackets around IPv6, no port where it is 80.
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        match (host.contains(':'), *port) {
            (true, 80) => format!("[{host}]"),
            (true, port) => format!("[{host}]:{port}"),
            (false, 80) => host.clone(),
            (false, port) => format!("{host}:{port}"),
        }
    }
}

/// Appends `text` as a part of a query: everything but letters, digits and `-_.!~*'()` percent-encoded.
pub(super) fn encode_component(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(byte as char);
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_come_apart() {
        for (url, host, port, path, query, authority) in [
            ("http://localhost:3000", "localhost", 3000, "", None, "localhost:3000"),
            ("WS://a.b/chat?x=1&y#z", "a.b", 80, "/chat", Some("x=1&y"), "a.b"),
            ("http://[::1]:81/", "::1", 81, "/", None, "[::1]:81"),
            ("http://[::1]?", "::1", 80, "", None, "[::1]"),
            ("http://1.2.3.4:/a/b?c?d", "1.2.3.4", 80, "/a/b", Some("c?d"), "1.2.3.4"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!((url.host(), url.port(), url.path(), url.query()), (host, port, path, query));
            assert_eq!(url.authority(), authority);
        }
    }

    #[test]
    fn secure_urls_are_not_supported_yet_and_say_so() {
        for (url, scheme) in [("https://x", "https"), ("wss://x", "wss"), ("HTTPS://x", "https")] {
            let error = Url::parse(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(scheme));
        }
        assert_eq!(Url::parse("http://user:pw@x").unwrap_err().kind(), ErrorKind::Unsupported);
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for url in [
            "",
            "localhost:3000",
            "ftp://x",
            "http://",
            "http://:80",
            "http://x:0",
            "http://x:65536",
            "http://x:http",
            "http://[::1",
            "http://[x]",
            "http://[::1]80",
            "http://ho st",
            "http://hóst",
        ] {
            assert_eq!(Url::parse(url).unwrap_err().kind(), ErrorKind::InvalidArgument, "{url}");
        }
    }

    #[test]
    fn components_are_encoded_as_in_javascript() {
        let mut out = String::new();
        encode_component(&mut out, "a b&c=é/(~)");
        assert_eq!(out, "a%20b%26c%3D%C3%A9%2F(~)");
    }
}
