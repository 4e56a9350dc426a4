//! From a response's bytes straight into the models.
//!
//! Every response passes through here, so that three rules hold everywhere: no intermediate tree is
//! built, strings are not copied one by one (see `models/shared_str.rs`), and a failure tells where the text
//! went wrong but never what stood there, because serde's own messages quote the value.

mod number;
#[cfg(test)]
mod tests;

pub(crate) use number::{count, whole_number_in};

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;
use zeroize::Zeroize;

use super::shared_str::{Buffer, SharedStr};
use super::subject::Subject;
use crate::secret_value::SecretValue;
use number::whole_number;

/// Where decoding failed. The text itself is left out on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecodeFailure {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl From<serde_json::Error> for DecodeFailure {
    fn from(error: serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

/// What is shared while one response is decoded.
pub(crate) struct Context<'de> {
    /// The response, if texts may point into it; empty if they are copied out of it.
    body: &'de str,
    buffer: Buffer,
    /// Texts that do not stand in `body` as they are: those with escapes, or all of them.
    copied: RefCell<String>,
    /// Where values and unknown fields stand in `body`, to be overwritten before the buffer is kept.
    exposed: RefCell<Vec<Range<usize>>>,
    /// The subject of the last entry: nearly always that of the next one, too.
    pub(crate) last_subject: RefCell<Option<Arc<Subject>>>,
}

impl<'de> Context<'de> {
    fn new(body: &'de str) -> Self {
        Self {
            body,
            buffer: Arc::new(OnceLock::new()),
            copied: RefCell::default(),
            exposed: RefCell::default(),
            last_subject: RefCell::default(),
        }
    }

    /// Whether two texts of this response are the same, while the buffer is not filled yet.
    pub(crate) fn same(&self, one: &SharedStr, other: &SharedStr) -> bool {
        let copied = self.copied.borrow();
        let read = |text: &SharedStr| {
            let range = text.range();
            match range.start.checked_sub(self.body.len()) {
                None => self.body.get(range),
                Some(start) => copied.get(start..start + range.len()),
            }
        };
        read(one) == read(other)
    }

    fn offset_in_body(&self, text: &str) -> Option<usize> {
        let offset = (text.as_ptr() as usize).checked_sub(self.body.as_ptr() as usize)?;
        (offset.checked_add(text.len())? <= self.body.len()).then_some(offset)
    }

    fn place(&self, offset: usize, len: usize) -> Option<SharedStr> {
        Some(SharedStr::at(&self.buffer, u32::try_from(offset).ok()?, u32::try_from(len).ok()?))
    }

    /// A text of the response.
    pub(crate) fn text<E: serde::de::Error>(&self, text: &'de str) -> Result<SharedStr, E> {
        let text = match self.offset_in_body(text) {
            Some(offset) => self.place(offset, text.len()),
            None => self.copied_text(text),
        };
        text.ok_or_else(|| E::custom("a response of over 4 GiB"))
    }

    fn copied_text(&self, text: &str) -> Option<SharedStr> {
        let mut copied = self.copied.borrow_mut();
        let offset = self.body.len() + copied.len();
        copied.push_str(text);
        self.place(offset, text.len())
    }
}

/// Decodes a response that carries no values; the models share `body`, of which nothing but known fields
/// is left.
pub(crate) fn borrowed<T: FromWire>(body: String) -> Result<T, DecodeFailure> {
    let context = Context::new(&body);
    let model = parse(&context, serde_json::Deserializer::from_str(&body))?;
    let Context { buffer, copied, exposed, .. } = context;
    let mut kept = without(body, &exposed.into_inner());
    kept.push_str(&copied.into_inner());
    // No other owner of the buffer exists yet, so it cannot be filled already.
    let _ = buffer.set(kept);
    Ok(model)
}

