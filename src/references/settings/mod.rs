//! A group's values as a user's own struct.
//!
//! serde's errors quote the value that they are about, so their texts are not kept: [`Problem`]
//! drops everything that serde or a user's type says. What is reported instead comes from what the
//! type *asked for* (a `u32`, one of these variants), which is known before a value is looked at.

mod fields;
mod stub;
mod value;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, DeserializeOwned};

use super::secret_map::SecretMap;
use crate::{Error, Result};
use fields::Root;

/// Each run finds one problem, at a cost that grows with the map.
const MAX_RUNS: usize = 128;

impl SecretMap {
    /// Deserializes the values into a struct of your own, or into another type that serde supports.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use truefoundry_secrets::{SecretMap, SecretValue};
    ///
    /// #[derive(Deserialize)]
    /// struct Settings {
    ///     db_password: SecretValue,
    ///     pool_size: u32,
    ///     smtp_password: Option<SecretValue>,
    /// }
    ///
    /// let values: SecretMap =
    ///     [("DB-PASSWORD", "correct horse"), ("POOL-SIZE", "10")].into_iter().collect();
    /// let settings: Settings = values.deserialize()?;
    /// assert_eq!(settings.pool_size, 10);
    /// assert!(settings.smtp_password.is_none());
    /// # Ok::<_, truefoundry_secrets::Error>(())
    /// ```
    ///
    /// # Names
    /// A key that is exactly the name of a field (or its `rename` or `alias`) is that field's. A field without
    /// one gets the key that differs only in ASCII case, or in `-` and `.` for `_`. Keys that match no field
    /// are passed on as they are, so that `deny_unknown_fields` works.
    ///
    /// # Values
    /// Text is used as it is, never trimmed; an empty value is `Some("")` for an optional text.
    /// Numbers and booleans (`true`, `false`) are parsed from the trimmed text. The variant of an
    /// enum is the text; lists, maps, nested structs and variants with content are read from JSON.
    /// Types that accept anything, such as untagged enums, get the text.
    ///
    /// Only a [`SecretValue`](crate::SecretValue) is wiped when it is dropped. In JSON,
    /// `serde_json` copies a text with escapes (`\n`) to a buffer of its own that is not wiped:
    /// store a secret under a key of its own.
    ///
    /// `#[serde(flatten)]` hides the names of the fields from this method, and hands all values over as
    /// text: only exact names and text fields work with it. Deserialize two structs from the same
    /// map instead:
    ///
    /// ```
    /// # use truefoundry_secrets::{SecretMap, SecretValue};
    /// # #[derive(serde::Deserialize)] struct Database { db_password: SecretValue }
    /// # #[derive(serde::Deserialize)] struct Pool { pool_size: u32 }
    /// # let values: SecretMap =
    /// #     [("DB-PASSWORD", "correct horse"), ("POOL-SIZE", "10")].into_iter().collect();
    /// let database: Database = values.deserialize()?;
    /// let pool: Pool = values.deserialize()?;
    /// # Ok::<_, truefoundry_secrets::Error>(())
    /// ```
    ///
    /// # Other layers
    /// With `config`, the values are the last layer over files and defaults:
    ///
    /// ```
    /// # use truefoundry_secrets::{SecretMap, SecretValue, env_name};
    /// # #[derive(serde::Deserialize)] struct Settings { db_password: SecretValue, pool_size: u32 }
    /// # let values: SecretMap = [("DB-PASSWORD", "correct horse")].into_iter().collect();
    /// let mut layers = config::Config::builder().set_default("pool_size", 5)?;
    /// for (key, value) in values.iter() {
    ///     layers = layers.set_override(env_name(key).to_lowercase(), value.expose_secret())?;
    /// }
    /// let settings: Settings = layers.build()?.try_deserialize()?;
    /// assert_eq!(settings.db_password.expose_secret(), "correct horse");
    /// # Ok::<_, config::ConfigError>(())
    /// ```
    ///
    /// With `figment`, too; it does not parse numbers from text:
    ///
    /// ```
    /// # use truefoundry_secrets::{SecretMap, SecretValue, env_name};
    /// # #[derive(serde::Deserialize)] struct Settings { db_password: SecretValue, pool_size: u32 }
    /// # let values: SecretMap = [("DB-PASSWORD", "correct horse")].into_iter().collect();
    /// let mut layers = figment::Figment::new().merge(("pool_size", 5));
    /// for (key, value) in values.iter() {
    ///     layers = layers.merge((env_name(key).to_lowercase(), value.expose_secret()));
    /// }
    /// let settings: Settings = layers.extract()?;
    /// assert_eq!(settings.db_password.expose_secret(), "correct horse");
    /// # Ok::<_, Box<figment::Error>>(())
    /// ```
    ///
    /// Both keep copies that are not wiped, and **their errors quote values**: a number that does not parse
    /// is in the text. If that matters, take the other settings from the layers and the secrets from this
    /// method.
    ///
    /// # Errors
    /// [`Error::InvalidSettings`] with all keys that are missing and all values that cannot be used, at once.
    /// To find them all, the type is deserialized again after each problem, at most 128 times, with
    /// a stand-in for the value; a type that accepts no stand-in ends the list (`incomplete`). The
    /// error holds the names of keys and types, and no value.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T> {
        let mut report = Report::default();
        for _ in 0..MAX_RUNS {
            let run = RefCell::new(Run::default());
            let outcome = T::deserialize(Root { map: self, report: &report, run: &run });
            let run = run.into_inner();
            report.note_ambiguous(run.ambiguous);
            match outcome {
                Ok(value) if report.is_empty() => return Ok(value),
                // A result that contains stubs is not returned.
                Ok(_) => return Err(report.into_error()),
                Err(problem) => {
                    if !report.note(problem, run.at, run.name, self) {
                        return Err(report.into_error());
                    }
                }
            }
        }
        report.incomplete = true;
        Err(report.into_error())
    }
}

