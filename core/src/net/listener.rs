//! Where a server listens: TCP and unix sockets, an accept loop each.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

use super::link::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::{log, panics};

/// Connections that the system holds for us until we accept them.
const BACKLOG: i32 = 4096;

/// How long to leave the listener alone when the process has no descriptors left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(50);

/// A bound address.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Bound,
    address: String,
}

#[derive(Debug)]
enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

/// Who is at the other end: an IP address, or `unix`.
pub(crate) type Peer = Arc<str>;

impl Listener {
    /// Binds `host:port` (`[::1]:3000`, `localhost:3000`, port 0 for any free one, `:3000` for all addresses) or
    /// `unix:/path`. Called inside a runtime.
    pub(crate) fn bind(address: &str) -> Result<Self> {
        if let Some(path) = address.strip_prefix("unix:") {
            return Self::bind_unix(Path::new(path), address);
        }
        let (host, port) = split(address)?;
        let mut last = None;
        for candidate in resolve(host, port)? {
            match bind_tcp(candidate) {
                Ok(listener) => {
                    let address = listener.local_addr()?.to_string();
                    return Ok(Self { socket: Bound::Tcp(listener), address });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.map_or_else(
            || Error::new(ErrorKind::Resolve, format!("{host:?} has no address")),
            |error| with_address(error, address),
        ))
    }

    /// The address as bound, the port filled in.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Accepts for ever; each connection goes to `accepted`.
    pub(crate) async fn run(self, mut accepted: impl FnMut(Stream, Peer)) {
        loop {
            match self.accept().await {
                // A bug in here costs this connection, not those to come.
                Ok((stream, peer)) => drop(panics::caught(|| accepted(stream, peer))),
                Err(error) => {
                    log::warning!(Http, "accept on {}: {error}", self.address);
                    // Whatever is wrong with one connection passes; a lack of descriptors needs a moment.
                    if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
                        tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    }
                }
            }
        }
    }

    async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match &self.socket {
            Bound::Tcp(listener) => {
                let (stream, from) = listener.accept().await?;
                Ok((Stream::Tcp(stream), from.ip().to_canonical().to_string().into()))
            }
            Bound::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), "unix".into()))
            }
        }
    }

    fn bind_unix(path: &Path, address: &str) -> Result<Self> {
        if path.as_os_str().is_empty() {
            return Err(invalid(address));
        }
        // A socket that nobody listens on is left over from a process that died.
        if let Err(error) = std::os::unix::net::UnixStream::connect(path)
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            let _ = std::fs::remove_file(path);
        }
        let listener = UnixListener::bind(path).map_err(|error| with_address(error, address))?;
        Ok(Self { socket: Bound::Unix(listener, path.to_owned()), address: address.to_owned() })
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    // A restarted server must get its port back while old connections of it linger.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

fn split(address: &str) -> Result<(&str, u16)> {
    let (host, port) = address.rsplit_once(':').ok_or_else(|| invalid(address))?;
    let host = match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']').ok_or_else(|| invalid(address))?,
        None if host.contains(':') => return Err(invalid(address)),
        None => host,
    };
    Ok((host, port.parse().map_err(|_| invalid(address))?))
}

fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>> {
    if host.is_empty() {
        // As Node: every address of both families where the system has IPv6, else of IPv4.
        return Ok(vec![SocketAddr::from(([0u16; 8], port)), SocketAddr::from(([0u8; 4], port))]);
    }
    (host, port)
        .to_socket_addrs()
        .map(Iterator::collect)
        .map_err(|error| Error::new(ErrorKind::Resolve, format!("{host:?}: {error}")))
}

fn with_address(error: io::Error, address: &str) -> Error {
    let error = Error::from(error);
    Error::new(error.kind(), format!("listen on {address}: {error}"))
}

fn invalid(address: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{address:?} is neither host:port nor unix:/path"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_bound_with_its_port_filled_in_and_can_be_taken_once() {
        for address in ["127.0.0.1:0", "[::1]:0", "localhost:0", ":0"] {
            let listener = Listener::bind(address).unwrap();
            assert!(!listener.address().ends_with(":0"), "{}", listener.address());
            if address.starts_with("127") {
                let error = Listener::bind(listener.address()).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AddressInUse);
                assert!(error.message().contains(listener.address()));
            }
        }
    }

    #[tokio::test]
    async fn a_unix_socket_is_removed_with_its_listener_and_a_dead_one_is_replaced() {
        let path = std::env::temp_dir().join(format!("sio-listener-{}", std::process::id()));
        let address = format!("unix:{}", path.display());
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let listener = Listener::bind(&address).unwrap();
        assert_eq!(Listener::bind(&address).unwrap_err().kind(), ErrorKind::AddressInUse);
        drop(listener);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn what_is_no_address_is_refused() {
        for address in ["", "3000", "localhost", "::1:3000", "[::1:3000", "1.2.3.4:70000", "unix:", "host:port"] {
            assert_eq!(Listener::bind(address).unwrap_err().kind(), ErrorKind::InvalidArgument, "{address:?}");
        }
        assert_eq!(Listener::bind("no-such-host.invalid:80").unwrap_err().kind(), ErrorKind::Resolve);
    }
}
