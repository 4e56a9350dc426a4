//! The next step for each failure, for a person.

use std::borrow::Cow;

use jiff::Timestamp;

use super::connect::ConnectReason;
use super::recovery::SoftDeleteState;
use crate::Error;
use crate::operation::{Operation, Resource};
use crate::redact::{Escaped, Quoted, Wait};
use crate::stores::{KeyProblem, SecretStoreKind};

impl Error {
    /// What to do next, in a sentence or two for a person.
    pub fn hint(&self) -> Cow<'static, str> {
        let mut hint = self.next_step();
        let Some(context) = self.context() else { return hint };
        if context.may_expect_tls {
            hint = format!("Check whether the base URL must begin with https://. {hint}").into();
        }
        let Some(wait) = context.edit_wait else { return hint };
        let seconds = wait.as_secs_f64();
        format!("{hint} The next edit of this group waits up to {seconds} s for it.").into()
    }

    fn next_step(&self) -> Cow<'static, str> {
        if let Some(hint) = self.unclear_write() {
            return hint.into();
        }
        match self {
            Self::Config { setting, reason } => config(setting, reason).into(),
            Self::InvalidInput { .. } => "Correct the argument; nothing was changed.".into(),
            Self::Credentials { source } => credentials(&**source),
            Self::Unauthorized { context } => unauthorized(context.token_expired),
            Self::PermissionDenied { .. } => {
                "Check the API key's permissions: it needs access to this secret group or store."
                    .into()
            }
            Self::NotFound { resource, .. } => not_found(*resource).into(),
            Self::AlreadyExists { .. } => {
                "Use a different name, or edit the group that exists.".into()
            }
            Self::Conflict { .. } => {
                "Read the current state and decide whether the change is still wanted.".into()
            }
            Self::SoftDeleted { details, .. } => soft_deleted(details),
            Self::KeyNotSupported { key, store, suggestion, .. } => {
                key_not_supported(key, store.as_deref(), suggestion.as_deref()).into()
            }
            Self::EmptyGroup { .. } => {
                "Keep at least one secret in the group, or delete the group.".into()
            }
            Self::NoSecretStore { .. } => {
                "Ask the platform's administrator to connect a secret store of this kind.".into()
            }
            Self::MissingFields { context, .. }
                if context.operation == Operation::UpdateSecretGroup =>
            {
                "Give every new secret a value: only a key that the group already has can be kept \
                 without one."
                    .into()
            }
            Self::MissingFields { .. } => {
                "Give every secret both a key and a value when creating a group.".into()
            }
            Self::InvalidRequest { .. } => {
                "Correct what the server names; the same request will fail again.".into()
            }
            Self::StoreFailed { .. } => {
                "Check the store's connection and credentials in TrueFoundry; deleting can be forced."
                    .into()
            }
            Self::RateLimited { retry_after: Some(wait), .. } => {
                format!("Wait {} before the next request.", Wait(*wait)).into()
            }
            Self::RateLimited { .. } => "Wait a moment and send fewer requests at a time.".into(),
            Self::Timeout { context } if context.attempts == 0 => {
                "Wait for the earlier edit of this group to end, or drop its future, then retry."
                    .into()
            }
            Self::Timeout { .. } => {
                "Retry; if it keeps failing, check the control plane's health, and that each tokio \
                 runtime has its own client (see `Client`)."
                    .into()
            }
            Self::Transport { .. } | Self::Service { .. } => {
                "Retry; if it keeps failing, check the control plane's health.".into()
            }
            Self::Connect { reason, .. } => connect(*reason).into(),
            Self::UnexpectedStatus { context } if context.status == Some(407) => {
                PROXY_LOGIN.into()
            }
            Self::UnexpectedStatus { .. } | Self::Decode { .. } => {
                "Check that the base URL is the control plane's and not another service's.".into()
            }
            Self::ResponseTooLarge { .. } => {
                "Ask for fewer entries at a time, or raise the client's response limit.".into()
            }
            Self::UnexpectedRedirect { .. } => {
                "Set the base URL to the control plane's own URL: https, and no other host.".into()
            }
            Self::ValueHidden { .. } => VIEWING.into(),
            Self::ConcurrentEdit { .. } => "Re-plan the edit against the current state.".into(),
            Self::PartiallyApplied { source, .. } => source.next_step(),
            Self::Unresolved { missing, .. } if missing.is_empty() => VIEWING.into(),
            Self::Unresolved { .. } => {
                "Check the references for typos, and the API key's access to their groups.".into()
            }
            Self::Stale { source: Some(source), .. } => {
                format!("The last read failed: {source}. {}", source.hint()).into()
            }
            Self::Stale { .. } => "Wait for the next check, or call `Watch::refresh`.".into(),
            Self::InvalidSettings { missing, invalid, .. } => {
                match (missing.is_empty(), invalid.is_empty()) {
                    (false, true) => "Add the missing keys to the group.",
                    (true, false) => "Set the invalid keys to values that fit.",
                    _ => "Add the missing keys to the group, and set the invalid ones to values that fit.",
                }
                .into()
            }
        }
    }

    /// How to find out whether a write was done, if its response was lost or does not say.
    fn unclear_write(&self) -> Option<&'static str> {
        let (Self::Timeout { context }
        | Self::Transport { context, .. }
        | Self::Connect { context, .. }
        | Self::Service { context }
        | Self::StoreFailed { context }
        | Self::Decode { context, .. }
        | Self::ResponseTooLarge { context, .. }
        | Self::UnexpectedStatus { context }) = self
        else {
            return None;
        };
        if !context.may_have_been_applied {
            return None;
        }
        match context.operation {
            Operation::CreateSecretGroup => Some(
                "The group may exist: look it up by name before creating it again \
                 (`ensure` does that by itself).",
            ),
            // The store's own hint, to force the deletion, is the better advice.
            Operation::DeleteSecretGroup | Operation::DeleteSecret
                if matches!(self, Self::StoreFailed { .. }) =>
            {
                None
            }
            _ => Some("The write may have been applied: read the group before retrying it."),
        }
    }
}

