//! The values of one group under their keys.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;

use crate::redact::{List, Quoted};
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// Secret values under unique keys, in order: the values of one group. It prints masked.
///
/// [`Client::resolve_group`](crate::Client::resolve_group) returns one.
///
/// ```
/// use truefoundry_secrets::{SecretMap, SecretValue, env_name};
///
/// let values: SecretMap =
///     [("DB-PASSWORD", SecretValue::from("correct horse"))].into_iter().collect();
/// assert_eq!(format!("{values:?}"), r#"{"DB-PASSWORD": (set)}"#);
/// assert!(values.get("DB-PASSWORD").is_some());
///
/// // A hyphen cannot stand in the name of an environment variable that a shell reads.
/// assert!(values.clone().into_env().is_err());
/// let env = values.into_env_as(env_name)?;
/// assert_eq!(env[0].0, "DB_PASSWORD");
/// # Ok::<_, truefoundry_secrets::Error>(())
/// ```
///
/// It cannot be serialized:
/// ```compile_fail,E0277
/// serde_json::to_string(&truefoundry_secrets::SecretMap::new());
/// ```
#[derive(Clone, Default)]
pub struct SecretMap {
    entries: Vec<(String, SecretValue)>,
    places: HashMap<String, usize>,
}

impl SecretMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the value of a key and returns the value that it had. A new key comes last.
    pub fn insert(
        &mut self,
        key: impl Into<String>,
        value: impl Into<SecretValue>,
    ) -> Option<SecretValue> {
        let (key, value) = (key.into(), value.into());
        let place = self.places.get(&key).and_then(|place| self.entries.get_mut(*place));
        if let Some((_, current)) = place {
            return Some(std::mem::replace(current, value));
        }
        self.places.insert(key.clone(), self.entries.len());
        self.entries.push((key, value));
        None
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&SecretValue> {
        self.places.get(key).and_then(|place| self.entries.get(*place)).map(|(_, value)| value)
    }

    /// Whether the key exists.
    pub fn contains_key(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &SecretValue)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The values under their keys, for [`Command::envs`](std::process::Command::envs).
    ///
    /// The pairs print masked, but **a `Command` does not**: its own `{:?}` prints the environment that it
    /// was given, values included. The child and the processes that it starts can read the
    /// environment as long as they run, and so can every process that may read their
    /// `/proc/PID/environ`. Anyone who can write the group can also set variables such as `PATH`
    /// and `LD_PRELOAD`.
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
    /// [`Error::InvalidInput`] if a key is not a name that every shell can read
    /// (`[A-Za-z_][A-Za-z0-9_]*`): the error lists those keys, and
    /// [`into_env_as`](Self::into_env_as) renames them. Also if a value has a NUL, which would
    /// truncate it.
    pub fn into_env(self) -> Result<Vec<(String, EnvValue)>> {
        self.into_env_as(str::to_owned)
    }

    /// As [`into_env`](Self::into_env), with the name that `name` returns for each key;
    /// [`env_name`](crate::env_name) is the usual choice.
    ///
    /// # Errors
    /// As [`into_env`](Self::into_env); also if two keys get the same name.
    pub fn into_env_as(
        self,
        mut name: impl FnMut(&str) -> String,
    ) -> Result<Vec<(String, EnvValue)>> {
        let mut keys = HashMap::with_capacity(self.entries.len());
        let mut env = Vec::with_capacity(self.entries.len());
        let mut unusable = Vec::new();
        for (key, value) in self.entries {
            let name = name(&key);
            let refuse = |reason: String| Err(Error::invalid_input("environment", reason));
            if !is_variable_name(&name) {
                unusable.push(key);
                continue;
            }
            if value.expose_secret().contains('\0') {
                let key = Quoted(&key);
                return refuse(format!("the value of {key} has a NUL, which no variable can hold"));
            }
            if let Some(other) = keys.insert(name.clone(), key.clone()) {
                let (other, key, name) = (Quoted(&other), Quoted(&key), Quoted(&name));
                return refuse(format!("{other} and {key} both become {name}"));
            }
            env.push((name, EnvValue::from(value)));
        }
        if !unusable.is_empty() {
            let reason = format!(
                "not valid variable names: {}; into_env_as(env_name) replaces the invalid characters",
                List(&unusable)
            );
            return Err(Error::invalid_input("environment", reason));
        }
        Ok(env)
    }
}