/// Decodes a response that can carry values; the models keep nothing of `body`, which is to be wiped.
pub(crate) fn owned<T: FromWire>(body: &[u8]) -> Result<T, DecodeFailure> {
    // All of it: serde_json would look at no string that is skipped.
    let body = std::str::from_utf8(body).map_err(|_| DecodeFailure { line: 0, column: 0 })?;
    let context = Context::new("");
    context.copied.borrow_mut().reserve_exact(body.len().min(1024));
    let model = parse(&context, serde_json::Deserializer::from_str(body))?;
    let Context { buffer, copied, .. } = context;
    let _ = buffer.set(copied.into_inner());
    Ok(model)
}

fn parse<'de, T: FromWire, R: serde_json::de::Read<'de>>(
    context: &Context<'de>,
    mut deserializer: serde_json::Deserializer<R>,
) -> Result<T, DecodeFailure> {
    let model = T::decode(context, &mut deserializer)?;
    deserializer.end()?;
    Ok(model)
}

/// The text with these places overwritten: the models outlive the call, values and unknown fields, which
/// can be credentials, must not.
fn without(text: String, places: &[Range<usize>]) -> String {
    if places.is_empty() {
        return text;
    }
    let mut bytes = text.into_bytes();
    for place in places {
        if let Some(part) = bytes.get_mut(place.clone()) {
            part.zeroize();
        }
    }
    // Zero bytes are valid UTF-8, and every place is a whole JSON value, or what stands between its quotes.
    String::from_utf8(bytes).unwrap_or_default()
}

/// A type that can be read from a response. Not `serde::Deserialize`, so that the models have no public
/// way to be made up, and so that texts know the buffer they belong to.
pub(crate) trait FromWire: Sized {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error>;
}

pub(crate) struct Seed<'a, 'de, T> {
    context: &'a Context<'de>,
    model: PhantomData<T>,
}

impl<'a, 'de, T> Seed<'a, 'de, T> {
    pub(crate) fn new(context: &'a Context<'de>) -> Self {
        Self { context, model: PhantomData }
    }
}

impl<'de, T: FromWire> DeserializeSeed<'de> for Seed<'_, 'de, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::decode(self.context, deserializer)
    }
}

impl<T: FromWire> FromWire for Option<T> {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        struct OptionVisitor<'a, 'de, T>(Seed<'a, 'de, T>);

        impl<'de, T: FromWire> Visitor<'de> for OptionVisitor<'_, 'de, T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(None)
            }

            fn visit_some<D: Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
                self.0.deserialize(d).map(Some)
            }
        }

        deserializer.deserialize_option(OptionVisitor(Seed::new(context)))
    }
}

impl<T: FromWire> FromWire for Vec<T> {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        struct ListVisitor<'a, 'de, T>(&'a Context<'de>, PhantomData<T>);

        impl<'de, T: FromWire> Visitor<'de> for ListVisitor<'_, 'de, T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element_seed(Seed::new(self.0))? {
                    items.push(item);
                }
                // Lists live as long as the models; the slack of growing would be a third of them.
                items.shrink_to_fit();
                Ok(items)
            }
        }

        deserializer.deserialize_seq(ListVisitor(context, PhantomData))
    }
}

impl FromWire for SharedStr {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        struct TextVisitor<'a, 'de>(&'a Context<'de>);

        impl<'de> Visitor<'de> for TextVisitor<'_, 'de> {
            type Value = SharedStr;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: serde::de::Error>(
                self,
                text: &'de str,
            ) -> Result<SharedStr, E> {
                self.0.text(text)
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SharedStr, E> {
                self.0.copied_text(text).ok_or_else(|| E::custom("a response of over 4 GiB"))
            }
        }

        deserializer.deserialize_str(TextVisitor(context))
    }
}

impl FromWire for SecretValue {
    fn decode<'de, D: Deserializer<'de>>(
        context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        // Taken as it stands in the response: serde_json would unescape it in a scratch buffer of its
        // own, which it frees unwiped.
        let raw = <&'de RawValue as serde::Deserialize<'de>>::deserialize(deserializer)?.get();
        if let Some(offset) = context.offset_in_body(raw) {
            let inner = offset.saturating_add(1)..(offset + raw.len()).saturating_sub(1);
            context.exposed.borrow_mut().push(inner);
        }
        super::unescape::json_string(raw)
            .map(SecretValue::from_exact)
            .ok_or_else(|| D::Error::custom("a value that is not a string"))
    }
}

