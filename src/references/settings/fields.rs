//! The keys of a map as the fields of a struct.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::stub::Stub;
use super::value::Text;
use super::{At, Problem, Report, Run};
use crate::references::SecretMap;
use crate::secret_value::SecretValue;

pub(super) struct Root<'a> {
    pub(super) map: &'a SecretMap,
    pub(super) report: &'a Report,
    pub(super) run: &'a RefCell<Run>,
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
            // The first field name that a key resembles gets it; an alias is a name of its own.
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
        // Stubs come last, so that a type that refuses its stub does not hide the problems of the
        // others.
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
        visitor.visit_map(Entries { rest: entries.into_iter(), value: None, run: self.run })
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
    rest: std::vec::IntoIter<Entry<'a>>,
    /// The value of the entry whose key was read; `None` if a stub stands in for it.
    value: Option<&'a SecretValue>,
    run: &'a RefCell<Run>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Problem;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Problem> {
        let Some(Entry { name, key, value }) = self.rest.next() else { return Ok(None) };
        self.value = value;
        let of_name: StrDeserializer<'_, Problem> = name.into_deserializer();
        let field = seed.deserialize(of_name)?;
        // From here on a failure is about this entry; a key that is not known failed above.
        let (key, name) = (key.to_owned(), name.to_owned());
        self.run.borrow_mut().at = Some(At { key, name, expected: "another value".into() });
        Ok(Some(field))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let value = match self.value.take() {
            Some(value) => seed.deserialize(Text { text: value.expose_secret(), run: self.run }),
            None => seed.deserialize(Stub::default()),
        };
        // A field that is missing or unknown within a value is a problem of that value.
        let value = value.map_err(|_| Problem::Other)?;
        self.run.borrow_mut().at = None;
        Ok(value)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}