/// The name of the environment variable for a key: each character other than `A-Z`, `a-z`, `0-9` and `_`
/// becomes `_`, and a name that would begin with a digit begins with `_`.
///
/// ```
/// use truefoundry_secrets::env_name;
///
/// assert_eq!(env_name("DB-PASSWORD"), "DB_PASSWORD");
/// assert_eq!(env_name("1st.key"), "_1st_key");
/// ```
pub fn env_name(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 1);
    if key.starts_with(|first: char| first.is_ascii_digit()) {
        name.push('_');
    }
    name.extend(key.chars().map(|it| if it.is_ascii_alphanumeric() { it } else { '_' }));
    name
}

fn is_variable_name(name: &str) -> bool {
    let is_letter = |it: char| it.is_ascii_alphabetic() || it == '_';
    name.starts_with(is_letter) && name.chars().all(|it| is_letter(it) || it.is_ascii_digit())
}

/// A repeated key keeps its first place and gets the last value.
impl<K: Into<String>, V: Into<SecretValue>> FromIterator<(K, V)> for SecretMap {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut map = Self::new();
        map.extend(pairs);
        map
    }
}

impl<K: Into<String>, V: Into<SecretValue>> Extend<(K, V)> for SecretMap {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        for (key, value) in pairs {
            self.insert(key, value);
        }
    }
}

impl IntoIterator for SecretMap {
    type Item = (String, SecretValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// The keys; values print masked.
impl fmt::Debug for SecretMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// A value on its way into a process's environment: it prints masked, and reads as an `OsStr`.
///
/// ```no_run
/// # async fn f(client: truefoundry_secrets::Client) -> truefoundry_secrets::Result<()> {
/// let mut command = std::process::Command::new("./server");
/// for (name, value) in client.resolve_group("prod-secrets").await?.into_env()? {
///     command.env(name, value);
/// }
/// # Ok(())
/// # }
/// ```
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

/// Passes the value to the operating system.
impl AsRef<OsStr> for EnvValue {
    fn as_ref(&self) -> &OsStr {
        self.0.expose_secret().as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(keys: &[&str]) -> SecretMap {
        keys.iter().map(|key| (*key, "a made-up value")).collect()
    }

    #[test]
    fn keys_that_no_shell_can_read_are_listed_with_the_way_out() {
        let error = map(&["DB-PASSWORD", "OK", "db.password", "1ST", ""]).into_env().unwrap_err();
        let text = error.to_string();
        for part in ["DB-PASSWORD", "db.password", "1ST", "into_env_as(env_name)"] {
            assert!(text.contains(part), "{text}");
        }
        assert!(!text.contains("OK"), "{text}");
    }

    #[test]
    fn names_are_made_for_keys_and_collisions_are_refused() {
        let env = map(&["DB-PASSWORD", "db.password", "1ST"]).into_env_as(env_name).unwrap();
        let names: Vec<_> = env.into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["DB_PASSWORD", "db_password", "_1ST"]);
        let error = map(&["A-B", "A_B"]).into_env_as(env_name).unwrap_err().to_string();
        assert!(error.contains(r#""A-B" and "A_B" both become "A_B""#), "{error}");
    }

    #[test]
    fn a_value_with_a_nul_is_refused_and_not_shown() {
        let map: SecretMap = [("KEY", "made\0up")].into_iter().collect();
        let error = map.into_env().unwrap_err().to_string();
        assert!(error.contains("KEY") && !error.contains("made"), "{error}");
    }

    #[test]
    fn a_repeated_key_gets_the_last_value_in_its_first_place() {
        let map: SecretMap = [("A", "1"), ("B", "2"), ("A", "3")].into_iter().collect();
        let pairs: Vec<_> = map.iter().map(|(key, value)| (key, value.expose_secret())).collect();
        assert_eq!(pairs, [("A", "3"), ("B", "2")]);
        assert_eq!(map.len(), 2);
    }
}