impl FromWire for u64 {
    fn decode<'de, D: Deserializer<'de>>(
        _context: &Context<'de>,
        deserializer: D,
    ) -> Result<Self, D::Error> {
        whole_number(deserializer)
    }
}

/// A string turned into something else, or refused.
pub(crate) struct FromText<F>(pub(crate) F, pub(crate) &'static str);

impl<T, F: FnOnce(&str) -> Option<T>> Visitor<'_> for FromText<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        let Self(convert, expected) = self;
        convert(text).ok_or_else(|| E::custom(expected))
    }
}

/// Reads an object's key without keeping it.
pub(crate) struct Key<F>(pub(crate) F);

impl<'de, K, F: FnOnce(&str) -> K> DeserializeSeed<'de> for Key<F> {
    type Value = K;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<K, D::Error> {
        deserializer.deserialize_str(FromText(|key: &str| Some((self.0)(key)), "a key"))
    }
}

/// `next_value_seed` for a model.
pub(crate) fn value<'de, T: FromWire, A: MapAccess<'de>>(
    context: &Context<'de>,
    map: &mut A,
) -> Result<T, A::Error> {
    map.next_value_seed(Seed::new(context))
}

/// Skips a value that no model has, and marks it to be wiped.
pub(crate) fn skip<'de, A: MapAccess<'de>>(
    context: &Context<'de>,
    map: &mut A,
) -> Result<(), A::Error> {
    if context.body.is_empty() {
        return map.next_value::<IgnoredAny>().map(drop);
    }
    let raw = map.next_value::<&'de RawValue>()?.get();
    if let Some(offset) = context.offset_in_body(raw) {
        context.exposed.borrow_mut().push(offset..offset.saturating_add(raw.len()));
    }
    Ok(())
}

/// Implements [`FromWire`] for a struct: fields and keys that must be there, then those that may be absent or
/// null. Keys that are not named are skipped.
macro_rules! wire_object {
    ($model:ident {
        required { $($must:ident : $must_key:literal),* $(,)? }
        optional { $($may:ident : $may_key:literal),* $(,)? }
    }) => {
        impl $crate::models::decode::FromWire for $model {
            fn decode<'de, D: serde::Deserializer<'de>>(
                context: &$crate::models::decode::Context<'de>,
                deserializer: D,
            ) -> Result<Self, D::Error> {
                #[allow(non_camel_case_types)]
                enum Field { $($must,)* $($may,)* Unknown }

                struct ObjectVisitor<'a, 'de>(&'a $crate::models::decode::Context<'de>);

                impl<'de> serde::de::Visitor<'de> for ObjectVisitor<'_, 'de> {
                    type Value = $model;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<Self::Value, A::Error> {
                        $(let mut $must = None;)*
                        $(let mut $may = None;)*
                        while let Some(key) = map.next_key_seed($crate::models::decode::Key(|key: &str| {
                            match key {
                                $($must_key => Field::$must,)*
                                $($may_key => Field::$may,)*
                                _ => Field::Unknown,
                            }
                        }))? {
                            match key {
                                $(Field::$must => {
                                    $must = Some($crate::models::decode::value(self.0, &mut map)?);
                                })*
                                $(Field::$may => $may = $crate::models::decode::value(self.0, &mut map)?,)*
                                Field::Unknown => $crate::models::decode::skip(self.0, &mut map)?,
                            }
                        }
                        Ok($model {
                            $($must: $must
                                .ok_or_else(|| serde::de::Error::missing_field($must_key))?,)*
                            $($may,)*
                        })
                    }
                }

                deserializer.deserialize_map(ObjectVisitor(context))
            }
        }
    };
}
pub(crate) use wire_object;
