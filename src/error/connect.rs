use std::error::Error as StdError;
use std::{fmt, io};

/// Why no connection was made.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::Error;
///
/// match client.check().await {
///     Err(Error::Connect { reason, .. }) if reason.is_certificate() => {
///         eprintln!("{reason}: is the company's root certificate installed?");
///     }
///     result => result?,
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectReason {
    /// Nothing listens on the host's port.
    ConnectionRefused,
    /// The host name has no address.
    NameNotResolved,
    /// The connect timeout ran out.
    Timeout,
    /// The server's certificate comes from an authority that is not trusted.
    CertificateUntrusted,
    /// The server's certificate has expired, or is not valid yet.
    CertificateExpired,
    /// The server's certificate is for another host.
    CertificateWrongHost,
    /// The TLS handshake failed in another way.
    Tls,
    /// The proxy requires authentication (407).
    ProxyAuthRequired,
    /// The proxy refused to connect to the control plane. It either does not allow the host or
    /// cannot reach it; its response does not say which.
    ProxyRefused,
    /// Anything else; the cause is in the error's `source()`.
    Other,
}

impl ConnectReason {
    /// Whether the server's certificate was rejected.
    pub fn is_certificate(self) -> bool {
        matches!(
            self,
            Self::CertificateUntrusted | Self::CertificateExpired | Self::CertificateWrongHost
        )
    }

    /// Whether the proxy refused.
    pub(crate) fn is_proxy(self) -> bool {
        matches!(self, Self::ProxyAuthRequired | Self::ProxyRefused)
    }

    /// Read from the types of the causes if possible, otherwise from their texts: two more
    /// libraries wrap rustls and OpenSSL, with error types of their own.
    pub(crate) fn of(error: &(dyn StdError + 'static), timed_out: bool) -> Self {
        if timed_out {
            return Self::Timeout;
        }
        let mut words = String::new();
        let mut garbled = false;
        let mut cause = Some(error);
        while let Some(error) = cause {
            match error.downcast_ref::<io::Error>().map(io::Error::kind) {
                Some(io::ErrorKind::ConnectionRefused) => return Self::ConnectionRefused,
                Some(io::ErrorKind::TimedOut) => return Self::Timeout,
                Some(io::ErrorKind::InvalidData) => garbled = true,
                _ => {}
            }
            let text = error.to_string();
            // The HTTP library's texts for a failed CONNECT, whose error type is private. Whole
            // texts are compared, since no host name can equal one.
            match text.as_str() {
                "tunnel error: proxy authorization required" => return Self::ProxyAuthRequired,
                "tunnel error: unsuccessful" => return Self::ProxyRefused,
                _ => words.push_str(&text.to_ascii_lowercase()),
            }
            words.push('\n');
            cause = below(error);
        }
        match Self::of_words(&words) {
            // Before a request is sent, only a handshake can receive invalid data.
            Self::Other if garbled => Self::Tls,
            reason => reason,
        }
    }

    fn of_words(words: &str) -> Self {
        let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        // Sent by the server: it rejects our certificate, or requires one.
        if has(&["fatal alert", " alert "]) {
            Self::Tls
        } else if has(&["certificate", "unknownissuer", "self-signed", "self signed"]) {
            if has(&[
                "not valid for",
                "notvalidforname",
                "hostname mismatch",
                "ip address mismatch",
            ]) {
                Self::CertificateWrongHost
            } else if has(&["expired", "not valid yet", "not yet valid", "notvalidyet"]) {
                Self::CertificateExpired
            } else {
                Self::CertificateUntrusted
            }
        } else if has(&["dns error", "failed to lookup", "name or service not known"]) {
            Self::NameNotResolved
        } else if has(&["tls", "ssl", "handshake", "unexpected eof"]) {
            Self::Tls
        } else {
            Self::Other
        }
    }
}

/// The cause of `error`. The source of an `io::Error` is that of the error that it wraps, so
/// following it would skip the wrapped error and its kind.
fn below<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

impl fmt::Display for ConnectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConnectionRefused => "the connection was refused",
            Self::NameNotResolved => "the host name cannot be resolved",
            Self::Timeout => "no connection within the connect timeout",
            Self::CertificateUntrusted => "the server's certificate is not trusted",
            Self::CertificateExpired => "the server's certificate has expired or is not valid yet",
            Self::CertificateWrongHost => "the server's certificate is for another host",
            Self::Tls => "the TLS handshake failed",
            Self::ProxyAuthRequired => "the proxy requires authentication",
            Self::ProxyRefused => "the proxy refused the connection to the control plane",
            Self::Other => "the connection failed",
        })
    }
}

#[cfg(test)]
mod tests {
    use io::ErrorKind::{ConnectionRefused, InvalidData, Other, TimedOut};

    use super::*;

    #[test]
    fn a_cause_is_found_however_often_it_was_wrapped() {
        let wrapped = |kind, words: &str| io::Error::other(io::Error::new(kind, words.to_owned()));
        for (kind, words, reason) in [
            (ConnectionRefused, "", ConnectReason::ConnectionRefused),
            (TimedOut, "", ConnectReason::Timeout),
            (
                InvalidData,
                "received corrupt message of type InvalidContentType",
                ConnectReason::Tls,
            ),
            (
                InvalidData,
                "invalid peer certificate: UnknownIssuer",
                ConnectReason::CertificateUntrusted,
            ),
            (InvalidData, "received fatal alert: CertificateRequired", ConnectReason::Tls),
            (Other, "tlsv13 alert certificate required", ConnectReason::Tls),
            // OpenSSL's text for a peer that hung up during the handshake.
            (Other, "unexpected EOF", ConnectReason::Tls),
            (Other, "whatever", ConnectReason::Other),
        ] {
            assert_eq!(ConnectReason::of(&wrapped(kind, words), false), reason, "{words}");
        }
    }
}
