//! Which lines are wanted: a level for each part of the library.

use super::Level;
use crate::error::{Error, ErrorKind, Result};

/// A part of the library that writes lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Target {
    /// Threads, and bugs.
    Runtime,
    /// Handlers, and the queues before them.
    Dispatch,
    /// HTTP connections of a server.
    Http,
    /// Engine.IO connections of a server.
    Engine,
    /// Sockets of a server.
    Socket,
    /// Servers as a whole: options, listeners.
    Server,
    /// Clients: connections of managers.
    Manager,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Runtime, Self::Dispatch, Self::Http, Self::Engine, Self::Socket, Self::Server, Self::Manager];

    /// Its name in lines and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Runtime => "runtime",
            Self::Dispatch => "dispatch",
            Self::Http => "http",
            Self::Engine => "engine",
            Self::Socket => "socket",
            Self::Server => "server",
            Self::Manager => "manager",
        }
    }
}

/// The last level of each target that is let through; 0 lets nothing through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filter([u8; Target::ALL.len()]);

impl Filter {
    pub(super) const EVERYTHING: Self = Self([Level::Trace as u8; Target::ALL.len()]);

    /// What `directives` say, separated by commas: `target=level`, or a level for all targets that are not named. Without
    /// such a level those let nothing through; without any directive everything is let through.
    ///
    /// # Errors
    /// `InvalidArgument`, naming what is no target or no level.
    pub(super) fn parse(directives: &str) -> Result<Self> {
        let mut directives = directives.split(',').map(str::trim).filter(|directive| !directive.is_empty()).peekable();
        if directives.peek().is_none() {
            return Ok(Self::EVERYTHING);
        }
        let mut others = 0;
        let mut named = [None; Target::ALL.len()];
        for directive in directives {
            match directive.split_once('=') {
                None => others = level(directive)?,
                Some((name, wanted)) => {
                    let at = Target::ALL.iter().position(|target| target.as_str() == name.trim());
                    let at = at.ok_or_else(|| unknown("target", name))?;
                    named[at] = Some(level(wanted.trim())?);
                }
            }
        }
        Ok(Self(named.map(|level| level.unwrap_or(others))))
    }

    /// The last level of `target` that is let through.
    pub(super) fn level(self, target: Target) -> u8 {
        self.0[target as usize]
    }
}

fn level(name: &str) -> Result<u8> {
    const NAMES: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    (0..).zip(NAMES).find(|(_, known)| *known == name).map(|(level, _)| level).ok_or_else(|| unknown("level", name))
}

fn unknown(what: &str, name: &str) -> Error {
    const MAX_SHOWN: usize = 64;
    let shown = &name[..name.floor_char_boundary(MAX_SHOWN)];
    Error::new(ErrorKind::InvalidArgument, format!("the log has no {what} {shown:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(directives: &str) -> [u8; Target::ALL.len()] {
        Filter::parse(directives).unwrap().0
    }

    #[test]
    fn targets_are_named_and_a_level_alone_is_for_the_others() {
        assert_eq!(levels(""), [5; 7]);
        assert_eq!(levels("info"), [3; 7]);
        assert_eq!(levels("engine=debug,socket=info"), [0, 0, 0, 4, 3, 0, 0]);
        assert_eq!(levels(" http = off , warn, manager=trace,"), [2, 2, 0, 2, 2, 2, 5]);
        assert_eq!(levels("engine=debug,engine=error"), [0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(Filter::parse("debug").unwrap().level(Target::Manager), 4);
    }

    #[test]
    fn what_is_unknown_is_named() {
        for (directives, named) in [
            ("engine=loud", "level \"loud\""),
            ("Engine=debug", "target \"Engine\""),
            ("engine", "level \"engine\""),
            ("=debug", "target \"\""),
            ("a=b=c", "target \"a\""),
        ] {
            let error = Filter::parse(directives).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.message().contains(named), "{error}");
        }
        assert!(Filter::parse(&"ü".repeat(1000)).unwrap_err().message().len() < 200);
    }

    #[test]
    fn targets_are_where_their_number_says() {
        for (i, target) in Target::ALL.into_iter().enumerate() {
            assert_eq!(target as usize, i);
        }
    }
}
