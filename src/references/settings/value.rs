//! One value, as the type of its field asks for it.

use std::borrow::Cow;
use std::cell::RefCell;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::{Problem, Run};

type Json<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;

/// One value.
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) run: &'a RefCell<Run>,
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
