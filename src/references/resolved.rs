use std::collections::{HashMap, HashSet};
use std::fmt;

use super::secret_map::SecretMap;
use crate::models::SecretRef;
use crate::redact::Quoted;
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// References with their values, in the order in which they were asked for. It prints masked.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client, reference: truefoundry_secrets::SecretRef)
/// # -> truefoundry_secrets::Result<()> {
/// let values = client.resolve_all([&reference]).await?;
/// for (reference, value) in &values {
///     println!("{reference}: {value:?}"); // the value prints masked
/// }
/// let password = values.get(&reference);
/// # Ok(())
/// # }
/// ```
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

    /// References and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&SecretRef, &SecretValue)> {
        self.entries.iter().map(|(reference, value)| (reference, value))
    }

    /// The number of references.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The values under their keys alone.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if two of the references have the same key, in different groups.
    pub fn into_map(self) -> Result<SecretMap> {
        let mut map = SecretMap::new();
        for (reference, value) in self.entries {
            if map.insert(reference.key(), value).is_some() {
                let reason = format!("{} is the key of two references", Quoted(reference.key()));
                return Err(Error::invalid_input("references", reason));
            }
        }
        Ok(map)
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

/// Which references name a secret; from [`Client::check_refs`](crate::Client::check_refs).
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client, references: Vec<truefoundry_secrets::SecretRef>)
/// # -> truefoundry_secrets::Result<()> {
/// let checked = client.check_refs(&references).await?;
/// for reference in checked.missing() {
///     eprintln!("{reference} does not exist");
/// }
/// # Ok(())
/// # }
/// ```
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

    /// The references that name a secret that the API key may see.
    pub fn existing(&self) -> &[SecretRef] {
        &self.existing
    }

    /// The references that do not.
    pub fn missing(&self) -> &[SecretRef] {
        &self.missing
    }

    /// Whether the reference was asked for and names a secret.
    pub fn exists(&self, reference: &SecretRef) -> bool {
        self.exists.contains(reference)
    }
}
