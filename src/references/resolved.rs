use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fmt;

use crate::models::SecretRef;
use crate::redact::Quoted;
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// References with their values, in the order in which they were asked for. It prints masked.
#[derive(Clone)]
pub struct ResolvedSecrets {
    entries: Vec<(SecretRef, SecretValue)>,
    places: HashMap<SecretRef, usize>,
}

impl ResolvedSecrets {
    pub(super) fn new(entries: Vec<(SecretRef, SecretValue)>) -> Self {
        let places = entries
            .iter()
            .enumerate()
            .map(|(place, (reference, _))| (reference.clone(), place))
            .collect();
        Self { entries, places }
    }

    pub(super) fn into_first(self) -> Option<SecretValue> {
        self.entries.into_iter().next().map(|(_, value)| value)
    }

    /// The value of a reference that was asked for.
    pub fn get(&self, reference: &SecretRef) -> Option<&SecretValue> {
        self.places
            .get(reference)
            .and_then(|place| self.entries.get(*place))
            .map(|(_, value)| value)
    }

    /// The value of the first reference with this key: what to use after
    /// [`Client::resolve_group`](crate::Client::resolve_group), where keys are unique.
    pub fn get_key(&self, key: &str) -> Option<&SecretValue> {
        self.iter().find(|(reference, _)| reference.key() == key).map(|(_, value)| value)
    }

    /// References and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&SecretRef, &SecretValue)> {
        self.entries.iter().map(|(reference, value)| (reference, value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The values under their keys, for [`Command::envs`](std::process::Command::envs).
    ///
    /// The pairs print masked, but **a `Command` does not**: its own `{:?}` prints the environment it was
    /// given, values included. The child, and what it starts, can read the environment for as long as
    /// they live, and so can whoever may read their `/proc/PID/environ`. The names are the group's keys:
    /// who may write the group decides on variables such as `PATH` and `LD_PRELOAD`, too.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let env = client.resolve_group("prod-secrets").await?.into_env()?;
    /// let status = std::process::Command::new("./server").envs(env).status()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::InvalidInput`] where two references have the same key, where a key cannot be the name of
    /// a variable (`=`, NUL), or where a value has a NUL, at which it would be cut.
    pub fn into_env(self) -> Result<Vec<(String, EnvValue)>> {
        let mut names = HashSet::new();
        let mut env = Vec::with_capacity(self.entries.len());
        for (reference, value) in self.entries {
            let key = reference.key();
            let refuse = |reason| {
                Err(Error::invalid_input("environment", format!("{} {reason}", Quoted(key))))
            };
            if key.contains(['=', '\0']) {
                return refuse("cannot be the name of a variable");
            }
            if value.expose_secret().contains('\0') {
                return refuse("has a value with a NUL, which no variable can hold");
            }
            if !names.insert(key.to_owned()) {
                return refuse("is the key of two references");
            }
            env.push((key.to_owned(), EnvValue(value)));
        }
        Ok(env)
    }
}

impl IntoIterator for ResolvedSecrets {
    type Item = (SecretRef, SecretValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'a> IntoIterator for &'a ResolvedSecrets {
    type Item = &'a (SecretRef, SecretValue);
    type IntoIter = std::slice::Iter<'a, (SecretRef, SecretValue)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.iter()
    }
}

/// The references; values print masked.
impl fmt::Debug for ResolvedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A value on its way into a process's environment: it prints masked, and reads as an `OsStr`.
#[derive(Clone, Debug)]
pub struct EnvValue(SecretValue);

impl EnvValue {
    /// The value.
    pub fn into_value(self) -> SecretValue {
        self.0
    }
}

impl From<SecretValue> for EnvValue {
    fn from(value: SecretValue) -> Self {
        Self(value)
    }
}

/// The door through which the operating system takes the value.
impl AsRef<OsStr> for EnvValue {
    fn as_ref(&self) -> &OsStr {
        self.0.expose_secret().as_ref()
    }
}

/// Which references name a secret; from [`Client::check_refs`](crate::Client::check_refs).
#[derive(Clone, Debug)]
pub struct CheckedRefs {
    existing: Vec<SecretRef>,
    missing: Vec<SecretRef>,
    exists: HashSet<SecretRef>,
}

impl CheckedRefs {
    pub(super) fn new(checked: impl Iterator<Item = (SecretRef, bool)>) -> Self {
        let (mut existing, mut missing) = (Vec::new(), Vec::new());
        for (reference, exists) in checked {
            if exists { existing.push(reference) } else { missing.push(reference) }
        }
        let exists = existing.iter().cloned().collect();
        Self { existing, missing, exists }
    }

    /// Those that name a secret that the API key may see.
    pub fn existing(&self) -> &[SecretRef] {
        &self.existing
    }

    /// Those that do not.
    pub fn missing(&self) -> &[SecretRef] {
        &self.missing
    }

    /// Whether the reference was asked for and names a secret.
    pub fn exists(&self, reference: &SecretRef) -> bool {
        self.exists.contains(reference)
    }
}
