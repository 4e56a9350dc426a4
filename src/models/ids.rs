use std::fmt;

use super::shared_str::SharedStr;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) SharedStr);

        impl $name {
            /// The identifier as the API writes it.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id.into())
            }
        }

        impl From<&str> for $name {
            fn from(id: &str) -> Self {
                id.to_owned().into()
            }
        }

        impl From<&String> for $name {
            fn from(id: &String) -> Self {
                id.as_str().into()
            }
        }

        impl From<&Self> for $name {
            fn from(id: &Self) -> Self {
                id.clone()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        /// The identifier, with control characters escaped.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&crate::redact::escape_control(self.as_str()))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.0.serialize(serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize<'de>>::deserialize(deserializer).map(Self::from)
            }
        }

        impl super::decode::FromWire for $name {
            fn decode<'de, D: serde::Deserializer<'de>>(
                context: &super::decode::Context<'de>,
                deserializer: D,
            ) -> Result<Self, D::Error> {
                SharedStr::decode(context, deserializer).map(Self)
            }
        }
    };
}

identifier! {
    /// Identifies a secret group.
    ///
    /// Identifiers of different things do not convert into each other:
    /// ```compile_fail,E0277
    /// # use truefoundry_secrets::{Client, SecretId};
    /// # async fn f(client: Client, id: SecretId) {
    /// client.secret_groups().get(id).await; // a secret is no group
    /// # }
    /// ```
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::SecretGroupId;
    ///
    /// let id = SecretGroupId::from("sg-abc");
    /// let group = client.secret_groups().get(&id).await?;
    /// assert_eq!(group.id(), &id);
    /// # Ok(())
    /// # }
    /// ```
    SecretGroupId
}

identifier! {
    /// Identifies a secret, or rather one key of a group; its versions have identifiers of their own.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::ListSecrets;
    ///
    /// let page = client.secrets().list(&ListSecrets::by_fqns(["my-org:prod:DB-PASSWORD"])).await?;
    /// if let Some(secret) = page.items().first() {
    ///     client.secrets().delete(secret.id()).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    SecretId
}

identifier! {
    /// Identifies one version of a secret, which the API reads and deletes only together with the
    /// others.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// for version in client.secrets().versions("secret-id").await? {
    ///     println!("{}: {:?}", version.id(), version.created_at());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    SecretVersionId
}

identifier! {
    /// Identifies a connected secret store (an *integration*): the `integrationId` of a new group.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{IntegrationId, NewSecretGroup};
    ///
    /// let store = IntegrationId::from("integration-id"); // from a setting
    /// let new = NewSecretGroup::in_integration("prod-secrets", store);
    /// # Ok(())
    /// # }
    /// ```
    IntegrationId
}