const VIEWING: &str =
    "Ask an administrator to allow viewing values, or use the secret in a deployment by reference.";

const PROXY_LOGIN: &str = "Put the proxy's user name and password into its URL (HTTPS_PROXY, HTTP_PROXY or \
     ALL_PROXY, unless the program sets the proxy), or add the control plane's host to NO_PROXY.";

/// On these platforms, TLS libraries read the system's roots from files, and a variable can name
/// others.
#[cfg(all(unix, not(any(target_vendor = "apple", target_os = "android"))))]
const OWN_ROOT: &str = "If the control plane uses a private certificate authority, set SSL_CERT_FILE to a \
     PEM file with its root certificate (in place of the system's), or add it with \
     ClientBuilder::tls_certs_merge; otherwise check what intercepts the connection.";
#[cfg(not(all(unix, not(any(target_vendor = "apple", target_os = "android")))))]
const OWN_ROOT: &str = "If the control plane uses a private certificate authority, add its root \
     certificate to the system's, or with ClientBuilder::tls_certs_merge; otherwise check what \
     intercepts the connection.";

fn config(setting: &str, reason: &str) -> &'static str {
    match (setting, reason) {
        ("TFY_BASE_URL", "is not set") => {
            "Set it (or TFY_HOST) to the control plane's URL, such as https://my-org.truefoundry.cloud, or call \
             ClientBuilder::base_url."
        }
        ("TFY_API_KEY", "is not set") => "Set it, or call ClientBuilder::api_key.",
        ("no credentials:", _) => {
            "Set both variables, or log in with `tfy login --host https://my-org.truefoundry.cloud`."
        }
        ("login" | "login host", _) => {
            "Log in again with `tfy login --relogin`, or set TFY_HOST and TFY_API_KEY."
        }
        (name, _) if name.to_ascii_uppercase().ends_with("_PROXY") => {
            "Correct or unset this variable, or add the control plane's host to NO_PROXY."
        }
        _ => "Correct this setting; nothing was changed.",
    }
}

