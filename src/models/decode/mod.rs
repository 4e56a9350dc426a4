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

const BYTE_ORDER_MARK: char = '\u{feff}';

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
    /// Texts that are copied out of `body`: those with escapes, or all of them.
    copied: RefCell<String>,
    /// The places of values and unknown fields in `body`, to overwrite before the buffer is kept.
    exposed: RefCell<Vec<Range<usize>>>,
    /// The last subject, and its text in the response: the next subject is nearly always the same.
    pub(crate) last_subject: RefCell<Option<(&'de str, Arc<Subject>)>>,
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

    fn offset_in_body(&self, text: &str) -> Option<usize> {
        let offset = (text.as_ptr() as usize).checked_sub(self.body.as_ptr() as usize)?;
        (offset.checked_add(text.len())? <= self.body.len()).then_some(offset)
    }

    /// Marks this part of the response to be overwritten.
    pub(crate) fn overwrite(&self, raw: &str) {
        if let Some(offset) = self.offset_in_body(raw) {
            self.exposed.borrow_mut().push(offset..offset.saturating_add(raw.len()));
        }
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

/// Decodes a response that carries no values; the models share `body`, in which only known fields
/// are left.
pub(crate) fn borrowed<T: FromWire>(mut body: String) -> Result<T, DecodeFailure> {
    if body.starts_with(BYTE_ORDER_MARK) {
        body.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    let context = Context::new(&body);
    let model = parse(&context, serde_json::Deserializer::from_str(&body))?;
    let Context { buffer, copied, exposed, last_subject, .. } = context;
    drop(last_subject);
    let mut kept = without(body, &exposed.into_inner());
    kept.push_str(&copied.into_inner());
    // No other owner of the buffer exists yet, so it cannot be filled already.
    let _ = buffer.set(kept);
    Ok(model)
}

/// Decodes a response that can carry values; the models keep nothing of `body`, which is to be wiped.
pub(crate) fn owned<T: FromWire>(body: &[u8]) -> Result<T, DecodeFailure> {
    // Checks all of it: serde_json would not check strings that it skips.
    let body = text(body)?;
    let context = Context::new("");
    context.copied.borrow_mut().reserve_exact(room_for_texts(body.len()));
    let model = parse(&context, serde_json::Deserializer::from_str(body))?;
    let Context { buffer, copied, .. } = context;
    let _ = buffer.set(copied.into_inner());
    Ok(model)
}

/// Enough for the texts of nearly all responses of this length: half of a long one is values, keys and punctuation.
fn room_for_texts(body: usize) -> usize {
    const MAX_RESERVED: usize = 64 * 1024;
    body.min(1024).max(body / 2).min(MAX_RESERVED)
}

/// The text of a body, without the byte order mark that some servers put before it.
fn text(body: &[u8]) -> Result<&str, DecodeFailure> {
    let text = std::str::from_utf8(body).map_err(|_| DecodeFailure { line: 0, column: 0 })?;
    Ok(text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text))
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
    // Zero bytes are valid UTF-8, and every place is a whole JSON value, or the text between its
    // quotes.
    String::from_utf8(bytes).unwrap_or_default()
}

/// A type that can be read from a response. Not `serde::Deserialize`, so that the public cannot
/// construct models, and so that texts know the buffer they belong to.
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
                // Lists live as long as the models; the slack of growing could be half of them.
                if items.len() < items.capacity() / 4 * 3 {
                    items.shrink_to_fit();
                }
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
        // Taken from the raw text of the response: serde_json would unescape it in a scratch buffer
        // of its own, which it frees unwiped.
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

/// A type of informational fields. JSON of an unexpected type is `None`: it does not fail the
/// response, and none of it is kept, because it could hold a value.
pub(crate) trait Lenient: Sized {
    /// Reads one whole JSON value, which is not `null`.
    ///
    /// # Errors
    /// Only for strict fields within it.
    fn read<'de>(context: &Context<'de>, raw: &'de str) -> Result<Option<Self>, serde_json::Error>;
}

impl Lenient for SharedStr {
    fn read<'de>(context: &Context<'de>, raw: &'de str) -> Result<Option<Self>, serde_json::Error> {
        Ok(Self::decode(context, &mut serde_json::Deserializer::from_str(raw)).ok())
    }
}

impl Lenient for u64 {
    fn read<'de>(_: &Context<'de>, raw: &'de str) -> Result<Option<Self>, serde_json::Error> {
        Ok(whole_number_in(raw))
    }
}

