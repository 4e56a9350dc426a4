//! No text of an error holds a value, whatever message serde, a format or a user's own type gives.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use proptest::prelude::*;
use serde::de::{self, DeserializeOwned, Deserializer, Unexpected, Visitor};
use serde::{Deserialize, Serialize};
use truefoundry_secrets::{SecretMap, SecretValue};

use crate::texts;

#[derive(Deserialize)]
#[allow(dead_code)]
struct One<T> {
    field: T,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Pair<A, B> {
    #[serde(alias = "second-name")]
    first: A,
    field: B,
}

#[derive(Deserialize)]
#[allow(dead_code)]
#[serde(deny_unknown_fields)]
struct Strict {
    known: u32,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Flat<T> {
    #[serde(flatten)]
    inner: One<T>,
    other: Option<u32>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct FlatMap {
    #[serde(flatten)]
    rest: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
enum Mode {
    Fast,
    Sized(u32),
    Both(u32, bool),
    Nested { mode: Box<Mode>, level: u8 },
}

#[derive(Deserialize)]
#[allow(dead_code)]
#[serde(untagged)]
enum Untagged {
    Number(u32),
    Pair(u8, u8),
}

#[derive(Deserialize)]
#[allow(dead_code)]
#[serde(tag = "kind")]
enum Tagged {
    A { level: u8 },
}

#[derive(Deserialize)]
#[allow(dead_code)]
#[serde(tag = "kind", content = "body")]
enum Adjacent {
    A(u8),
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Newtype(NonZeroU32);

#[derive(Deserialize)]
#[allow(dead_code)]
struct Unit;

/// A type of a user's own, whose errors quote all that they can.
struct Custom;

/// As `Custom`, with the error meant for it.
struct Refuse<const KIND: u8>;

impl<'de> Deserialize<'de> for Custom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Err(de::Error::custom(format_args!("{text:?} is not what was wanted")))
    }
}

impl<'de, const KIND: u8> Deserialize<'de> for Refuse<KIND> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Quoting<const KIND: u8>;

        impl<const KIND: u8> Visitor<'_> for Quoting<KIND> {
            type Value = Refuse<KIND>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("something else")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Refuse<KIND>, E> {
                Err(match KIND {
                    0 => E::invalid_type(Unexpected::Str(text), &self),
                    1 => E::invalid_value(Unexpected::Str(text), &self),
                    2 => E::invalid_length(text.len(), &text),
                    3 => E::unknown_variant(text, &["Fast"]),
                    4 => E::unknown_field(text, &["known"]),
                    5 => E::duplicate_field("known"),
                    6 => E::missing_field("known"),
                    _ => E::invalid_type(Unexpected::Other(text), &text),
                })
            }
        }
        deserializer.deserialize_str(Quoting)
    }
}

fn quoting<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|error| de::Error::custom(format!("{text}: {error}")))
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct With {
    #[serde(deserialize_with = "quoting")]
    field: u32,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct FromText;

impl TryFrom<String> for FromText {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Err(text)
    }
}

#[derive(Deserialize)]
#[serde(try_from = "One<String>")]
struct FromWhole;

impl TryFrom<One<String>> for FromWhole {
    type Error = String;

    fn try_from(whole: One<String>) -> Result<Self, String> {
        Err(whole.field)
    }
}

/// A struct whose own `Deserialize` names a value as if it were a key.
struct ByHand;

impl<'de> Deserialize<'de> for ByHand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let values = BTreeMap::<String, String>::deserialize(deserializer)?;
        let all = values.into_values().collect::<Vec<_>>().join(" ");
        Err(de::Error::unknown_field(&all, &[]))
    }
}

/// Whether it failed. The error's texts are searched for the values' contents.
fn fails<T: DeserializeOwned>(values: &SecretMap, needles: &[String]) -> bool {
    let Err(error) = values.deserialize::<T>() else { return false };
    let text = texts(&error);
    for needle in needles {
        let type_name = std::any::type_name::<T>();
        assert!(!text.contains(needle.as_str()), "{type_name}: {needle} is in {text}");
    }
    true
}

macro_rules! all {
    ($values:expr, $needles:expr; $($type:ty),* $(,)?) => {{
        let mut failed = 0;
        $(
            failed += u32::from(fails::<One<$type>>($values, $needles));
            fails::<Pair<u32, $type>>($values, $needles);
            fails::<Pair<$type, Option<$type>>>($values, $needles);
            fails::<Flat<$type>>($values, $needles);
            fails::<One<Vec<$type>>>($values, $needles);
            fails::<One<(String, $type)>>($values, $needles);
            fails::<One<One<$type>>>($values, $needles);
            fails::<BTreeMap<String, $type>>($values, $needles);
        )*
        failed
    }};
}

