use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::ids::IntegrationId;
use super::secret_group::SecretGroup;
use super::secret_ref::SCHEME;
use super::secret_store::SecretStore;
use crate::Error;
use crate::secret_value::{Exposed, SecretValue};
use crate::stores::SecretStoreKind;

/// A secret group to create.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// use truefoundry_secrets::{NewSecretGroup, SecretStoreKind, SecretValue};
///
/// let store = client.secret_stores().find(SecretStoreKind::AzureVault).await?;
/// let new = NewSecretGroup::new("prod-secrets", &store)
///     .secret("DB-PASSWORD", SecretValue::from_env("DB_PASSWORD")?);
/// let group = client.secret_groups().create(new).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NewSecretGroup {
    name: String,
    integration_id: IntegrationId,
    store: Option<SecretStoreKind>,
    secrets: Vec<(String, SecretValue)>,
    checks: Checks,
}

/// Which checks to skip before anything is sent.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Checks {
    pub(crate) skip_store_rules: bool,
    pub(crate) allow_masked_text: bool,
    pub(crate) allow_reference_text: bool,
}

impl Checks {
    /// Refuses a text that only stands in for a value.
    fn check_text(self, key: &str, value: &SecretValue) -> crate::Result<()> {
        let reason = if !self.allow_masked_text && value.is_masked_text() {
            "it is the masked text that this crate prints in place of a value (to send it anyway: allow_masked_text)"
        } else if !self.allow_reference_text && is_reference_text(value.expose_secret()) {
            "it is a reference to a secret (tfy-secret://...), not the secret's value"
        } else {
            return Ok(());
        };
        Err(Error::invalid_input(format!("value of {}", crate::redact::Quoted(key)), reason))
    }
}

/// Whether the text is one line that begins like a reference, after whitespace, quotes and the
/// like. A malformed reference counts, too: no secret begins like one.
fn is_reference_text(text: &str) -> bool {
    let text = text.trim_matches(|character: char| !character.is_alphanumeric());
    let scheme = text.get(..SCHEME.len());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(SCHEME)) && !text.contains(['\n', '\r'])
}

impl NewSecretGroup {
    /// A group in a store that was looked up, so that its rules are checked before the request.
    pub fn new(name: impl Into<String>, store: &SecretStore) -> Self {
        Self { store: store.kind().cloned(), ..Self::in_integration(name, store.id()) }
    }

    /// A group in a store that is known by its identifier only; the store's rules are not checked
    /// here.
    pub fn in_integration(name: impl Into<String>, id: impl Into<IntegrationId>) -> Self {
        Self {
            name: name.into(),
            integration_id: id.into(),
            store: None,
            secrets: Vec::new(),
            checks: Checks::default(),
        }
    }

    /// Adds a secret.
    #[must_use]
    pub fn secret(mut self, key: impl Into<String>, value: impl Into<SecretValue>) -> Self {
        self.secrets.push((key.into(), value.into()));
        self
    }

    /// Adds these secrets, such as those of a [`SecretMap`](crate::SecretMap).
    #[must_use]
    pub fn secrets<K, V>(mut self, secrets: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<SecretValue>,
    {
        self.secrets.extend(secrets.into_iter().map(|(key, value)| (key.into(), value.into())));
        self
    }

    /// Sends keys and values that break the store's documented rules, in case the store has changed them.
    #[must_use]
    pub fn skip_store_rules(mut self) -> Self {
        self.checks.skip_store_rules = true;
        self
    }

    /// Sends values that look like this crate's own masks (`(set)`, `(empty)`, four characters and
    /// `***`), which are refused otherwise: they are nearly always a display written back by mistake.
    #[must_use]
    pub fn allow_masked_text(mut self) -> Self {
        self.checks.allow_masked_text = true;
        self
    }

    /// Sends values that are references (`tfy-secret://tenant:group:key`, also within quotes), which are
    /// refused otherwise: resolving the new secret would return a reference instead of a value.
    #[must_use]
    pub fn allow_reference_text(mut self) -> Self {
        self.checks.allow_reference_text = true;
        self
    }

    /// The group's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The keys, in the order in which they were added.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|(key, _)| key.as_str())
    }

    /// The name, the place and the secrets, and which checks to make.
    pub(crate) fn into_parts(self) -> (String, NewGroupPlace, Vec<(String, SecretValue)>, Checks) {
        let place = NewGroupPlace { integration_id: self.integration_id, kind: self.store };
        (self.name, place, self.secrets, self.checks)
    }

    pub(crate) fn as_request(&self) -> NewGroupRequest<'_> {
        NewGroupRequest {
            name: &self.name,
            integration_id: &self.integration_id,
            secrets: &self.secrets,
        }
    }

    /// What [`SecretGroups::create`](crate::SecretGroups::create) checks before it sends anything, for a
    /// program that asks for consent first.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name that is empty, or has a colon or a control character, an empty or
    /// duplicate key (Azure Key Vault ignores case), a masked value, a reference as a value, or a value that the
    /// store does not accept; [`Error::KeyNotSupported`] for a key that it does not accept.
    pub fn check(&self) -> crate::Result<()> {
        check_group_name(&self.name)?;
        check_secrets(entries(&self.secrets), self.store.as_ref(), self.checks)
    }
}

/// The store in which to create a new group.
#[derive(Clone, Debug)]
pub(crate) struct NewGroupPlace {
    pub(crate) integration_id: IntegrationId,
    /// `None` if only the identifier is known.
    pub(crate) kind: Option<SecretStoreKind>,
}

impl NewGroupPlace {
    pub(crate) fn of(store: &SecretStore) -> Self {
        Self { integration_id: store.id().clone(), kind: store.kind().cloned() }
    }

