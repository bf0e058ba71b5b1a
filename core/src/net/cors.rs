//! Cross-origin requests: the `cors` option, with the meaning it has in the official server (which hands it to the
//! npm package `cors`), and the rules of `limits` on top: an allow-list holds for WebSocket as well, and an origin is
//! never reflected together with credentials unless it is listed.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    HeaderMap, HeaderName, HeaderValue, ORIGIN, VARY,
};
use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};

/// Who may read our answers from a page of another origin.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CorsConfig {
    /// The allowed origins; every one by default.
    pub origin: Origin,
    /// Methods named in the answer to a preflight.
    pub methods: Option<List>,
    /// Request headers that are allowed; those that the preflight asks for by default.
    pub allowed_headers: Option<List>,
    /// Answer headers that a page may read.
    pub exposed_headers: Option<List>,
    /// Whether a page may send cookies.
    pub credentials: bool,
    /// Seconds that a preflight's answer may be remembered.
    pub max_age: Option<u32>,
}

/// Allowed origins.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Origin {
    /// `true` allows and reflects every origin, `false` sends no headers at all.
    Any(bool),
    /// `*` for all, or the one that is allowed.
    One(String),
    /// Those that are allowed.
    List(Vec<String>),
}

/// One text, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum List {
    /// As it goes into the header.
    One(String),
    /// To be joined by commas.
    Many(Vec<String>),
}

/// The methods that the npm package names.
const DEFAULT_METHODS: &str = "GET,HEAD,PUT,PATCH,POST,DELETE";

impl Default for Origin {
    fn default() -> Self {
        Self::One("*".into())
    }
}

impl List {
    fn value(&self) -> String {
        match self {
            Self::One(value) => value.clone(),
            Self::Many(values) => values.join(","),
        }
    }
}

impl CorsConfig {
    /// Refuses what would be unsafe, and what no header can carry.
    ///
    /// # Errors
    /// `InvalidArgument`.
    pub fn check(&self) -> Result<()> {
        if self.credentials && matches!(self.origin, Origin::Any(true)) {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "cors: credentials need a list of origins, not every origin",
            ));
        }
        let origins = match &self.origin {
            Origin::Any(_) => &[],
            Origin::One(origin) => std::slice::from_ref(origin),
            Origin::List(origins) => &origins[..],
        };
        let lists = [&self.methods, &self.allowed_headers, &self.exposed_headers];
        let values = lists.into_iter().flatten().map(List::value).chain(origins.iter().cloned());
        for value in values {
            HeaderValue::from_str(&value)
                .map_err(|_| Error::new(ErrorKind::InvalidArgument, format!("cors: {value:?} cannot be a header")))?;
        }
        Ok(())
    }

    /// Whether a page of this origin may open a WebSocket. Programs that are no browser send none.
    pub(crate) fn allows(&self, origin: Option<&HeaderValue>) -> bool {
        let Some(origin) = origin else { return true };
        match &self.origin {
            Origin::Any(_) => true,
            Origin::One(one) => one == "*" || one.as_bytes() == origin.as_bytes(),
            Origin::List(list) => list.iter().any(|one| one.as_bytes() == origin.as_bytes()),
        }
    }

    /// Adds the headers of an ordinary answer to a page of this origin.
    pub(crate) fn decorate(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        if self.origin(origin, answer) {
            put(answer, ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed_headers.as_ref().map(List::value));
        }
    }

    /// Adds the headers of the answer to a preflight.
    pub(crate) fn preflight(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        if !self.origin(request.get(ORIGIN), answer) {
            return;
        }
        let methods = self.methods.as_ref().map_or_else(|| DEFAULT_METHODS.to_owned(), List::value);
        put(answer, ACCESS_CONTROL_ALLOW_METHODS, Some(methods));
        if let Some(headers) = &self.allowed_headers {
            put(answer, ACCESS_CONTROL_ALLOW_HEADERS, Some(headers.value()));
        } else {
            vary(answer, "Access-Control-Request-Headers");
            if let Some(asked) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
                answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
            }
        }
        put(answer, ACCESS_CONTROL_MAX_AGE, self.max_age.map(|age| age.to_string()));
        put(answer, ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed_headers.as_ref().map(List::value));
    }

    /// The headers that both kinds have; `false` when there are to be none.
    fn origin(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) -> bool {
        match &self.origin {
            Origin::Any(false) => return false,
            Origin::One(one) if one == "*" => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Origin::One(one) => {
                vary(answer, "Origin");
                put(answer, ACCESS_CONTROL_ALLOW_ORIGIN, Some(one.clone()));
            }
            Origin::Any(true) | Origin::List(_) => {
                vary(answer, "Origin");
                if self.allows(origin)
                    && let Some(origin) = origin
                {
                    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                }
            }
        }
        if self.credentials {
            answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        true
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
        headers.insert(name, value);
    }
}

fn vary(headers: &mut HeaderMap, on: &'static str) {
    headers.append(VARY, HeaderValue::from_static(on));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(origin: &str) -> HeaderMap {
        HeaderMap::from_iter([(ORIGIN, HeaderValue::from_str(origin).unwrap())])
    }

    fn config(json: &str) -> CorsConfig {
        serde_json::from_str(json).unwrap()
    }

    fn allowed(config: &CorsConfig, origin: &str) -> Option<String> {
        let mut answer = HeaderMap::new();
        config.decorate(from(origin).get(ORIGIN), &mut answer);
        answer.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn every_origin_is_a_star_and_one_origin_is_itself() {
        assert_eq!(allowed(&config("{}"), "http://a"), Some("*".into()));
        assert_eq!(allowed(&config(r#"{"origin":"http://b"}"#), "http://a"), Some("http://b".into()));
        assert_eq!(allowed(&config(r#"{"origin":false}"#), "http://a"), None);
    }

    #[test]
    fn only_listed_origins_are_reflected_and_may_open_a_websocket() {
        let list = config(r#"{"origin":["http://a","http://b"],"credentials":true}"#);
        assert_eq!(allowed(&list, "http://b"), Some("http://b".into()));
        assert_eq!(allowed(&list, "http://c"), None);
        assert!(list.allows(from("http://a").get(ORIGIN)));
        assert!(!list.allows(from("http://a.evil").get(ORIGIN)));
        assert!(list.allows(None));
    }

    #[test]
    fn credentials_with_every_origin_are_refused() {
        assert!(config(r#"{"origin":true,"credentials":true}"#).check().is_err());
        assert!(config(r#"{"origin":true}"#).check().is_ok());
        assert!(config("{\"origin\":\"a\\nb\"}").check().is_err());
    }

    #[test]
    fn a_preflight_names_methods_and_the_headers_asked_for() {
        let mut request = from("http://a");
        request.insert(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_static("x-one,x-two"));
        let mut answer = HeaderMap::new();
        config(r#"{"maxAge":600}"#).preflight(&request, &mut answer);
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_METHODS], DEFAULT_METHODS);
        assert_eq!(answer[ACCESS_CONTROL_ALLOW_HEADERS], "x-one,x-two");
        assert_eq!(answer[ACCESS_CONTROL_MAX_AGE], "600");
        assert_eq!(answer[VARY], "Access-Control-Request-Headers");
    }
}
