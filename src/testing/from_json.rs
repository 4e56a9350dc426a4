//! Made-up models and errors, for tests of code that accepts them.

use crate::Error;
use crate::models::decode::{self, FromWire};
use crate::models::{
    DryRunSecretGroup, PartialSecretGroup, Secret, SecretGroup, SecretGroupManifest, SecretStore,
    SecretVersion, Subject,
};
use crate::operation::Operation;

/// A model of this crate that a test can create with [`from_json`].
pub trait Model: sealed::Sealed {}

mod sealed {
    pub trait Sealed {
        fn read(json: &str) -> Option<Self>
        where
            Self: Sized;
    }
}

/// The model that the API's JSON describes, without the `data` around it.
///
/// ```
/// use truefoundry_secrets::SecretGroup;
/// use truefoundry_secrets::testing::from_json;
///
/// let group: SecretGroup =
///     from_json(r#"{"id": "sg-1", "fqn": "my-tenant:prod"}"#).expect("a secret group");
/// assert_eq!(group.name(), Some("prod"));
/// ```
///
/// `None` if it is not JSON, or lacks what the service always sends.
pub fn from_json<T: Model>(json: &str) -> Option<T> {
    T::read(json)
}

macro_rules! models {
    ($($model:ident),*) => {$(
        impl Model for $model {}

        impl sealed::Sealed for $model {
            fn read(json: &str) -> Option<Self> {
                read(json)
            }
        }
    )*};
}

models!(
    DryRunSecretGroup,
    PartialSecretGroup,
    Secret,
    SecretGroup,
    SecretGroupManifest,
    SecretStore,
    SecretVersion,
    Subject
);

/// The error that this response causes, for tests of how an application handles it.
///
/// ```
/// use truefoundry_secrets::testing::error_from_response;
/// use truefoundry_secrets::{Error, Operation};
///
/// let body = r#"{"statusCode": 409, "message": "Secret group with this name already exists"}"#;
/// let error = error_from_response(Operation::CreateSecretGroup, 409, body);
/// assert!(matches!(error, Error::AlreadyExists { .. }));
/// ```
pub fn error_from_response(operation: Operation, status: u16, body: &str) -> Error {
    crate::transport::of_response(operation, status, body)
}

fn read<T: FromWire>(json: &str) -> Option<T> {
    // As a response with values is decoded: nothing of the text is kept.
    decode::owned(json.as_bytes()).ok()
}