impl Lenient for bool {
    fn read<'de>(_: &Context<'de>, raw: &'de str) -> Result<Option<Self>, serde_json::Error> {
        Ok(raw.trim().parse().ok())
    }
}

impl<T: Lenient> Lenient for Vec<T> {
    fn read<'de>(context: &Context<'de>, raw: &'de str) -> Result<Option<Self>, serde_json::Error> {
        let Ok(items) = serde_json::from_str::<Vec<&'de RawValue>>(raw) else { return Ok(None) };
        items.into_iter().map(|item| T::read(context, item.get())).collect()
    }
}

/// An object whose own informational fields are lenient in turn; `None` for JSON of another type.
pub(crate) fn object<'de, T: FromWire>(
    context: &Context<'de>,
    raw: &'de str,
) -> Result<Option<T>, serde_json::Error> {
    if !raw.starts_with('{') {
        return Ok(None);
    }
    T::decode(context, &mut serde_json::Deserializer::from_str(raw)).map(Some)
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

/// `next_value_seed` for an informational field.
pub(crate) fn informational<'de, T: Lenient, A: MapAccess<'de>>(
    context: &Context<'de>,
    map: &mut A,
) -> Result<Option<T>, A::Error> {
    let raw = map.next_value::<&'de RawValue>()?.get();
    if raw == "null" {
        return Ok(None);
    }
    // The position of an error within is that of the end of this value.
    let read = T::read(context, raw).map_err(|_| A::Error::custom("a strict field is odd"))?;
    if read.is_none() {
        context.overwrite(raw);
    }
    Ok(read)
}

/// Skips a value that no model has, and marks it to be wiped.
pub(crate) fn skip<'de, A: MapAccess<'de>>(
    context: &Context<'de>,
    map: &mut A,
) -> Result<(), A::Error> {
    if context.body.is_empty() {
        return map.next_value::<IgnoredAny>().map(drop);
    }
    context.overwrite(map.next_value::<&'de RawValue>()?.get());
    Ok(())
}

/// Implements [`FromWire`] and [`Lenient`] for a struct: fields and keys that must be present, then
/// those that may be absent or null, then those that are informational ([`Lenient`]). Keys that are
/// not named are skipped.
macro_rules! wire_object {
    ($model:ident {
        required { $($must:ident : $must_key:literal),* $(,)? }
        optional { $($may:ident : $may_key:literal),* $(,)? }
        informational { $($odd:ident : $odd_key:literal),* $(,)? }
    }) => {
        impl $crate::models::decode::Lenient for $model {
            fn read<'de>(
                context: &$crate::models::decode::Context<'de>,
                raw: &'de str,
            ) -> Result<Option<Self>, serde_json::Error> {
                $crate::models::decode::object(context, raw)
            }
        }

        impl $crate::models::decode::FromWire for $model {
            fn decode<'de, D: serde::Deserializer<'de>>(
                context: &$crate::models::decode::Context<'de>,
                deserializer: D,
            ) -> Result<Self, D::Error> {
                #[allow(non_camel_case_types)]
                enum Field { $($must,)* $($may,)* $($odd,)* Unknown }

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
                        $(let mut $odd = None;)*
                        while let Some(key) = map.next_key_seed($crate::models::decode::Key(|key: &str| {
                            match key {
                                $($must_key => Field::$must,)*
                                $($may_key => Field::$may,)*
                                $($odd_key => Field::$odd,)*
                                _ => Field::Unknown,
                            }
                        }))? {
                            match key {
                                $(Field::$must => {
                                    $must = Some($crate::models::decode::value(self.0, &mut map)?);
                                })*
                                $(Field::$may => $may = $crate::models::decode::value(self.0, &mut map)?,)*
                                $(Field::$odd => {
                                    $odd = $crate::models::decode::informational(self.0, &mut map)?;
                                })*
                                Field::Unknown => $crate::models::decode::skip(self.0, &mut map)?,
                            }
                        }
                        Ok($model {
                            $($must: $must
                                .ok_or_else(|| serde::de::Error::missing_field($must_key))?,)*
                            $($may,)*
                            $($odd,)*
                        })
                    }
                }

                deserializer.deserialize_map(ObjectVisitor(context))
            }
        }
    };
}
pub(crate) use wire_object;
