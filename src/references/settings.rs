//! A group's values as a user's own struct.
//!
//! serde's errors quote the value that they are about, so no text of theirs is kept: [`Problem`] drops all
//! that serde or a user's type says. What is reported instead comes from what the type *asked for* (a `u32`,
//! one of these variants), which is known before a value is looked at.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::secret_map::SecretMap;
use super::stub::Stub;
use crate::secret_value::SecretValue;
use crate::{Error, Result};

/// Each run finds one problem, at a cost that grows with the map.
const MAX_RUNS: usize = 128;

impl SecretMap {
    /// The values as a struct of your own, or another type that serde deserializes.
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
    /// Text is taken as it is, never trimmed; an empty value is `Some("")` for an optional text. Numbers and
    /// booleans (`true`, `false`) are parsed from the trimmed text. The variant of an enum is the text; lists,
    /// maps, nested structs and variants with content are read from JSON. Types that accept anything, such as
    /// untagged enums, get the text.
    ///
    /// Only a [`SecretValue`] is wiped when dropped. In JSON, `serde_json` copies a text with escapes (`\n`)
    /// to a buffer of its own that is not wiped: store a secret under a key of its own.
    ///
    /// `#[serde(flatten)]` hides the names of the fields from this method, and hands all values over as
    /// text: only exact names and text fields work beside it. Deserialize two structs from the same map
    /// instead:
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
    /// To find them all the type is deserialized again after each problem, at most 128 times, with a stand-in
    /// for the value; a type that accepts no stand-in ends the list (`incomplete`). The error holds the names
    /// of keys and types, and no value.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T> {
        let mut report = Report::default();
        for _ in 0..MAX_RUNS {
            let run = RefCell::new(Run::default());
            let outcome = T::deserialize(Root { map: self, report: &report, run: &run });
            let run = run.into_inner();
            report.note_ambiguous(run.ambiguous);
            match outcome {
                Ok(value) if report.is_empty() => return Ok(value),
                // What was made of stubs is no one's settings.
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

/// What is known of a struct's problems after some runs.
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

    /// Whether another run can tell more.
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
            // A type of the user's own could name anything here, a value too.
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

/// What one run leaves behind beside its result.
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

/// What serde says of a whole run: the names of fields and keys, and nothing else.
#[derive(Debug)]
pub(super) enum Problem {
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

struct Root<'a> {
    map: &'a SecretMap,
    report: &'a Report,
    run: &'a RefCell<Run>,
}

/// One entry as it is passed to the type; without a value a stub stands in for it.
struct Entry<'a> {
    name: &'a str,
    key: &'a str,
    value: Option<&'a SecretValue>,
}

impl<'a> Root<'a> {
    /// The keys under the names of the fields that they are for.
    fn entries(&self, fields: &'static [&'static str]) -> Vec<Entry<'a>> {
        let exact: HashSet<&str> = fields.iter().copied().collect();
        let mut loose: HashMap<String, Vec<&'a str>> = HashMap::new();
        for key in self.map.keys().filter(|key| !exact.contains(key)) {
            loose.entry(loosened(key)).or_default().push(key);
        }
        let mut named: HashMap<&str, &'static str> = HashMap::new();
        let mut ambiguous = Vec::new();
        for field in fields.iter().filter(|field| !self.map.contains_key(field)) {
            // The first of the names that a key is like gets it: an alias is a name of its own.
            match loose.remove(&loosened(field)).as_deref() {
                None | Some([]) => {}
                Some([key]) => {
                    named.insert(key, field);
                }
                Some(several) => {
                    ambiguous.push((*field, several.iter().copied().map(str::to_owned).collect()));
                }
            }
        }
        let unclear: HashSet<&str> = ambiguous
            .iter()
            .flat_map(|(_, keys): &(_, Vec<String>)| keys)
            .map(String::as_str)
            .collect();
        let passed = |key: &&str| !self.report.hidden.contains(*key) && !unclear.contains(key);
        let mut entries = Vec::with_capacity(self.map.len());
        for (key, value) in self.map.iter().filter(|(key, _)| passed(key)) {
            let name = named.get(key).copied().unwrap_or(key);
            if !self.report.stubbed.contains(name) {
                entries.push(Entry { name, key, value: Some(value) });
            }
        }
        // Last, so that a type that refuses its stub hides no problem of the others.
        let stubbed = self.report.stubbed.iter().map(String::as_str);
        let new = ambiguous.iter().map(|(field, _)| *field);
        let new = new.filter(|field| !self.report.stubbed.contains(*field));
        entries.extend(stubbed.chain(new).map(|name| Entry { name, key: name, value: None }));
        self.run.borrow_mut().ambiguous = ambiguous;
        entries
    }