fn credentials(source: &(dyn std::error::Error + Send + Sync + 'static)) -> Cow<'static, str> {
    if let Some(error) = source.downcast_ref::<Error>() {
        return error.hint();
    }
    let reason = source.to_string();
    let reason = Escaped(reason.trim_end_matches('.'));
    format!("Check the source of the credentials: {reason}.").into()
}

fn unauthorized(expired: Option<Timestamp>) -> Cow<'static, str> {
    let Some(time) = expired else {
        return "Check that the API key (TFY_API_KEY, unless the program sets another) is valid for this \
                control plane and has not expired."
            .into();
    };
    format!(
        "The token expired at {time}; get a new one (for a login of the CLI: `tfy login \
         --relogin`), and check this machine's clock."
    )
    .into()
}

fn not_found(resource: Resource) -> &'static str {
    match resource {
        Resource::SecretGroup => "List the secret groups to find the right identifier or name.",
        Resource::Secret => "List the secrets of the group to find the right identifier or key.",
        Resource::SecretStore => {
            "List the secret stores; if none exists, ask the platform's administrator."
        }
    }
}

fn connect(reason: ConnectReason) -> &'static str {
    match reason {
        ConnectReason::CertificateUntrusted => OWN_ROOT,
        ConnectReason::CertificateExpired => {
            "The control plane's certificate must be renewed; check this machine's clock, too."
        }
        ConnectReason::CertificateWrongHost => {
            "Use the host name that the control plane's certificate is for."
        }
        ConnectReason::Tls => {
            "Check that the base URL's host and port speak TLS (https://), whether they require a client \
             certificate, and any proxy in between."
        }
        ConnectReason::ProxyAuthRequired => PROXY_LOGIN,
        ConnectReason::ProxyRefused => {
            "Check that the proxy (HTTPS_PROXY or ALL_PROXY, unless the program sets one) can reach the \
             control plane and is allowed to, or add the control plane's host to NO_PROXY."
        }
        _ => "Check the base URL, the network and any proxy.",
    }
}

fn soft_deleted(details: &super::SoftDeleted) -> Cow<'static, str> {
    let ways: Vec<String> = details.recovery_options().iter().map(ToString::to_string).collect();
    let mut ways = ways.join("; or ");
    if let Some(first) = ways.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let protection = match (details.store(), details.state()) {
        (Some(SecretStoreKind::AzureVault), SoftDeleteState::Deleted) => {
            " (purging is not possible if the vault has purge protection)"
        }
        _ => "",
    };
    format!("{ways}{protection}.").into()
}

fn key_not_supported(
    key: &str,
    store: Option<&SecretStoreKind>,
    suggestion: Option<&str>,
) -> String {
    let is_azure = store == Some(&SecretStoreKind::AzureVault);
    let first = match suggestion {
        Some(name) => format!("Use the name {}", Quoted(name)),
        None if key.is_empty() && is_azure => "Use `-` in place of `_` in the key".to_owned(),
        None => "Use a name that the store accepts".to_owned(),
    };
    // An unknown key is at least known to contain an underscore.
    let (key, accepted) = match key {
        "" => ("A_B", "underscores".to_owned()),
        key => (key, Escaped(key).to_string()),
    };
    let problem = store.and_then(|store| store.check_key(key).err());
    let others: Vec<String> =
        problem.iter().flat_map(KeyProblem::accepted_by).map(ToString::to_string).collect();
    if others.is_empty() {
        return format!("{first}.");
    }
    format!("{first}, or choose a store that accepts {accepted} ({}).", others.join(", "))
}
