//! Many references in one request.

use std::borrow::Borrow;
use std::collections::HashSet;

use super::batch::try_join_ordered;
use super::resolved::{CheckedRefs, ResolvedSecrets};
use super::secret_map::SecretMap;
use crate::api::{GroupList, names_another_group, unreadable};
use crate::client::Client;
use crate::models::{Secret, SecretGroup, SecretGroupId, SecretRef};
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// How many fully qualified names one request asks for.
pub(super) const BATCH: usize = 100;

/// What was found for one reference.
pub(crate) enum Found {
    Value(SecretValue),
    /// It exists; its value was not asked for.
    Present,
    Missing,
    Hidden,
}

impl Client {
    /// The value that a reference stands for, in one request; in two if the server leaves values out
    /// of lists.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::SecretRef;
    ///
    /// let reference = SecretRef::new("my-org", "prod-secrets", "DB-PASSWORD").unwrap();
    /// let value = client.resolve(&reference).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] if the secret does not exist, or this key may not see it;
    /// [`Error::ValueHidden`] if the control plane does not show its value.
    pub async fn resolve(&self, reference: &SecretRef) -> Result<SecretValue> {
        match self.resolve_all([reference]).await {
            Ok(resolved) => resolved.into_first().ok_or_else(|| self.no_such_secret(reference)),
            Err(Error::Unresolved { hidden, .. }) if !hidden.is_empty() => {
                Err(Error::ValueHidden { id: reference.as_str().into() })
            }
            Err(Error::Unresolved { .. }) => Err(self.no_such_secret(reference)),
            Err(error) => Err(error),
        }
    }

    /// The values that references stand for: one request per 100 of them. Each is requested once,
    /// however often it is given. The result keeps the order.
    ///
    /// If a server leaves values out (older ones do, or viewing is switched off) they are read one by
    /// one, at most 10 at a time
    /// ([`ClientBuilder::concurrent_reads`](crate::ClientBuilder::concurrent_reads)); likewise if it
    /// refuses a whole request with 403 or 404 because of one of the names in it.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> Result<(), Box<dyn std::error::Error>> {
    /// use truefoundry_secrets::find_refs;
    ///
    /// let manifest = std::fs::read_to_string("manifest.yaml")?;
    /// let found = find_refs(&manifest).collect::<Result<Vec<_>, _>>()?;
    /// let values = client.resolve_all(found.iter().map(|found| found.reference())).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Unresolved`] with all references that name nothing this key may see and all those
    /// whose values are not shown; partial results are not returned. Any other failure is returned
    /// at once, and ends the requests that are still under way.
    pub async fn resolve_all<I>(&self, references: I) -> Result<ResolvedSecrets>
    where
        I: IntoIterator,
        I::Item: Borrow<SecretRef>,
    {
        let references = unique(references);
        let found = self.look_up(&references, true).await?;
        all_or_unresolved(references.into_iter().zip(found).collect())
    }

    /// Which references name a secret that this key may see; one that it may not see (403) counts as missing.
    /// No value is read. It makes one request per 100 references.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client)
    /// # -> Result<(), Box<dyn std::error::Error>> {
    /// use truefoundry_secrets::find_refs;
    ///
    /// let manifest = std::fs::read_to_string("manifest.yaml")?;
    /// let found = find_refs(&manifest).collect::<Result<Vec<_>, _>>()?;
    /// let checked = client.check_refs(found.iter().map(|found| found.reference())).await?;
    /// assert!(checked.missing().is_empty(), "{:?}", checked.missing());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Failures of the requests; a reference that names nothing is not an error.
    pub async fn check_refs<I>(&self, references: I) -> Result<CheckedRefs>
    where
        I: IntoIterator,
        I::Item: Borrow<SecretRef>,
    {
        let references = unique(references);
        let found = self.look_up(&references, false).await?;
        let pairs = references.into_iter().zip(found);
        Ok(CheckedRefs::new(pairs.map(|(r, found)| (r, !matches!(found, Found::Missing)))))
    }

    /// All keys of a group with their values, in two requests for fewer than 100 keys: the group by its name,
    /// then its secrets (one more per 100 keys, and one to learn the tenant's name if it is not known
    /// yet). A full page is never taken for the last, whatever the server's total. If the server neither
    /// says how long its pages are nor lists the group's keys with the group, a page that is not
    /// full costs one more request, too. Values that the list leaves out are read one by one, as in
    /// [`resolve_all`](Self::resolve_all).
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let values = client.resolve_group("prod-secrets").await?;
    /// if let Some(password) = values.get("DB-PASSWORD") {
    ///     println!("{} bytes", password.len());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::NotFound`] for the group, and the other errors of
    /// [`get_by_name`](crate::SecretGroups::get_by_name); [`Error::Decode`] if the list changes, or
    /// contradicts its total, in each of three reads; otherwise as
    /// [`resolve_all`](Self::resolve_all).
    #[doc(alias = "read")]
    #[doc(alias = "fetch")]
    #[doc(alias = "get_values")]
    pub async fn resolve_group(&self, name: &str) -> Result<SecretMap> {
        let group = self.secret_groups().get_by_name(name).await?;
        self.values_of(group.id(), Some(&group)).await
    }