/// The problems of a struct that are known after some runs.
#[derive(Default)]
struct Report {
    missing: Vec<String>,
    invalid: Vec<(String, String)>,
    incomplete: bool,
    /// Names that get a stub in place of a value, as they are passed to the type.
    stubbed: HashSet<String>,
    /// Keys that are not passed on.
    hidden: HashSet<String>,
}

impl Report {
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.invalid.is_empty()
    }

    fn note_ambiguous(&mut self, ambiguous: Vec<(&'static str, Vec<String>)>) {
        for (field, keys) in ambiguous {
            if self.stubbed.insert(field.to_owned()) {
                self.invalid.push((keys.join(" and "), format!("only one key for {field}")));
            }
        }
    }

    /// Records a problem. Returns whether another run can find more.
    fn note(
        &mut self,
        problem: Problem,
        at: Option<At>,
        name: &'static str,
        map: &SecretMap,
    ) -> bool {
        let new = match (problem, at) {
            (Problem::Missing(field), None) => {
                let new = self.stubbed.insert(field.to_owned());
                if new {
                    self.missing.push(field.to_owned());
                }
                new
            }
            // A user's own type could name anything here, even a value.
            (Problem::Unknown(key), None) if map.contains_key(&key) => {
                self.hidden.insert(key.clone()) && self.push_invalid(key, "no key of this name")
            }
            (Problem::Duplicate(field), Some(At { key, .. })) => {
                self.hidden.insert(key.clone())
                    && self.push_invalid(key, format!("only one key for {field}"))
            }
            (_, Some(At { key, name, expected })) => {
                self.stubbed.insert(name) && self.push_invalid(key, expected)
            }
            // The type as a whole refused what its fields accepted.
            (_, None) if self.is_empty() => {
                self.push_invalid(name.to_owned(), "values that fit together");
                return false;
            }
            (_, None) => false,
        };
        self.incomplete = !new;
        new
    }

    fn push_invalid(&mut self, key: String, expected: impl Into<String>) -> bool {
        self.invalid.push((key, expected.into()));
        true
    }

    fn into_error(self) -> Error {
        Error::InvalidSettings {
            missing: self.missing.into(),
            invalid: self.invalid.into(),
            incomplete: self.incomplete,
        }
    }
}

/// What one run leaves behind in addition to its result.
#[derive(Default)]
struct Run {
    /// The type's own name.
    name: &'static str,
    at: Option<At>,
    ambiguous: Vec<(&'static str, Vec<String>)>,
}

/// The entry that is being deserialized.
struct At {
    key: String,
    /// As it was passed to the type.
    name: String,
    expected: Cow<'static, str>,
}

/// What serde says about a whole run: the names of fields and keys, and nothing else.
#[derive(Debug)]
enum Problem {
    Missing(&'static str),
    Duplicate(&'static str),
    Unknown(String),
    Other,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a setting cannot be used")
    }
}

impl std::error::Error for Problem {}

impl de::Error for Problem {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::Unknown(field.to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Duplicate(field)
    }
}
