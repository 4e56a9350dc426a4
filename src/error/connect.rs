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
    /// The proxy refused to connect to the control plane. A proxy does so for a host that it does not allow
    /// and for one that it cannot reach; which of the two is not known here.
    ProxyRefused,
    /// Anything else; the cause is in the error's `source()`.
    Other,
}

impl ConnectReason {
    /// Whether it is the server's certificate that is refused.
    pub fn is_certificate(self) -> bool {
        matches!(
            self,
            Self::CertificateUntrusted | Self::CertificateExpired | Self::CertificateWrongHost
        )
    }

    /// Whether the proxy refuses.
    pub(crate) fn is_proxy(self) -> bool {
        matches!(self, Self::ProxyAuthRequired | Self::ProxyRefused)
    }

    /// Read from the causes' types if they have one, else from their words: rustls and OpenSSL are
    /// reached through two more libraries, whose error types are not theirs.
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
            // As the HTTP library says it of a CONNECT, in a type of its own; whole texts, which no host can
            // have.
            match text.as_str() {
                "tunnel error: proxy authorization required" => return Self::ProxyAuthRequired,
                "tunnel error: unsuccessful" => return Self::ProxyRefused,
                _ => words.push_str(&text.to_ascii_lowercase()),
            }
            words.push('\n');
            cause = below(error);
        }
        match Self::of_words(&words) {
            // Before a request is sent only a handshake has data to be invalid.
            Self::Other if garbled => Self::Tls,
            reason => reason,
        }
    }

    fn of_words(words: &str) -> Self {
        let has = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
        // Sent by the server: it is our certificate, or that we have none, which it does not like.
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

/// What `error` was made from. An `io::Error` gives as its source what is below the error that it wraps,
/// and so would pass over that one's kind.
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
            // OpenSSL, of a peer that hung up amid the handshake.
            (Other, "unexpected EOF", ConnectReason::Tls),
            (Other, "whatever", ConnectReason::Other),
        ] {
            assert_eq!(ConnectReason::of(&wrapped(kind, words), false), reason, "{words}");
        }
    }
}