    /// As [`resolve_group`](Self::resolve_group), by the group's identifier, with one request less.
    ///
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// let values = client.resolve_group_by_id("sg-abc").await?;
    /// println!("{} keys", values.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`resolve_group`](Self::resolve_group).
    pub async fn resolve_group_by_id(&self, id: impl Into<SecretGroupId>) -> Result<SecretMap> {
        self.values_of(&id.into(), None).await
    }

    /// All values of a group. `group` is the group itself, if it was read.
    pub(crate) async fn values_of(
        &self,
        id: &SecretGroupId,
        group: Option<&SecretGroup>,
    ) -> Result<SecretMap> {
        let is_listed = group.is_some_and(|group| group.secrets().is_some());
        let secrets = GroupList::read_all(self, id, is_listed).await?;
        let is_of_another = |group| secrets.iter().any(|secret| names_another_group(secret, group));
        if group.is_some_and(is_of_another) {
            return Err(unreadable(self));
        }
        // A key that is in the group but not in its list of secrets was deleted in between, or the
        // list is incomplete.
        let mut missing: Vec<Secret> = Vec::new();
        if let Some(listed) = group.and_then(SecretGroup::secrets) {
            let keys: HashSet<_> = secrets.iter().map(Secret::key).collect();
            missing.extend(listed.iter().filter(|secret| !keys.contains(&secret.key())).cloned());
        }
        let reads = secrets.iter().map(|secret| self.value_of(secret.clone()));
        let found = try_join_ordered(reads, self.concurrent_reads()).await?;
        let mut values = SecretMap::new();
        let mut hidden = Vec::new();
        for (secret, found) in secrets.into_iter().zip(found) {
            match (found, secret.key()) {
                (Found::Value(value), Some(key)) => {
                    values.insert(key, value);
                }
                (Found::Missing, _) => missing.push(secret),
                _ => hidden.push(secret),
            }
        }
        if missing.is_empty() && hidden.is_empty() {
            return Ok(values);
        }
        let read;
        let group = if let Some(group) = group {
            group
        } else {
            read = self.secret_groups().get(id).await?;
            &read
        };
        let references = |secrets: &[Secret]| -> Result<Box<[SecretRef]>> {
            secrets.iter().map(|secret| reference_of(secret, group)).collect()
        };
        let (missing, hidden) = (references(&missing), references(&hidden));
        let (missing, hidden) =
            missing.and_then(|missing| Ok((missing, hidden?))).map_err(|_| unreadable(self))?;
        Err(Error::Unresolved { missing, hidden })
    }

    fn no_such_secret(&self, reference: &SecretRef) -> Error {
        self.transport().no_such_secret(reference.as_str())
    }
}

/// All the values, or all the references that cannot be resolved.
fn all_or_unresolved(found: Vec<(SecretRef, Found)>) -> Result<ResolvedSecrets> {
    let mut resolved = Vec::with_capacity(found.len());
    let (mut missing, mut hidden) = (Vec::new(), Vec::new());
    for (reference, found) in found {
        match found {
            Found::Value(value) => resolved.push((reference, value)),
            Found::Missing => missing.push(reference),
            Found::Present | Found::Hidden => hidden.push(reference),
        }
    }
    if missing.is_empty() && hidden.is_empty() {
        return Ok(ResolvedSecrets::new(resolved));
    }
    Err(Error::Unresolved { missing: missing.into(), hidden: hidden.into() })
}

fn reference_of(secret: &Secret, group: &SecretGroup) -> Result<SecretRef> {
    secret.reference().or_else(|_| group.reference(secret.key().unwrap_or_default()))
}

/// In the order of their first appearance.
fn unique<I>(references: I) -> Vec<SecretRef>
where
    I: IntoIterator,
    I::Item: Borrow<SecretRef>,
{
    let given: Vec<I::Item> = references.into_iter().collect();
    let mut seen = HashSet::with_capacity(given.len());
    given.iter().map(Borrow::borrow).filter(|it| seen.insert(it.as_str())).cloned().collect()
}