    /// Whether this group is in it.
    pub(crate) fn has(&self, group: &SecretGroup) -> bool {
        group.integration_id() == Some(&self.integration_id)
    }
}

/// A group to create, with borrowed secrets.
#[derive(Clone, Copy)]
pub(crate) struct NewGroupRequest<'a> {
    pub(crate) name: &'a str,
    pub(crate) integration_id: &'a IntegrationId,
    pub(crate) secrets: &'a [(String, SecretValue)],
}

impl NewGroupRequest<'_> {
    pub(crate) fn body(&self) -> impl Serialize {
        NewGroupBody {
            name: self.name,
            integration_id: self.integration_id.as_str(),
            secrets: entries(self.secrets).collect(),
        }
    }
}

/// One entry of the full list that [`SecretGroups::replace_secrets`](crate::SecretGroups::replace_secrets) sends.
///
/// ```
/// use truefoundry_secrets::SecretUpdate;
///
/// let all = [SecretUpdate::keep("API-KEY"), SecretUpdate::set("LOG-LEVEL", "debug")];
/// assert_eq!(all[0].key(), "API-KEY");
/// ```
#[derive(Clone, Debug)]
pub struct SecretUpdate {
    key: String,
    value: Option<SecretValue>,
    checks: Checks,
}

/// An entry as it is checked and sent, with a borrowed value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretEntry<'a> {
    pub(crate) key: &'a str,
    pub(crate) value: Option<&'a SecretValue>,
}

/// An entry for each key with its value.
pub(crate) fn entries(secrets: &[(String, SecretValue)]) -> impl Iterator<Item = SecretEntry<'_>> {
    secrets.iter().map(|(key, value)| SecretEntry { key, value: Some(value) })
}

impl SecretUpdate {
    pub(crate) fn entry(&self) -> SecretEntry<'_> {
        SecretEntry { key: &self.key, value: self.value.as_ref() }
    }

    /// Keeps the key with the value that it has.
    pub fn keep(key: impl Into<String>) -> Self {
        Self { key: key.into(), value: None, checks: Checks::default() }
    }

    /// Adds the key, or gives it a new value: a new version if the value differs.
    pub fn set(key: impl Into<String>, value: impl Into<SecretValue>) -> Self {
        Self { key: key.into(), value: Some(value.into()), checks: Checks::default() }
    }

    /// Sends a value that looks like this crate's own masks (`(set)`, `(empty)`, four characters and
    /// `***`), which is refused otherwise.
    #[must_use]
    pub fn allow_masked_text(mut self) -> Self {
        self.checks.allow_masked_text = true;
        self
    }

    /// Sends a value that is a reference (`tfy-secret://tenant:group:key`, also within quotes), which is
    /// refused otherwise.
    #[must_use]
    pub fn allow_reference_text(mut self) -> Self {
        self.checks.allow_reference_text = true;
        self
    }

    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    pub(crate) fn check_text(&self) -> crate::Result<()> {
        self.value.as_ref().map_or(Ok(()), |value| self.checks.check_text(&self.key, value))
    }
}

pub(crate) fn check_group_name(name: &str) -> crate::Result<()> {
    let refuse = |reason| Err(Error::invalid_input("group name", reason));
    if name.is_empty() {
        return refuse("it is empty");
    }
    if name.chars().any(char::is_control) {
        return refuse("it has a control character");
    }
    if name.contains(':') {
        return refuse("it has a colon, with which a reference would name another group's key");
    }
    Ok(())
}

/// Refuses what the server or the store would refuse, or understand differently.
pub(crate) fn check_secrets<'a>(
    secrets: impl Iterator<Item = SecretEntry<'a>>,
    store: Option<&SecretStoreKind>,
    checks: Checks,
) -> crate::Result<()> {
    let mut seen = std::collections::HashSet::new();
    let mut known = std::collections::HashMap::new();
    for SecretEntry { key, value } in secrets {
        if key.is_empty() {
            return Err(Error::invalid_input("key", "it is empty"));
        }
        let name = crate::redact::Quoted(key);
        if !seen.insert(key) {
            return Err(Error::invalid_input("key", format!("{name} is given twice")));
        }
        // Kept keys are in the store already, whatever its rules say.
        let Some(value) = value else { continue };
        checks.check_text(key, value)?;
        let Some(store) = store.filter(|_| !checks.skip_store_rules) else { continue };
        if store.check_key(key).is_err() {
            return Err(Error::key_not_supported(key, store));
        }
        if let Some(other) = known.insert(store.identity(key), key) {
            return Err(same_secret(other, key, store));
        }
        if let Err(problem) = store.check_value(value) {
            return Err(Error::invalid_input(format!("value of {name}"), problem.to_string()));
        }
    }
    Ok(())
}

/// The error for two keys that the store treats as one secret, which would have the value of one of
/// them and be deleted with either.
pub(crate) fn same_secret(one: &str, other: &str, store: &SecretStoreKind) -> Error {
    let (one, other) = (crate::redact::Quoted(one), crate::redact::Quoted(other));
    Error::invalid_input("keys", format!("{one} and {other} are one secret in {store}"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewGroupBody<'a> {
    name: &'a str,
    integration_id: &'a str,
    secrets: Vec<SecretEntry<'a>>,
}

/// The full list of a group's keys.
#[derive(Serialize)]
pub(crate) struct FullList<'a> {
    pub(crate) secrets: &'a [SecretEntry<'a>],
}

impl Serialize for SecretEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("Secret", 2)?;
        entry.serialize_field("key", self.key)?;
        // `{"key": "K"}` keeps the value; `"value": null` would be something else.
        if let Some(value) = self.value {
            entry.serialize_field("value", &Exposed(value))?;
        }
        entry.end()
    }
}