    fn visit<V: Visitor<'a>>(
        &self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.run.borrow_mut().name = name;
        let entries = self.entries(fields);
        visitor.visit_map(Entries { entries: entries.into_iter(), value: None, run: self.run })
    }
}

fn loosened(name: &str) -> String {
    name.chars()
        .map(|it| if matches!(it, '-' | '.') { '_' } else { it.to_ascii_lowercase() })
        .collect()
}

impl<'de> Deserializer<'de> for Root<'de> {
    type Error = Problem;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.visit(name, fields, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.visit("the values", &[], visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Entries<'a> {
    entries: std::vec::IntoIter<Entry<'a>>,
    value: Option<Option<&'a SecretValue>>,
    run: &'a RefCell<Run>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Problem> {
        let Some(Entry { name, key, value }) = self.entries.next() else { return Ok(None) };
        self.value = Some(value);
        let of_name: StrDeserializer<'_, Problem> = name.into_deserializer();
        let field = seed.deserialize(of_name)?;
        // From here on a failure is about this entry; a key that is not known failed above.
        let (key, name) = (key.to_owned(), name.to_owned());
        self.run.borrow_mut().at = Some(At { key, name, expected: "another value".into() });
        Ok(Some(field))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let value = match self.value.take().flatten() {
            Some(value) => seed.deserialize(Text { text: value.expose_secret(), run: self.run }),
            None => seed.deserialize(Stub::default()),
        };
        // Whatever is missing or unknown within a value is about that value.
        let value = value.map_err(|_| Problem::Other)?;
        self.run.borrow_mut().at = None;
        Ok(value)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

type Json<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;

/// One value.
struct Text<'a> {
    text: &'a str,
    run: &'a RefCell<Run>,
}

impl<'de> Text<'de> {
    fn expect(&self, expected: impl Into<Cow<'static, str>>) {
        if let Some(at) = &mut self.run.borrow_mut().at {
            at.expected = expected.into();
        }
    }

    fn json<T>(
        &self,
        expected: impl Into<Cow<'static, str>>,
        read: impl FnOnce(&mut Json<'de>) -> serde_json::Result<T>,
    ) -> Result<T, Problem> {
        self.expect(expected);
        let mut json = serde_json::Deserializer::from_str(self.text);
        let value = read(&mut json).map_err(|_| Problem::Other)?;
        json.end().map_err(|_| Problem::Other)?;
        Ok(value)
    }
}

macro_rules! parsed {
    ($($deserialize:ident $visit:ident $type:ty),* $(,)?) => {
        $(fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
            self.expect(stringify!($type));
            visitor.$visit(self.text.trim().parse::<$type>().map_err(|_| Problem::Other)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Problem;

    parsed! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.expect("a text that its type accepts");
        visitor.visit_str(self.text)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.expect("one character");
        let mut characters = self.text.chars();
        match (characters.next(), characters.next()) {
            (Some(one), None) => visitor.visit_char(one),
            _ => Err(Problem::Other),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.expect("bytes that its type accepts");
        visitor.visit_bytes(self.text.as_bytes())
    }

    forward_to_deserialize_any! { str string identifier }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.expect("nothing");
        if self.text.is_empty() { visitor.visit_unit() } else { Err(Problem::Other) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.json("a list in JSON", |json| json.deserialize_seq(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.json(format!("a list of {len} in JSON"), |json| json.deserialize_tuple(len, visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.json("an object in JSON", |json| json.deserialize_map(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        self.json(format!("{name} as an object in JSON"), |json| {
            json.deserialize_struct(name, fields, visitor)
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let expected = format!("one of {}", variants.join(", "));
        if variants.contains(&self.text) || !self.text.trim_start().starts_with('{') {
            self.expect(expected);
            return visitor.visit_enum(UnitVariant(self.text));
        }
        self.json(expected, |json| json.deserialize_enum(name, variants, visitor))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }
}

struct UnitVariant<'a>(&'a str);

impl<'de> EnumAccess<'de> for UnitVariant<'_> {
    type Error = Problem;
    type Variant = NoContent;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, NoContent), Problem> {
        let name: StrDeserializer<'_, Problem> = self.0.into_deserializer();
        Ok((seed.deserialize(name)?, NoContent))
    }
}

struct NoContent;

impl<'de> VariantAccess<'de> for NoContent {
    type Error = Problem;

    fn unit_variant(self) -> Result<(), Problem> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, _: S) -> Result<S::Value, Problem> {
        Err(Problem::Other)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Problem> {
        Err(Problem::Other)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Problem> {
        Err(Problem::Other)
    }
}
