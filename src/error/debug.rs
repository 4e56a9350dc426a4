//! `{:?}` is what a `main` that returns a `Result` prints; `{:#?}` is the structure.

use std::fmt;

use crate::Error;

/// `{:?}` is one line: what happened and the next step. `{:#?}` is the structure, without what the server
/// sent in `details`.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return self.structure(f);
        }
        write!(f, "{self} (hint: {})", self.hint())
    }
}

/// `debug_struct` of every variant with all its fields, which the compiler checks.
macro_rules! structure {
    ($($variant:ident { $($field:ident),* })*) => {
        impl Error {
            fn structure(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant { $($field),* } => f
                        .debug_struct(stringify!($variant))
                        $(.field(stringify!($field), $field))*
                        .finish(),)*
                }
            }
        }
    };
}

structure! {
    Config { setting, reason }
    InvalidInput { what, reason }
    Credentials { source }
    Unauthorized { context }
    PermissionDenied { context }
    NotFound { resource, id, context }
    AlreadyExists { name, context }
    Conflict { context }
    SoftDeleted { details, context }
    KeyNotSupported { key, store, suggestion, context }
    EmptyGroup { context }
    NoSecretStore { kind, context }
    MissingFields { keys, context }
    InvalidRequest { problems, context }
    StoreFailed { context }
    RateLimited { retry_after, context }
    Service { context }
    UnexpectedStatus { context }
    Timeout { context }
    Connect { reason, context, source }
    Transport { context, source }
    Decode { line, column, content_type, context }
    ResponseTooLarge { limit, context }
    UnexpectedRedirect { location, context }
    ValueHidden { id }
    ConcurrentEdit { added, removed, modified, applied }
    PartiallyApplied { done, failed, not_tried, source }
    Unresolved { missing, hidden }
    InvalidSettings { missing, invalid, incomplete }
    Stale { age, source }
}