fn attempt(values: &SecretMap, needles: &[String]) -> u32 {
    for failed in [
        fails::<Strict>(values, needles),
        fails::<FlatMap>(values, needles),
        fails::<FromWhole>(values, needles),
        fails::<ByHand>(values, needles),
        fails::<u32>(values, needles),
        fails::<Mode>(values, needles),
        fails::<Vec<String>>(values, needles),
    ] {
        assert!(failed);
    }
    fails::<With>(values, needles);
    fails::<Untagged>(values, needles);
    fails::<Tagged>(values, needles);
    all!(values, needles;
        u8, i64, u128, f64, bool, char, NonZeroU32, Option<u32>, Newtype, Unit, (), Mode, Option<Mode>,
        Untagged, Tagged, Adjacent, Custom, FromText, With, FromWhole, Refuse<0>, Refuse<1>, Refuse<2>,
        Refuse<3>, Refuse<4>, Refuse<5>, Refuse<6>, Refuse<7>, std::net::IpAddr, BTreeMap<u32, u32>, [u8; 2],
    )
}

/// A word or a number that occurs in no text by accident, and a value with it at one of the places
/// that serde reads.
fn value() -> impl Strategy<Value = (String, String)> {
    let needle = prop_oneof!["zq[a-y]{4,12}", "[1-9]7{3}[0-9]{4,6}"];
    let shapes = [
        "@",
        " @ ",
        "\"@\"",
        "[@]",
        "[\"@\", @]",
        "{\"@\": 1}",
        "{\"field\": \"@\"}",
        "{\"field\": @, \"field\": @}",
        "{\"field\": {\"field\": [\"@\"]}}",
        "{\"Sized\": \"@\"}",
        "{\"Both\": [@, \"@\"]}",
        "{\"Nested\": {\"mode\": \"@\", \"level\": @}}",
        "{\"kind\": \"@\", \"body\": \"@\", \"level\": \"@\"}",
        "{\"kind\": \"A\", \"level\": \"@\"}",
        "[\"\\u0041@\\n\", {\"@\": @}",
        "-@.5",
        "@\u{0}\u{1b}[31m",
    ];
    (needle, prop::sample::select(shapes.to_vec()))
        .prop_map(|(needle, shape)| (shape.replace('@', &needle), needle))
}

fn cases() -> ProptestConfig {
    ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_text_of_an_error_holds_a_value(
        values in prop::collection::vec(value(), 1..5),
        names in Just(["FIELD", "first", "Second.Name", "SECOND-NAME", "known"]).prop_shuffle(),
    ) {
        let mut map: SecretMap =
            names.iter().zip(&values).map(|(name, (text, _))| (*name, text.as_str())).collect();
        let (text, _) = &values[0];
        if !names[..values.len()].contains(&"FIELD") {
            map.insert("FIELD", text.as_str());
        }
        let needles: Vec<_> = values.into_iter().map(|(_, needle)| needle).collect();
        prop_assert!(attempt(&map, &needles) > 10);
    }
}

/// Shows that the search works: serde's own error quotes these values.
#[test]
fn the_same_values_are_in_the_errors_of_a_format() {
    #[derive(Serialize)]
    struct Field {
        field: &'static str,
    }
    fn quotes<T: DeserializeOwned>() -> bool {
        let text = serde_json::to_string(&Field { field: "zqneedle" }).unwrap();
        serde_json::from_str::<One<T>>(&text).err().unwrap().to_string().contains("zqneedle")
    }
    let all = [
        quotes::<u8>(),
        quotes::<Mode>(),
        quotes::<Custom>(),
        quotes::<FromText>(),
        quotes::<Refuse<0>>(),
        quotes::<Refuse<1>>(),
        quotes::<Refuse<2>>(),
        quotes::<Refuse<3>>(),
        quotes::<Refuse<4>>(),
        quotes::<Refuse<7>>(),
        quotes::<Vec<u8>>(),
    ];
    assert_eq!(all, [true; 11]);
    let values: SecretMap = [("field", "zqneedle")].into_iter().collect();
    assert!(
        fails::<One<SecretValue>>(&SecretMap::new(), &[]) && !fails::<One<String>>(&values, &[])
    );
}
