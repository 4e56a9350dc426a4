//! Renames keys that another store does not accept.

use std::borrow::Borrow;
use std::collections::HashMap;

use super::secret_map::SecretMap;
use crate::redact::Quoted;
use crate::stores::SecretStoreKind;
use crate::{Error, Result};

impl SecretMap {
    /// Each key, in order, with the name that [`renamed_for`](Self::renamed_for) gives it: the same for keys
    /// that the store accepts.
    ///
    /// ```
    /// use truefoundry_secrets::{SecretMap, SecretStoreKind};
    ///
    /// let values: SecretMap = [("DB_PASSWORD", "made up"), ("TOKEN", "made up")].into_iter().collect();
    /// let names = values.renames(SecretStoreKind::AzureVault)?;
    /// assert_eq!(names, [("DB_PASSWORD", "DB-PASSWORD".to_owned()), ("TOKEN", "TOKEN".to_owned())]);
    /// # Ok::<_, truefoundry_secrets::Error>(())
    /// ```
    ///
    /// A manifest that refers to the group `prod` is rewritten to refer to its copy `prod-az`:
    /// ```no_run
    /// # use truefoundry_secrets::{BoxError, Client, SecretMap};
    /// # async fn f(client: Client, values: SecretMap, manifest: &str) -> Result<String, BoxError> {
    /// use std::collections::HashMap;
    /// use truefoundry_secrets::{SecretRef, SecretStoreKind, rewrite_refs};
    ///
    /// let from = client.secret_groups().get_by_name("prod").await?;
    /// let to = client.secret_groups().get_by_name("prod-az").await?;
    /// let mut moved: HashMap<SecretRef, SecretRef> = HashMap::new();
    /// for (old, new) in values.renames(SecretStoreKind::AzureVault)? {
    ///     moved.insert(from.reference(old)?, to.reference(&new)?);
    /// }
    /// let manifest = rewrite_refs(manifest, |found| moved.get(found.reference()).cloned())?;
    /// # Ok(manifest)
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`renamed_for`](Self::renamed_for).
    pub fn renames(&self, store: impl Borrow<SecretStoreKind>) -> Result<Vec<(&str, String)>> {
        let store = store.borrow();
        let mut taken = HashMap::with_capacity(self.len());
        let mut names = Vec::with_capacity(self.len());
        for key in self.keys() {
            let name = match store.check_key(key) {
                Ok(()) => key.to_owned(),
                Err(problem) => match problem.suggestion() {
                    Some(name) => name.to_owned(),
                    None => return Err(Error::key_not_supported(key, store)),
                },
            };
            if let Some(other) = taken.insert(store.identity(&name), key) {
                let (other, key, name) = (Quoted(other), Quoted(key), Quoted(&name));
                let reason = format!("{other} and {key} would both be {name} in {store}");
                return Err(Error::invalid_input("keys", reason));
            }
            names.push((key, name));
        }
        Ok(names)
    }

    /// The same values under keys that this kind of store accepts, for a copy into it: each key that it refuses
    /// gets the similar name that [`SecretStoreKind::suggest_key`] suggests, such as `DB-PASSWORD`
    /// for `DB_PASSWORD` in Azure Key Vault. [`renames`](Self::renames) lists old and new names,
    /// with which [`rewrite_refs`](crate::rewrite_refs) rewrites a manifest.
    ///
    /// The group `prod` in another store:
    /// ```no_run
    /// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::SecretStoreKind::AzureVault;
    ///
    /// let azure = client.secret_stores().find(AzureVault).await?;
    /// let values = client.resolve_group("prod").await?.renamed_for(AzureVault)?;
    /// client.secret_groups().sync("prod-az", values).create_in(&azure).apply().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// In another tenant of the same control plane, with a client for each and a key that may write there:
    /// ```no_run
    /// # async fn f(key: truefoundry_secrets::SecretValue) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{Client, ClientBuilder, SecretStoreKind::AwsSecretsManager};
    ///
    /// let from = Client::from_env()?;
    /// let to = ClientBuilder::from_env().tenant("other-org").api_key(key).build()?;
    /// let aws = to.secret_stores().find(AwsSecretsManager).await?;
    /// let values = from.resolve_group("prod").await?.renamed_for(AwsSecretsManager)?;
    /// to.secret_groups().sync("prod", values).create_in(&aws).apply().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// On another control plane:
    /// ```no_run
    /// # async fn f(key: truefoundry_secrets::SecretValue) -> truefoundry_secrets::Result<()> {
    /// use truefoundry_secrets::{Client, SecretStoreKind::GcpSecretManager};
    ///
    /// let from = Client::from_env()?;
    /// let to = Client::builder().base_url("https://other.example").api_key(key).build()?;
    /// let gcp = to.secret_stores().find(GcpSecretManager).await?;
    /// let values = from.resolve_group("prod").await?.renamed_for(GcpSecretManager)?;
    /// to.secret_groups().sync("prod", values).create_in(&gcp).apply().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::KeyNotSupported`] for a key without a similar name that the store accepts;
    /// [`Error::InvalidInput`] if two keys would get one name. Azure Key Vault ignores case, so
    /// names that differ only in case are the same there.
    pub fn renamed_for(self, store: impl Borrow<SecretStoreKind>) -> Result<Self> {
        let names: Vec<String> = self.renames(store)?.into_iter().map(|(_, name)| name).collect();
        Ok(names.into_iter().zip(self).map(|(name, (_, value))| (name, value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(keys: &[&str]) -> SecretMap {
        keys.iter().map(|key| (*key, format!("value of {key}"))).collect()
    }

    #[test]
    fn values_stay_with_their_keys() {
        let map = map(&["DB_PASSWORD", "TOKEN", "a.b"]);
        let renamed = map.clone().renamed_for(SecretStoreKind::AzureVault).unwrap();
        let pairs: Vec<_> = renamed.iter().map(|(key, it)| (key, it.expose_secret())).collect();
        let expected = [
            ("DB-PASSWORD", "value of DB_PASSWORD"),
            ("TOKEN", "value of TOKEN"),
            ("a-b", "value of a.b"),
        ];
        assert_eq!(pairs, expected);
        // No rule is known.
        let same = map.renamed_for(&SecretStoreKind::Generic).unwrap();
        assert_eq!(same.keys().collect::<Vec<_>>(), ["DB_PASSWORD", "TOKEN", "a.b"]);
    }

    #[test]
    fn clashes_and_keys_without_a_name_are_refused() {
        for keys in [["A_B", "A.B"], ["A-B", "A_B"], ["A_B", "A-B"], ["a_b", "A-B"]] {
            let error = map(&keys).renamed_for(SecretStoreKind::AzureVault).unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
            assert!(keys.iter().all(|key| text.contains(key)) && !text.contains("value"), "{text}");
        }
        assert!(map(&["a_b", "A_B"]).renamed_for(SecretStoreKind::AwsSecretsManager).is_ok());
        for key in ["", "ключ", "___"] {
            let error = map(&["OK", key]).renames(SecretStoreKind::AzureVault).unwrap_err();
            assert!(matches!(error, Error::KeyNotSupported { .. }), "{key}: {error:?}");
        }
    }
}
